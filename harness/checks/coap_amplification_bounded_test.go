package checks

import (
	"fmt"
	"slices"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/verdict"
)

// drew changes how large the answers of a resource were in the rounds, in
// multiples of the request.
func drew(v coapread.Visit, resource int, non bool, times ...int) coapread.Visit {
	for i, n := range times {
		x := &v.Rounds[i].Reads[resource].Get.Exchange
		if non {
			x = &v.Rounds[i].Reads[resource].Non.Exchange
		}
		x.Response = n * x.Request
	}
	return v
}

// inBlocks makes the answers of a resource one block of several.
func inBlocks(v coapread.Visit, resource, blocks int) coapread.Visit {
	for i := range v.Rounds {
		x := &v.Rounds[i].Reads[resource].Get.Exchange
		x.Block, x.Blocks = evidence.Yes, blocks
	}
	return v
}

func TestCoAPAmplificationBounded(t *testing.T) {
	small := func() coapread.Visit { return inClear("+ttr", "+ttr") }
	withHolder := func(v coapread.Visit) []coapread.Visit {
		return append([]coapread.Visit{v}, behindDTLS("+ttt", "+ttt")...)
	}
	one := func(v coapread.Visit) []coapread.Visit { return []coapread.Visit{v} }
	tests := []struct {
		name    string
		visits  []coapread.Visit
		want    verdict.Verdict
		advised bool
	}{
		{"small", one(small()), verdict.Pass, false},
		{"at_the_bound", one(drew(small(), 0, false, 10, 10)), verdict.Pass, true},
		{"listing_is_large", one(drew(small(), 0, false, 11, 12)), verdict.Fail, false},
		{"large_without_acknowledgement", one(drew(small(), 1, true, 30, 11)), verdict.Fail, false},
		{"large_once", one(drew(small(), 1, true, 30, 2)), verdict.Inconclusive, false},
		{"large_once_the_second_time", one(drew(small(), 1, true, 2, 30)), verdict.Inconclusive, false},
		{"worth_a_remark", one(drew(small(), 1, false, 4, 5)), verdict.Pass, true},
		{"in_blocks", one(inBlocks(drew(small(), 1, false, 20, 20), 1, 3)), verdict.Inconclusive, false},
		{"in_one_block", one(inBlocks(drew(small(), 1, false, 20, 20), 1, 1)), verdict.Fail, false},
		{"not_answered", one(inClear("+tnn", "+tnn")), verdict.Pass, false},
		{"silent", one(inClear("+tsn", "+tsn")), verdict.Inconclusive, false},
		{"large_beside_silence", one(drew(inClear("+tsn", "+tsn"), 0, false, 20, 20)), verdict.Fail, false},
		{"asked_once", one(inClear("+ttt")), verdict.Inconclusive, false},
		{"listing_refused", one(unlisted(small(), 'r')), verdict.Inconclusive, false},
		{"listing_refused_and_read_by_the_holder", withHolder(unlisted(small(), 'r')), verdict.Pass, false},
		{"listing_not_answered", one(unlisted(small(), 's')), verdict.Inconclusive, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			read := readCoAP(t, tt.visits...)
			d := decided(t, coapAmplificationBounded, tt.want, append(coapBoth(t), read)...)
			if got := !d.Items[0].Advisory.IsZero(); got != tt.advised {
				t.Errorf("advised = %t: %q", got, d.Items[0].Advisory)
			}
			everyCoAPSurface(t, coapAmplificationBounded, tt.want, read)
		})
	}
	withoutCoAP(t, coapAmplificationBounded)
	t.Run("inside_alone", func(t *testing.T) {
		decided(t, coapAmplificationBounded, verdict.NotApplicable, append(udpSurface(t, udpDTLS), readCoAP(t, behindDTLS("+ttt", "+ttt")...))...)
	})
}

// The ratio is a parameter.
func TestCoAPAmplificationRatio(t *testing.T) {
	records := append(coapBoth(t), readCoAP(t, drew(inClear("+ttr", "+ttr"), 1, false, 4, 4)))
	for ratio, want := range map[int]verdict.Verdict{3: verdict.Fail, 4: verdict.Pass} {
		d, defects := check.Judge(coapAmplificationBounded, check.With{"ratio": ratio}, records)
		if d.Verdict != want || len(defects) > 0 {
			t.Errorf("verdict with ratio %d = %s, want %s; %v", ratio, d.Verdict, want, defects)
		}
	}
}

// TestCoAPChecksNeverPassOnSilence runs checks of CoAP over every short script, and
// expects that none breaks and that none passes on silence.
func TestCoAPChecksNeverPassOnSilence(t *testing.T) {
	said := checktest.Record(t, declaration.Probe, coapSays(evidence.Yes, evidence.No))
	all := []check.Check{coapEndpointEncrypted, coapReadAuthenticated, coapNoPlaintextSideDoor, coapAmplificationBounded}
	for _, first := range "ters4nxcbo" {
		for _, second := range "ters4nxcbo" {
			script := fmt.Sprintf("+t%c%c", first, second)
			records := append(coapBoth(t), said, readCoAP(t, append([]coapread.Visit{inClear(script, script)}, behindDTLS("+ttt", "+ttt")...)...))
			for _, c := range all {
				d := checktest.Decide(t, c, records...)
				complete(t, d)
				if silent := slices.Contains([]rune(script), 's'); silent && d.Verdict == verdict.Pass {
					t.Errorf("%s passes on %q", c.ID, script)
				}
			}
		}
	}
}
