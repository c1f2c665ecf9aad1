package checks

import (
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/verdict"
)

// withSecret puts a secret of a class into what was read of the last resource in
// one round.
func withSecret(v coapread.Visit, round int, class evidence.SecretClass) coapread.Visit {
	reads := v.Rounds[round].Reads
	reads[len(reads)-1].Secrets = []coapread.Found{{Name: evidence.Bytes("pin"), Secret: evidence.Secret{Class: class, Length: 14}}}
	return v
}

func TestCoAPReadAuthenticated(t *testing.T) {
	const yes, no, unknown = evidence.Yes, evidence.No, evidence.Unknown
	sound := func(rounds ...string) []coapread.Visit {
		return append([]coapread.Visit{inClear(rounds...)}, behindDTLS("+ttt", "+ttt")...)
	}
	alone := func(rounds ...string) []coapread.Visit { return []coapread.Visit{inClear(rounds...)} }
	secret := func(second evidence.SecretClass, rounds ...string) []coapread.Visit {
		v := withSecret(inClear(rounds...), 0, "pin")
		if second != "" {
			v = withSecret(v, 1, second)
		}
		return append([]coapread.Visit{v}, behindDTLS("+ttt", "+ttt")...)
	}
	tests := []struct {
		name        string
		temp, owner evidence.Tri // whether the device file says that it is public
		visits      []coapread.Visit
		want        verdict.Verdict
	}{
		{"sensitive_refused", yes, no, sound("+ttr", "+ttr"), verdict.Pass},
		{"sensitive_hidden", yes, no, sound("+tt4", "+tt4"), verdict.Pass},
		{"sensitive_read", yes, no, sound("+ttt", "+ttt"), verdict.Fail},
		{"sensitive_read_once", yes, no, sound("+ttt", "+ttr"), verdict.Inconclusive},
		{"sensitive_read_without_a_log_in_to_compare", yes, no, alone("+ttt", "+ttt"), verdict.Fail},
		{"sensitive_not_answered", yes, no, sound("+ttn", "+ttn"), verdict.Inconclusive},
		{"sensitive_without_a_payload", yes, no, sound("+tte", "+tte"), verdict.Inconclusive},
		{"refused_to_everybody", yes, no, append(alone("+ttr", "+ttr"), behindDTLS("+ttr", "+ttr")...), verdict.Inconclusive},
		{"refused_and_no_log_in", yes, no, alone("+ttr", "+ttr"), verdict.Inconclusive},
		{"refused_and_the_log_in_is_wrong", yes, no, append(alone("+ttr", "+ttr"), behindDTLS("?", "?")...), verdict.Inconclusive},
		{"readable_and_nobody_declared_it", yes, unknown, sound("+ttt", "+ttt"), verdict.Inconclusive},
		{"refused_and_nobody_declared_it", yes, unknown, sound("+ttr", "+ttr"), verdict.Pass},
		{"all_public", yes, yes, sound("+ttt", "+ttt"), verdict.Pass},
		{"secret_in_what_is_public", yes, yes, secret("pin", "+ttt", "+ttt"), verdict.Fail},
		{"secret_once", yes, yes, secret("", "+ttt", "+ttt"), verdict.Inconclusive},
		{"another_secret_the_second_time", yes, yes, secret("token", "+ttt", "+ttt"), verdict.Inconclusive},
		{"inside_alone", yes, no, behindDTLS("+ttt", "+ttt"), verdict.Pass},
		{"inside_and_nobody_let_in", yes, no, behindDTLS("!", "!"), verdict.Inconclusive},
		{"inside_and_silent", yes, no, []coapread.Visit{visited(coapDTLS, coapread.Stranger, "?", "?")}, verdict.Inconclusive},
		{"inside_for_strangers", yes, no, []coapread.Visit{visited(coapDTLS, coapread.Stranger, "+ttt", "+ttt")}, verdict.Fail},
		{"listing_not_read", yes, no, append([]coapread.Visit{unlisted(inClear("+ttr", "+ttr"), 's')}, withoutListing(behindDTLS("+ttt", "+ttt"))...), verdict.Inconclusive},
		{"listing_read_by_the_holder", yes, no, append([]coapread.Visit{unlisted(inClear("+ttr", "+ttr"), 's')}, behindDTLS("+ttt", "+ttt")...), verdict.Pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			read, said := readCoAP(t, tt.visits...), checktest.Record(t, declaration.Probe, coapSays(tt.temp, tt.owner))
			decided(t, coapReadAuthenticated, tt.want, append(coapBoth(t), read, said)...)
			everyCoAPSurface(t, coapReadAuthenticated, tt.want, read, said)
		})
	}
	withoutCoAP(t, coapReadAuthenticated, checktest.Record(t, declaration.Probe, coapSays(yes, no)))
}

func withoutListing(visits []coapread.Visit) []coapread.Visit {
	for i := range visits {
		visits[i] = unlisted(visits[i], 's')
	}
	return visits
}

// Without a declaration and a listing no resource is known.
func TestCoAPReadWithoutResources(t *testing.T) {
	e := coapread.Evidence{Patterns: 1, Visits: []coapread.Visit{inClear("+t", "+t")}, Resources: []coapread.Resource{{Path: []byte(coapread.Core)}}}
	d := decided(t, coapReadAuthenticated, verdict.Inconclusive, append(coapBoth(t), checktest.Record(t, coapread.Probe, e), checktest.Record(t, declaration.Probe, declared()))...)
	if d.Items[0].Next.String() != "list the resources of the server in the device file under coap.resources, and run again" {
		t.Errorf("next = %q", d.Items[0].Next)
	}
}

func TestCoAPItemsAreByResource(t *testing.T) {
	d := decided(t, coapReadAuthenticated, verdict.Fail, append(coapBoth(t), readCoAP(t, inClear("+ttt", "+ttt")), checktest.Record(t, declaration.Probe, coapSays(evidence.Yes, evidence.No)))...)
	sameVerdicts(t, d.Items, map[string]verdict.Verdict{"udp/5683#/temp": verdict.Pass, "udp/5683#/owner": verdict.Fail})
}
