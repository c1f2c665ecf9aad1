package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

var tlsForwardSecrecy = register(check.Check{
	ID:     "tls.forward-secrecy",
	Title:  "Each TLS server offers forward secrecy",
	Remedy: "Offer TLS 1.3, or suites with ECDHE in TLS 1.2, and prefer them",
	Needs:  tlsSurface(),
	Decide: func(in check.In) []check.Item {
		return overTLS(in.DUT, func(l tlsListener) []check.Item { return []check.Item{l.forwardSecrecy()} })
	},
})

// forwardSecrecy judges the suites that were chosen. An anonymous key exchange is
// no offer: whoever stands in between takes part in it.
func (l tlsListener) forwardSecrecy() check.Item {
	secret := l.suites(func(s tlsserver.Suite) bool { return s.ForwardSecret == evidence.Yes && !s.Has(tlsserver.Anonymous) })
	static := l.suites(func(s tlsserver.Suite) bool { return s.Has(tlsserver.StaticRSA) })
	switch {
	case len(secret) > 0:
		item := check.Pass(l.at(), msg.T("it chose {suites}", "suites", named(secret[:1])), cited(secret[:1])...)
		if len(static) > 0 {
			return check.Advise(item, msg.T("accepted as well, without forward secrecy: {suites}", "suites", named(static)))
		}
		return item
	case !l.Enumerated():
		return l.undecided(msg.T("the list of its suites is not complete, and none with forward secrecy is on it"), msg.T("run again with --pace gentle"), l.ref("versions"))
	case l.keyless():
		return check.NotApplicable(l.at(), msg.T("it took only suites with pre-shared keys"), l.ref("versions"))
	case !turnedForwardAway(l.ForwardOnly):
		return l.undecided(msg.T("hellos with nothing but forward secrecy were taken differently"), msg.T("run again"), l.ref("forward_only"))
	}
	return check.Fail(l.at(), msg.T("it took {n} suites, none of them with forward secrecy, and turned two hellos away that offered nothing else", "n", len(l.suites(func(tlsserver.Suite) bool { return true }))),
		append([]evidence.Ref{l.ref("forward_only"), l.ref("versions")}, l.controls()...)...)
}

func turnedForwardAway(tries []tlsserver.Try) bool {
	return len(tries) >= 2 && !slices.ContainsFunc(tries, func(t tlsserver.Try) bool { return !t.Refused() })
}
