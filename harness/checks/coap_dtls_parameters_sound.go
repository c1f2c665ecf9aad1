package checks

import (
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

var coapDTLSParametersSound = register(check.Check{
	ID:     "coap.dtls-parameters-sound",
	Title:  "DTLS servers accept version 1.2 or newer only, and no broken suite",
	Remedy: "Switch off DTLS 1.0 and the suites with NULL, export or RC4 encryption and without authentication",
	Needs:  dtlsSurface(),
	Decide: func(in check.In) []check.Item {
		return overDTLS(in.DUT, func(l dtlsListener) []check.Item { return []check.Item{l.parameters()} })
	},
})

// parameters judges versions and suites. What counts is what was selected and
// followed by the rest of a flight, in two exchanges.
func (l dtlsListener) parameters() check.Item {
	broken := l.suites(tlsserver.NoEncryption, tlsserver.Anonymous, tlsserver.Export, tlsserver.RC4)
	old, oldRef := l.version(dtlsserver.DTLS10)
	var proven, once []tlsSuite
	for _, s := range broken {
		if s.Seen >= 2 {
			proven = append(proven, s)
		} else {
			once = append(once, s)
		}
	}
	switch {
	case len(proven) > 0 && old.Seen >= 2:
		return check.Fail(l.at(), msg.T("it chose DTLS 1.0, and these suites, in two exchanges each: {suites}", "suites", named(proven)), append(cited(proven), oldRef)...)
	case len(proven) > 0:
		return check.Fail(l.at(), msg.T("it chose in two exchanges: {suites}", "suites", named(proven)), cited(proven)...)
	case old.Seen >= 2:
		return check.Fail(l.at(), msg.T("it chose DTLS 1.0 in {n} exchanges", "n", old.Seen), oldRef)
	case len(once) > 0:
		return check.Inconclusive(l.at(), msg.T("it chose in one exchange: {suites}", "suites", named(once)), msg.T("run again"), cited(once)...)
	case old.Seen > 0:
		return check.Inconclusive(l.at(), msg.T("it chose DTLS 1.0 in one exchange"), msg.T("run again"), oldRef)
	}
	if item, lacking := l.lacks(); lacking {
		return item
	}
	item := check.Pass(l.at(), msg.T("it took {n} suites of DTLS 1.2, none of them NULL, anonymous, export or RC4, and turned DTLS 1.0 and all other suites away between hellos that it answered", "n", l.taken(dtlsserver.DTLS12)),
		append([]evidence.Ref{l.ref("versions")}, l.controls()...)...)
	if weak := l.suites(tlsserver.StaticRSA, tlsserver.CBC); len(weak) > 0 {
		return check.Advise(item, msg.T("accepted, with static RSA or in CBC mode: {suites}", "suites", named(weak)))
	}
	return item
}

// version returns what was seen of a version, and where it says how often.
func (l dtlsListener) version(code tlsserver.Code) (dtlsserver.Version, evidence.Ref) {
	for i, v := range l.Versions {
		if v.Code == code {
			return v, l.ref("versions/%d/seen", i)
		}
	}
	return dtlsserver.Version{}, l.ref("versions")
}

// taken counts the suites of a version that were taken.
func (l dtlsListener) taken(code tlsserver.Code) int {
	v, _ := l.version(code)
	n := 0
	for _, o := range v.Offers {
		n += len(o.Suites)
	}
	return n
}
