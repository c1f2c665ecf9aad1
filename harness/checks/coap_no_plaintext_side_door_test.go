package checks

import (
	"testing"

	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestCoAPNoPlaintextSideDoor(t *testing.T) {
	both := func(holder string, rounds ...string) []coapread.Visit {
		return append([]coapread.Visit{inClear(rounds...)}, behindDTLS(holder, holder)...)
	}
	tests := []struct {
		name   string
		visits []coapread.Visit
		want   verdict.Verdict
	}{
		{"same_in_clear", both("+ttt", "+ttt", "+ttt"), verdict.Fail},
		{"one_of_two_in_clear", both("+ttt", "+trt", "+trt"), verdict.Fail},
		{"in_clear_once", both("+ttt", "+trt", "+trr"), verdict.Inconclusive},
		{"refused_in_clear", both("+ttt", "+trr", "+trr"), verdict.Pass},
		{"not_answered_in_clear", both("+ttt", "+nnn", "+nnn"), verdict.Pass},
		{"silent_in_clear", both("+ttt", "+sss", "+sss"), verdict.Inconclusive},
		{"another_one_in_clear", both("+ttr", "+trt", "+trt"), verdict.Pass},
		{"listing_alone_in_both", both("+trr", "+trr", "+trr"), verdict.Inconclusive},
		{"nobody_let_in", both("!", "+ttt", "+ttt"), verdict.Inconclusive},
		{"no_door_in_clear", behindDTLS("+ttt", "+ttt"), verdict.Pass},
		{"strangers_inside", []coapread.Visit{inClear("+ttt", "+ttt"), visited(coapDTLS, coapread.Stranger, "+ttt", "+ttt")}, verdict.Fail},
		{"read_inside_once", []coapread.Visit{inClear("+ttt", "+ttt"), visited(coapDTLS, coapread.Stranger, "+ttt", "+trr")}, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			read := readCoAP(t, tt.visits...)
			decided(t, coapNoPlaintextSideDoor, tt.want, append(coapBoth(t), read)...)
			everyCoAPSurface(t, coapNoPlaintextSideDoor, tt.want, read)
		})
	}
	withoutCoAP(t, coapNoPlaintextSideDoor)
	t.Run("nothing_inside", func(t *testing.T) {
		decided(t, coapNoPlaintextSideDoor, verdict.NotApplicable, append(udpSurface(t, udpCoAP), readCoAP(t, inClear("+ttt", "+ttt")))...)
	})
}
