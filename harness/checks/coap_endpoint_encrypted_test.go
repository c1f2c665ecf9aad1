package checks

import (
	"slices"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/coapwrite"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestCoAPEndpointEncrypted(t *testing.T) {
	plain := func(rounds ...string) []coapread.Visit { return []coapread.Visit{inClear(rounds...)} }
	both := func(holder string, rounds ...string) []coapread.Visit {
		return append(plain(rounds...), behindDTLS(holder, holder)...)
	}
	tests := []struct {
		name   string
		visits []coapread.Visit
		want   verdict.Verdict
		text   string
	}{
		{"served_in_clear", plain("+ttr", "+ttr"), verdict.Fail, "/temp answered in clear with 4 bytes"},
		{"served_once", plain("+ttr", "+trr"), verdict.Inconclusive, ""},
		{"served_inside_and_in_clear", both("+ttt", "+trt", "+trt"), verdict.Fail, "/owner"},
		{"listing_alone", plain("+trr", "+trr"), verdict.Pass, "2 resources were asked for"},
		{"not_answered_besides_dtls", []coapread.Visit{unlisted(inClear("+nnn", "+nnn"), 'r'), behindDTLS("+ttt", "+ttt")[0], behindDTLS("+ttt", "+ttt")[1]}, verdict.Pass, ""},
		{"nothing_serves", []coapread.Visit{unlisted(inClear("+rrr", "+rrr"), 'r')}, verdict.Inconclusive, "nothing shows that the server serves"},
		{"without_a_payload", plain("+ter", "+ter"), verdict.Inconclusive, "without a payload"},
		{"silent", plain("+tsr", "+tsr"), verdict.Inconclusive, ""},
		{"oscore", plain("+tor", "+tor"), verdict.Inconclusive, ""},
		{"asked_once", plain("+trr"), verdict.Inconclusive, ""},
		{"listing_not_read", []coapread.Visit{unlisted(inClear("+trr", "+trr"), 't')}, verdict.Inconclusive, "not every resource"},
		{"no_round", plain(), verdict.Inconclusive, ""},
		{"inside_alone", behindDTLS("+ttt", "+ttt"), verdict.Pass, "no UDP or TCP port spoke CoAP in clear"},
		{"inside_and_nobody_let_in", behindDTLS("!", "!"), verdict.Inconclusive, ""},
		{"inside_for_strangers", []coapread.Visit{visited(coapDTLS, coapread.Stranger, "+ttt", "+ttt")}, verdict.Pass, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			read := readCoAP(t, tt.visits...)
			d := decided(t, coapEndpointEncrypted, tt.want, append(coapBoth(t), read)...)
			if !slices.ContainsFunc(d.Items, func(i check.Item) bool { return strings.Contains(i.Why.String(), tt.text) }) {
				t.Errorf("items = %+v", d.Items)
			}
			everyCoAPSurface(t, coapEndpointEncrypted, tt.want, read)
		})
	}
	withoutCoAP(t, coapEndpointEncrypted)
}

// A write that took effect in clear fails what was not readable.
func TestCoAPWrittenInClear(t *testing.T) {
	write := func(n int, by coapread.Reader) evidence.Record {
		r := coapwrite.Resource{Path: []byte("/owner"), Format: -1}
		for range n {
			r.Attempts = append(r.Attempts, coapwrite.Attempt{Actor: coapwrite.Actor{Door: coapClear, Reader: by}, Changed: evidence.Yes})
		}
		return checktest.Record(t, coapwrite.Probe, coapwrite.Evidence{Resources: []coapwrite.Resource{r}})
	}
	read := append(coapBoth(t), readCoAP(t, inClear("+trr", "+trr")))
	decided(t, coapEndpointEncrypted, verdict.Fail, append(slices.Clone(read), write(2, coapread.Stranger))...)
	decided(t, coapEndpointEncrypted, verdict.Inconclusive, append(slices.Clone(read), write(1, coapread.Stranger))...)
	decided(t, coapEndpointEncrypted, verdict.Pass, append(slices.Clone(read), write(2, coapread.Holder))...)
}
