package tlsserver

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
)

// A listener is called by the names that are declared for its port, each once
// and not too many, and by nothing that is no host name.
func TestDeclaredNames(t *testing.T) {
	text := func(names ...declaration.Text) []declaration.Text { return names }
	rows := []declaration.Service{
		{TCP: []uint16{80, 443}, ServerNames: text("a.example", "192.0.2.1", "not a name", "")},
		{TCP: []uint16{8443}, ServerNames: text("other.example")},
		{TCP: []uint16{443}, ServerNames: text("a.example", "b.example", "c.example", "d.example", "e.example")},
	}
	for port, want := range map[uint16][]Name{
		443: {"a.example", "b.example", "c.example", "d.example"}, 80: {"a.example"}, 8443: {"other.example"}, 22: nil,
	} {
		view := evidence.NewView(evidence.DUT, map[string]evidence.Page{declaration.Probe.Name: {Value: declaration.Evidence{Services: rows}}})
		k := &look{Listener: Listener{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)}, asker: &asker{in: probe.Input{Evidence: view}}}
		if got := k.declaredNames(); !slices.Equal(got, want) {
			t.Errorf("names at %d = %q, want %q", port, got, want)
		}
	}
}
