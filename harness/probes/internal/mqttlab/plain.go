package mqttlab

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
)

// App and Lock are the log-ins of the brokers that Plain speaks of.
var (
	App  = probe.Login{ID: "app", User: "app", Password: "password-of-the-app"}
	Lock = probe.Login{ID: "lock", User: "lock", Password: "password-of-the-lock"}
)

// ACL are the rules of a mosquitto on which App and Lock keep to their own
// topics, and everybody reads what is public.
var ACL = []string{"topic read door/status", "user app", "topic readwrite door/app/#", "user lock", "topic readwrite door/lock/#"}

// Plain is a lab around something that listens on an address, which the device
// file declares as a broker with these log-ins.
func Plain(t testing.TB, at netip.AddrPort, logins ...probe.Login) *Lab {
	t.Helper()
	row := declaration.Service{ID: "broker", Enabled: evidence.Yes, TCP: []uint16{at.Port()}, Protocol: "mqtt"}
	for _, l := range logins {
		prefix := declaration.Text("door/" + l.User)
		row.MQTT.Identities = append(row.MQTT.Identities, declaration.Identity{
			Credential: declaration.Name(l.ID), Topics: []declaration.Text{prefix + "/#"}, Canary: prefix + "/selftest/",
		})
	}
	l := &Lab{Bench: doortest.Limited(t, transport.LimitsOf(transport.Normal), logins...)}
	l.Input.Target.Pace = transport.Normal
	l.Input.Target.Addrs = []netip.Addr{at.Addr()}
	l.Pages = map[string]evidence.Page{
		declaration.Probe.Name: {Value: declaration.Evidence{Given: evidence.Yes, Listed: evidence.Yes, Services: []declaration.Service{row}}},
		services.Probe.Name:    {Value: doortest.Listeners(at)},
		mqttconnect.Probe.Name: {Value: mqttconnect.Evidence{}},
		tcpports.Probe.Name:    {Value: tcpports.Evidence{Addrs: []netip.Addr{at.Addr()}, Tried: tcpports.All, Open: []tcpports.Port{{Addr: at, Seen: 2}}}},
	}
	l.count()
	l.View()
	return l
}

// count counts what a probe spends.
func (l *Lab) count() {
	l.counter = &counter{Dialer: l.Input.Net}
	l.Input.Net = l.counter
}

// Within fails the test if more was spent than a probe announced for one open
// port for each listener of the lab.
func (l *Lab) Within(t testing.TB, bound func(probe.Target) probe.Bound) {
	t.Helper()
	open := len(l.Pages[tcpports.Probe.Name].Value.(tcpports.Evidence).Open)
	b := bound(probe.Target{Addrs: l.Input.Target.Addrs, Ports: l.Input.Target.Ports, Open: open})
	if got := int(l.counter.dials.Load()); got > b.Connections {
		t.Errorf("%d connections, of %d announced", got, b.Connections)
	}
	if got := int(l.counter.logins.Load()); got > b.Logins {
		t.Errorf("%d log-ins, of %d announced", got, b.Logins)
	}
}

type counter struct {
	transport.Dialer
	dials, logins atomic.Int64
}

// Dial counts a connection.
func (c *counter) Dial(ctx context.Context, addr netip.AddrPort) (transport.Conn, error) {
	c.dials.Add(1)
	return c.Dialer.Dial(ctx, addr)
}

// Login counts a log-in.
func (c *counter) Login(ctx context.Context, service, account string) error {
	c.logins.Add(1)
	return c.Dialer.Login(ctx, service, account)
}
