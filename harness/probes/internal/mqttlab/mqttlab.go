// Package mqttlab lets tests of MQTT probes work on an emulated device, which
// is a broker with the access rules of a real one.
package mqttlab

import (
	"context"
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
)

// A Lab is a running door lock and what a probe may use on it.
type Lab struct {
	*doortest.Bench
	Device *devices.Device // nil for a broker that is none
	Pages  map[string]evidence.Page

	counter *counter
}

// The broker's ports, as the device file has them.
const (
	tlsPort   = 8883
	plainPort = 1883
	httpsPort = 443
)

// Start switches on a member of a family with these faults alone, which ends
// with the test.
func Start(t testing.TB, member string, faults ...string) *Lab {
	t.Helper()
	var f devices.Faults
	for _, name := range faults {
		var err error
		if f, err = f.With(name, true); err != nil {
			t.Fatal(err)
		}
	}
	d, err := devices.Start(context.WithoutCancel(t.Context()), devices.Spec{Name: member, Faults: &f, Ports: devices.PortsFree})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return of(t, d)
}

// of fills in what earlier probes would have found.
func of(t testing.TB, d *devices.Device) *Lab {
	t.Helper()
	var logins []probe.Login
	for _, c := range d.Folder.File.Credentials {
		if c.Service != "mqtt" {
			continue
		}
		password, err := d.Password(c.ID)
		if err != nil {
			t.Fatal(err)
		}
		logins = append(logins, probe.Login{ID: c.ID, User: c.User, Password: password})
	}
	l := &Lab{Bench: doortest.Limited(t, transport.LimitsOf(transport.Normal), logins...), Device: d}
	l.Input.Operator = d
	l.count()
	l.Input.Target.Pace = transport.Normal
	l.Input.Target.Addrs = []netip.Addr{d.Addr}
	l.Pages = map[string]evidence.Page{
		declaration.Probe.Name: {Value: l.declared()},
		services.Probe.Name:    {Value: l.services()},
		mqttconnect.Probe.Name: {Value: mqttconnect.Evidence{}},
		tcpports.Probe.Name:    {Value: l.ports()},
	}
	l.View()
	return l
}

// View gives the probe the pages as they are now.
func (l *Lab) View() { l.Input.Evidence = evidence.NewView(evidence.DUT, l.Pages) }

// declared is what the device file says of the broker.
func (l *Lab) declared() declaration.Evidence {
	e := declaration.Evidence{Given: evidence.Yes, Listed: evidence.Yes}
	for _, row := range l.Device.Folder.File.IXIT.SoftServ {
		if row.MQTT == nil {
			continue
		}
		s := declaration.Service{ID: declaration.Name(row.ID), Enabled: evidence.Yes, TCP: []uint16{l.Device.At(tlsPort).Port()}, Protocol: "mqtt", TLS: evidence.Yes}
		for _, i := range row.MQTT.Identities {
			s.MQTT.Identities = append(s.MQTT.Identities, declaration.Identity{
				Credential: declaration.Name(i.Credential), Topics: texts(i.Topics), Canary: declaration.Text(i.Canary),
			})
		}
		s.MQTT.PublicTopics, s.MQTT.ReadsAll = texts(row.MQTT.PublicTopics), declaration.Name(row.MQTT.ReadsAll)
		e.Services = append(e.Services, s)
	}
	return e
}

func texts(list []string) []declaration.Text {
	var all []declaration.Text
	for _, s := range list {
		all = append(all, declaration.Text(s))
	}
	return all
}

// services is what is spoken where.
func (l *Lab) services() services.Evidence {
	var e services.Evidence
	for _, s := range []struct {
		port     uint16
		protocol services.Protocol
		inTLS    evidence.Tri
	}{{tlsPort, services.MQTT, evidence.Yes}, {plainPort, services.MQTT, evidence.No}, {httpsPort, services.HTTP, evidence.Yes}} {
		if at := l.Device.At(s.port); at.IsValid() {
			e.Services = append(e.Services, services.Service{Addr: at, Protocol: s.protocol, TLS: s.inTLS, Seen: 2})
		}
	}
	return e
}

// ports is where the device answers.
func (l *Lab) ports() tcpports.Evidence {
	e := tcpports.Evidence{Addrs: []netip.Addr{l.Device.Addr}, Tried: tcpports.All}
	for _, at := range l.Device.TCP() {
		e.Open = append(e.Open, tcpports.Port{Addr: at, Seen: 2})
	}
	return e
}
