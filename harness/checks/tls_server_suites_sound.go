package checks

import (
	"fmt"
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

var tlsServerSuitesSound = register(check.Check{
	ID:     "tls.server-suites-sound",
	Title:  "TLS servers accept no broken cipher suite",
	Remedy: "Leave only suites with authenticated encryption and a key exchange by (EC)DHE switched on",
	Needs:  tlsSurface(),
	Params: refusedSuites{Refuse: []suiteTrait{"NULL", "anon", "EXPORT", "RC4", "DES", "3DES", "MD5"}},
	Decide: decideServerSuitesSound,
})

// refusedSuites are the traits that no suite may have.
type refusedSuites struct {
	Refuse []suiteTrait `yaml:"refuse"`
}

// suiteTrait is a trait as the evidence knows it.
type suiteTrait tlsserver.Trait

// UnmarshalText refuses a trait that there is not: no suite would have it.
func (s *suiteTrait) UnmarshalText(b []byte) error {
	if *s = suiteTrait(b); !slices.Contains(tlsserver.Traits(), tlsserver.Trait(*s)) {
		return fmt.Errorf("%q is none of the traits %q", b, tlsserver.Traits())
	}
	return nil
}

func decideServerSuitesSound(in check.In) []check.Item {
	refuse := check.Params[refusedSuites](in).Refuse
	return overTLS(in.DUT, func(l tlsListener) []check.Item { return []check.Item{l.suitesWithout(refuse)} })
}

// suitesWithout judges the suites that were chosen. What has a refused trait is
// seen in two exchanges, be it with the same suite or another.
func (l tlsListener) suitesWithout(refuse []suiteTrait) check.Item {
	var proven, once []tlsSuite
	for _, t := range refuse {
		found := l.suites(func(s tlsserver.Suite) bool { return s.Has(tlsserver.Trait(t)) })
		if exchanges(found) >= 2 {
			proven = withMore(proven, found)
		} else {
			once = withMore(once, found)
		}
	}
	switch {
	case len(proven) > 0:
		return check.Fail(l.at(), msg.T("it chose, in two exchanges: {suites}", "suites", named(proven)), cited(proven)...)
	case len(once) > 0:
		return l.undecided(msg.T("it chose, in one exchange: {suites}", "suites", named(once)), msg.T("run again"), cited(once)...)
	case !l.Enumerated():
		return l.undecided(msg.T("the list of its suites is not complete"), msg.T("run again with --pace gentle"), l.ref("versions"))
	}
	all := l.suites(func(tlsserver.Suite) bool { return true })
	item := check.Pass(l.at(), msg.T("it took {n} suites in all its versions together, none of which is to be refused, and turned all others away", "n", len(all)),
		append([]evidence.Ref{l.ref("versions")}, l.controls()...)...)
	if old := l.suites(func(s tlsserver.Suite) bool { return s.HasAny([]tlsserver.Trait{tlsserver.CBC, tlsserver.HMACSHA1}) }); len(old) > 0 {
		return check.Advise(item, msg.T("accepted, in CBC mode or with a MAC of SHA-1: {suites}", "suites", named(old)))
	}
	return item
}

// exchanges counts those in which one of the suites was chosen.
func exchanges(suites []tlsSuite) int {
	n := 0
	for _, s := range suites {
		n += s.Seen
	}
	return n
}

// withMore adds the suites that are not there yet.
func withMore(list, more []tlsSuite) []tlsSuite {
	for _, s := range more {
		if !slices.ContainsFunc(list, func(have tlsSuite) bool { return have.ref == s.ref }) {
			list = append(list, s)
		}
	}
	return list
}
