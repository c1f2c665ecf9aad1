package harness

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func parsed(t *testing.T, text string) *device.File {
	t.Helper()
	f, err := device.Parse("device.yaml", []byte(text), "")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const onBench = `device: {id: lock, addresses: [192.168.7.20]}
consent: {who: J. Doe, what: bench, until: 2026-12-31, effect: intrusive}
ixit:
  soft_serv:
    - {id: broker, description: broker, status: enabled, tcp: [8883], protocol: mqtt, tls: yes}
`

func order(f *device.File, addr string) Order {
	o := Order{File: f, Checks: checks.ByID(), Effect: probe.Active, Now: now}
	if addr != "" {
		o.Address = netip.MustParseAddr(addr)
	}
	return o
}

// What the user asked wrongly is an error before the first packet.
func TestRule2PrepareRefuses(t *testing.T) {
	strong := order(parsed(t, onBench), "")
	strong.Effect = probe.Disruptive
	late := order(parsed(t, onBench), "")
	late.Effect, late.Now = probe.Intrusive, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	bare := order(nil, "192.168.7.20")
	bare.Effect = probe.Intrusive
	twins := order(parsed(t, onBench), "")
	twins.Units = []UnitOrder{{"unit-2", device.Bare(netip.MustParseAddr("192.168.7.21"))}, {"unit-2", device.Bare(netip.MustParseAddr("192.168.7.22"))}}
	glob := order(parsed(t, onBench), "")
	glob.Selection.Only = []string{"nothing.*"}
	tests := []struct {
		name string
		o    Order
		want string
	}{
		{"public_address", order(nil, "203.0.113.9"), "203.0.113.9"},
		{"multicast", order(nil, "224.0.0.1"), "224.0.0.1"},
		{"loopback_without_ports", order(nil, "127.0.0.1"), "--ports"},
		{"no_address", order(parsed(t, "device: {id: lock}\n"), ""), "no address"},
		{"more_than_consented", strong, "consented to no more than intrusive"},
		{"consent_ended", late, "ended after 2026-12-31"},
		{"nobody_consented", bare, "nobody consented"},
		{"two_units_of_one_name", twins, `the name "unit-2"`},
		{"only_nothing", glob, "matches no check"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if s, err := tt.o.Prepare(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Prepare = %+v, %v; want an error with %q", s, err, tt.want)
			}
		})
	}
}

func TestPrepareDefaults(t *testing.T) {
	s, err := order(parsed(t, onBench), "").Prepare()
	if err != nil {
		t.Fatal(err)
	}
	target := s.units[0].target
	if s.Pace != transport.Normal || !s.Ports.All() || target.PerSecond != 100 || target.Open != probe.MaxOpen {
		t.Errorf("pace %q, %d ports, target %+v", s.Pace, len(s.Ports.List), target)
	}
	if want := []netip.AddrPort{netip.MustParseAddrPort("192.168.7.20:8883")}; !slices.Equal(target.Known, want) {
		t.Errorf("known = %v", target.Known)
	}
	if got := s.RunID(); got != "lock_20260601T120000Z" {
		t.Errorf("run = %q", got)
	}
	local, err := order(parsed(t, "device: {id: lock, addresses: [127.9.9.9]}\n"), "").Prepare()
	if err != nil || local.Pace != transport.Bench || local.PortTime() != 0 {
		t.Errorf("on loopback: pace %q, %v", local.Pace, err)
	}
	consented := order(parsed(t, onBench), "")
	consented.Effect, consented.Consent = probe.Disruptive, "A. Boss, lab 2"
	if _, err := consented.Prepare(); err != nil {
		t.Errorf("with consent on the command line: %v", err)
	}
}

// A preview names every probe with its bound, and says what stands in the way.
func TestPreview(t *testing.T) {
	o := order(parsed(t, onBench), "")
	o.Profiles = shipped(t)
	s, err := o.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	p := s.Preview()
	if len(p.Probes) != len(s.Plan) || len(p.Requirements) < 78 || p.Ports != 65535 {
		t.Fatalf("%d probes, %d requirements, %d ports", len(p.Probes), len(p.Requirements), p.Ports)
	}
	for _, pr := range p.Probes {
		if (pr.Bound.Bytes > 0) != (pr.Bound.Connections > 0) || pr.Bound.Time <= 0 || pr.Kind == "" || pr.Allowed != (pr.Effect == "passive" || pr.Effect == "active") {
			t.Errorf("probe %+v", pr)
		}
	}
	for _, r := range p.Requirements {
		if r.CanDecide != r.Lacks.IsZero() {
			t.Errorf("%s: can decide %t, lacks %q", r.ID, r.CanDecide, r.Lacks)
		}
	}
}

// Over UDP the declared ports are asked, the standard ones, and a short list of
// the operator; never those of the machine itself.
func TestDatagramPorts(t *testing.T) {
	f, err := device.Parse("a.yaml", []byte("device: {id: a, addresses: [127.64.0.1], host_udp_ports: [5684]}\nixit: {soft_serv: [{id: c, udp: [61616, 5683]}]}\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]uint16{"7,9": {7, 9, 5683, 61616}, "all": {5683, 61616}} {
		ports, err := ParsePorts(name)
		if err != nil {
			t.Fatal(err)
		}
		s := Session{Order: Order{Ports: ports}}
		if got := s.datagramPorts(f); !slices.Equal(got, want) {
			t.Errorf("--ports %s: %v, want %v", name, got, want)
		}
	}
}
