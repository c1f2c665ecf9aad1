package harness

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/result"
)

// addTLS adds to the listeners which versions and suites each took.
func addTLS(s *result.Surface, log evidence.Log) {
	overTCP, _ := seenBy(tlsserver.Probe, s.Unit, log)
	for _, l := range overTCP.Listeners {
		addVersions(s, evidence.TCP(l.Addr), versionsOf(l))
	}
	overUDP, _ := seenBy(dtlsserver.Probe, s.Unit, log)
	for _, l := range overUDP.Listeners {
		addVersions(s, evidence.UDP(l.Addr), dtlsVersionsOf(l))
	}
}

func addVersions(s *result.Surface, at evidence.Endpoint, versions []result.Version) {
	i := slices.IndexFunc(s.Listeners, func(l result.Listener) bool { return l.Endpoint == at.Name })
	if i >= 0 {
		s.Listeners[i].Versions = versions
	}
}

// versionsOf says of each version whether it was taken. What was turned away
// where a control was lost is not known to be refused.
func versionsOf(l tlsserver.Listener) []result.Version {
	var list []result.Version
	for _, v := range l.Versions {
		out := result.Version{Name: string(v.Name), Accepted: v.Accepts()}
		if out.Accepted == evidence.No && !l.Served() {
			out.Accepted = evidence.Unknown
		}
		for _, suite := range v.Suites {
			out.Suites = append(out.Suites, string(suite.Name))
		}
		list = append(list, out)
	}
	return list
}

func dtlsVersionsOf(l dtlsserver.Listener) []result.Version {
	var list []result.Version
	for _, v := range l.Versions {
		out := result.Version{Name: string(v.Name)}
		switch {
		case v.Seen >= looks:
			out.Accepted = evidence.Yes
		case v.Seen == 0 && v.Enumerated() && l.Served() && l.Cut == dtlsserver.Whole:
			out.Accepted = evidence.No
		}
		for _, o := range v.Offers {
			for _, suite := range o.Suites {
				out.Suites = append(out.Suites, string(suite.Name))
			}
		}
		list = append(list, out)
	}
	return list
}
