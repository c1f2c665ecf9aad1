package checks

import (
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/coapcredentials"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
)

var coapPSKDefaultsRefused = register(check.Check{
	ID:     "coap.psk-defaults-refused",
	Title:  "No tried PSK identity and key of the list is accepted over DTLS",
	Remedy: "Give each unit an identity and a random key of its own, and take the examples of the stack out of the product",
	Needs:  dtlsSurface(coapcredentials.Probe),
	Params: defaultsParams{List: string(coapcredentials.Defaults), MaxPairs: 12, MinTried: 2},
	Decide: decidePSKDefaultsRefused,
})

func decidePSKDefaultsRefused(in check.In) []check.Item {
	e, p := coapcredentials.Probe.From(in.DUT), check.Params[defaultsParams](in)
	return overDTLS(in.DUT, func(l dtlsListener) []check.Item {
		i := slices.IndexFunc(e.Doors, func(d coapcredentials.Door) bool { return d.Addr == l.Addr })
		if i < 0 {
			return []check.Item{check.Inconclusive(l.at(), msg.T("no pair was tried there"), msg.T("run again"), coapcredentials.Probe.At(in.DUT, "/doors"))}
		}
		ref := func(field string) evidence.Ref { return coapcredentials.Probe.At(in.DUT, "/doors/%d/%s", i, field) }
		return []check.Item{pskAt(l, e.Doors[i], e, p, ref)}
	})
}

// pskAt judges one listener. A pair that was let in twice fails unless a random
// one may have been let in as well: that handshakes with those came to nothing, by
// an alert or by silence, is enough here, as a completed one shows that the server
// holds the very key. To pass, every pair has to be refused by an alert.
func pskAt(l dtlsListener, d coapcredentials.Door, e coapcredentials.Evidence, p defaultsParams, ref func(string) evidence.Ref) check.Item {
	at, t := l.at(), pskTally(d, p)
	inside := countPSK(d.Random, coapcredentials.Accepted, coapcredentials.Unproven)
	outside := len(d.Random) >= 2 && countPSK(d.Random, coapcredentials.Refused, coapcredentials.Silent) == len(d.Random)
	switch {
	case d.Stopped == coapcredentials.NoKeys && l.Enumerated() && l.modernKnown():
		return check.NotApplicable(at, msg.T("it took no suite with a pre-shared key"), l.ref("versions"), ref("stopped"))
	case inside > 0:
		return check.Inconclusive(at, msg.T("a random pair was accepted too ({n} of {all}), so that no pair means anything", "n", inside, "all", len(d.Random)),
			msg.T("have the server look at the identity and the key, and run again"), ref("random"))
	case d.Stopped == coapcredentials.NoKeys, d.Stopped == coapcredentials.NoSuite:
		return check.Inconclusive(at, msg.T("no handshake by a pre-shared key could be made ({why})", "why", string(d.Stopped)),
			msg.T("have the server take a suite such as TLS_PSK_WITH_AES_128_CCM_8 in DTLS 1.2, and run again"), ref("stopped"))
	case t.twice > 0 && outside:
		return check.Fail(at, msg.T("the listed pair of identity {identity} was accepted twice and a request answered inside, and random pairs were not ({random})", "identity", string(t.identity), "random", pskOutcomes(d.Random)), ref("tries"), ref("random"))
	case t.twice+t.once > 0 && !outside:
		return check.Inconclusive(at, msg.T("the listed pair of identity {identity} was accepted, and how random ones are taken was not seen ({random})", "identity", string(t.identity), "random", pskOutcomes(d.Random)),
			msg.T("run again"), ref("tries"), ref("random"))
	case t.once > 0:
		return check.Inconclusive(at, msg.T("the listed pair of identity {identity} was accepted in one of two tries", "identity", string(t.identity)), msg.T("run again"), ref("tries"))
	}
	return pskRefused(at, d, e, p, t, ref)
}

// pskRefused passes if enough pairs were answered and all of these refused.
func pskRefused(at evidence.Endpoint, d coapcredentials.Door, e coapcredentials.Evidence, p defaultsParams, t pskTallied, ref func(string) evidence.Ref) check.Item {
	switch {
	case p.List != string(e.List):
		return check.Inconclusive(at, msg.T("list {list} was not tried", "list", p.List), msg.T("name list {list} in the profile", "list", string(e.List)), ref("tries"))
	case d.Before.Outcome != coapcredentials.Accepted || d.After.Outcome != coapcredentials.Accepted:
		return check.Inconclusive(at, msg.T("{n} of {all} pairs were refused, and no good pair before and after showed that anybody is let in", "n", t.refused, "all", e.Listed),
			msg.T("give a log-in with service coap in the device file, its user the PSK identity and its password the key"), ref("login_before"), ref("login_after"))
	case d.Stopped != coapcredentials.GoneThrough:
		return check.Inconclusive(at, msg.T("it was tried no further after {n} pairs ({why})", "n", t.refused, "why", string(d.Stopped)), msg.T("run again later"), ref("stopped"))
	case t.lost > 0:
		return check.Inconclusive(at, msg.T("{n} of {all} pairs were met by no alert, which says nothing of them", "n", t.lost, "all", e.Listed),
			msg.T("have the server send an alert for an unknown identity and a wrong key, and run again"), ref("tries"))
	case t.refused < p.MinTried:
		return check.Inconclusive(at, msg.T("{n} of {all} pairs were tried, at least {min} are needed", "n", t.refused, "all", e.Listed, "min", p.MinTried), msg.T("run again: the budget of log-ins is per run"), ref("tries"))
	}
	return check.Pass(at, msg.T("{n} of {all} pairs were tried, all were answered and all refused", "n", t.refused, "all", e.Listed),
		ref("tries"), ref("random"), ref("login_before"), ref("login_after"))
}

// modernKnown reports whether DTLS 1.3, whose keys are agreed on otherwise, was
// turned away.
func (l dtlsListener) modernKnown() bool {
	v, _ := l.version(dtlsserver.DTLS13)
	return v.Seen == 0 && v.Enumerated()
}

// pskTallied counts how the pairs were taken.
type pskTallied struct {
	refused, twice, once, lost int
	identity                   coapcredentials.IdentityName // of the first one that was accepted
}

func pskTally(d coapcredentials.Door, p defaultsParams) pskTallied {
	var t pskTallied
	for _, try := range d.Tries {
		in := try.First.Outcome == coapcredentials.Accepted
		switch {
		case try.Place > p.MaxPairs || try.First.Outcome == coapcredentials.NotTried:
		case in && try.Again.Outcome == coapcredentials.Accepted:
			if t.twice++; t.twice == 1 {
				t.identity = try.Identity
			}
		case in:
			if t.once++; t.twice == 0 {
				t.identity = try.Identity
			}
		case try.First.Outcome == coapcredentials.Refused:
			t.refused++
		default:
			t.lost++
		}
	}
	return t
}

// countPSK counts the answers with one of the outcomes.
func countPSK(answers []coapcredentials.Answer, outcomes ...coapcredentials.Outcome) int {
	n := 0
	for _, a := range answers {
		if slices.Contains(outcomes, a.Outcome) {
			n++
		}
	}
	return n
}

func pskOutcomes(answers []coapcredentials.Answer) string {
	var names []string
	for _, a := range answers {
		names = append(names, string(a.Outcome))
	}
	return strings.Join(names, ", ")
}
