package harness

import (
	"net/netip"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/result"
)

// looks is how often a probe looks at what a check may fail on.
const looks = 2

// surfaces draws the network side of every unit of which something was looked
// at. What a probe could not see is left out; its record says so.
func surfaces(log evidence.Log) []result.Surface {
	said := readDeclaration(log)
	var list []result.Surface
	for _, unit := range log.Units() {
		s := result.Surface{Unit: unit, Searches: []result.Search{}, Listeners: []result.Listener{}}
		addTCP(&s, log, said)
		addUDP(&s, log, said)
		addTLS(&s, log)
		if len(s.Searches)+len(s.Listeners) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// seenBy returns what a probe brought of a unit, complete or not.
func seenBy[E any](p *probe.Probe[E], unit string, log evidence.Log) (e E, ok bool) {
	r, err := log.Find(unit, p.Name)
	if err != nil || !r.HasData() {
		return e, false
	}
	page, err := p.Open(r)
	if err != nil {
		return e, false
	}
	e, ok = page.Value.(E)
	return e, ok
}

// readDeclaration returns what the manufacturer declares, the zero value if
// that is nothing. It speaks of the model, so of every unit.
func readDeclaration(log evidence.Log) declaration.Evidence {
	e, _ := seenBy(declaration.Probe, evidence.DUT, log)
	return e
}

func addTCP(s *result.Surface, log evidence.Log, said declaration.Evidence) {
	ports, ok := seenBy(tcpports.Probe, s.Unit, log)
	if !ok {
		return
	}
	for _, a := range ports.Addrs {
		s.Searches = append(s.Searches, result.Search{
			Endpoint: "tcp/" + a.String(), Tried: ports.Tried, Open: openAt(ports.Open, a),
			Closed: countAt(ports.Closed, a), Silent: countAt(ports.Silent, a), Unsettled: countAt(ports.Mixed, a), LeftOut: hostAt(ports.Host, a),
		})
	}
	spoken := spokenAt(s.Unit, log)
	for _, p := range ports.Open {
		l := result.Listener{Endpoint: evidence.TCP(p.Addr).Name, Seen: p.Seen, Looks: looks, Declared: declaredTCP(said, p.Addr.Port())}
		if sp, ok := spoken[p.Addr]; ok {
			l.Protocol, l.Secured = string(sp.Protocol), sp.TLS
			if sp.Protocol == services.Unidentified && sp.TLS != evidence.Yes {
				l.Secured = evidence.Unknown // who is not understood may encrypt
			}
		}
		s.Listeners = append(s.Listeners, l)
	}
}

func openAt(ports []tcpports.Port, a netip.Addr) int {
	n := 0
	for _, p := range ports {
		if p.Addr.Addr() == a {
			n++
		}
	}
	return n
}

func hostAt(host []netip.AddrPort, a netip.Addr) int {
	n := 0
	for _, p := range host {
		if p.Addr() == a {
			n++
		}
	}
	return n
}

func countAt(ranges []tcpports.Range, a netip.Addr) int {
	n := 0
	for _, r := range ranges {
		if r.Addr == a {
			n += int(r.Last) - int(r.First) + 1
		}
	}
	return n
}

func spokenAt(unit string, log evidence.Log) map[netip.AddrPort]services.Service {
	found := map[netip.AddrPort]services.Service{}
	e, _ := seenBy(services.Probe, unit, log)
	for _, s := range e.Services {
		found[s.Addr] = s
	}
	return found
}

func declaredTCP(said declaration.Evidence, port uint16) evidence.Tri {
	return isDeclared(said, port, func(s declaration.Service) []uint16 { return s.TCP })
}

// isDeclared reports whether a port is declared for a service that is enabled.
func isDeclared(said declaration.Evidence, port uint16, ports func(declaration.Service) []uint16) evidence.Tri {
	if said.Listed != evidence.Yes {
		return evidence.Unknown
	}
	best := evidence.No
	for _, s := range said.Services {
		if !slices.Contains(ports(s), port) {
			continue
		}
		if s.Enabled == evidence.Yes {
			return evidence.Yes
		}
		if s.Enabled == evidence.Unknown {
			best = evidence.Unknown
		}
	}
	return best
}
