package harness

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/result"
)

// addUDP adds the ports that answered. Silence of a UDP port is no sign of
// anything, so it is counted and not listed.
func addUDP(s *result.Surface, log evidence.Log, said declaration.Evidence) {
	e, _ := seenBy(udpservices.Probe, s.Unit, log)
	for _, p := range e.Endpoints {
		search := searchOf(s, "udp/"+p.Addr.Addr().String())
		search.Tried++
		switch {
		case slices.ContainsFunc(p.Asked, spoke):
			search.Open++
			s.Listeners = append(s.Listeners, answeredUDP(p, said))
		case p.State == udpservices.Closed:
			search.Closed++
		case p.State == udpservices.Silent:
			search.Silent++
		default:
			search.Unsettled++
		}
	}
}

// spoke reports whether a question brought an answer, understood or not.
func spoke(a udpservices.Asked) bool { return a.Seen > 0 || a.State == udpservices.Answered }

// searchOf returns the search of an endpoint, a new one if there is none.
func searchOf(s *result.Surface, endpoint string) *result.Search {
	i := slices.IndexFunc(s.Searches, func(x result.Search) bool { return x.Endpoint == endpoint })
	if i < 0 {
		i, s.Searches = len(s.Searches), append(s.Searches, result.Search{Endpoint: endpoint})
	}
	return &s.Searches[i]
}

func answeredUDP(p udpservices.Endpoint, said declaration.Evidence) result.Listener {
	l := result.Listener{
		Endpoint: evidence.UDP(p.Addr).Name, Looks: looks, Protocol: string(p.Protocol), Secured: evidence.No,
		Declared: isDeclared(said, p.Addr.Port(), func(s declaration.Service) []uint16 { return s.UDP }),
	}
	switch p.Protocol {
	case udpservices.DTLS:
		l.Secured = evidence.Yes
	case udpservices.Unidentified:
		l.Secured = evidence.Unknown
	}
	for _, a := range p.Asked {
		l.Seen = max(l.Seen, a.Seen)
	}
	return l
}
