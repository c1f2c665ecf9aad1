package checks

import (
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapcredentials"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestCoAPPSKDefaultsRefused(t *testing.T) {
	in := coapcredentials.Answer{Outcome: coapcredentials.Accepted, Alert: -1, Inside: coapcredentials.Pong}
	no := coapcredentials.Answer{Outcome: coapcredentials.Refused, Alert: 115}
	mute := coapcredentials.Answer{Outcome: coapcredentials.Silent, Alert: -1}
	never := coapcredentials.Answer{Outcome: coapcredentials.NotTried, Alert: -1}
	hollow := coapcredentials.Answer{Outcome: coapcredentials.Unproven, Alert: -1}
	tried := func(change func(*coapcredentials.Door), firsts ...coapcredentials.Answer) coapcredentials.Door {
		d := coapcredentials.Door{Addr: coaps, Credential: "device", Before: in, After: in, Random: []coapcredentials.Answer{no, no}}
		for i, a := range firsts {
			try := coapcredentials.Try{Place: i + 1, Identity: "Client_identity", First: a, Again: never}
			if a.Outcome == coapcredentials.Accepted {
				try.Again = in
			}
			d.Tries = append(d.Tries, try)
		}
		if change != nil {
			change(&d)
		}
		return d
	}
	random := func(answers ...coapcredentials.Answer) func(*coapcredentials.Door) {
		return func(d *coapcredentials.Door) { d.Random = answers }
	}
	stopped := func(s coapcredentials.Stop) func(*coapcredentials.Door) {
		return func(d *coapcredentials.Door) { d.Stopped = s }
	}
	once := tried(nil, in)
	once.Tries[0].Again = no
	tests := []struct {
		name, says string
		d          coapcredentials.Door
		want       verdict.Verdict
	}{
		{"refused", "2 of 7 pairs were tried, all were answered and all refused", tried(nil, no, no), verdict.Pass},
		{"some_not_tried", "2 of 7 pairs", tried(nil, no, no, never), verdict.Pass},
		{"let_in", "identity Client_identity was accepted twice", tried(nil, no, in), verdict.Fail},
		{"let_in_and_others_met_by_silence", "(silent, silent)", tried(random(mute, mute), in), verdict.Fail},
		{"let_in_without_a_control", "accepted twice", tried(func(d *coapcredentials.Door) { d.Before, d.After = never, never }, in), verdict.Fail},
		{"let_in_and_then_locked", "accepted twice", tried(stopped(coapcredentials.ControlLost), in), verdict.Fail},
		{"let_in_once", "in one of two tries", once, verdict.Inconclusive},
		{"let_in_like_anybody", "so that no pair means anything", tried(random(in, in), in), verdict.Inconclusive},
		{"handshake_like_anybody", "so that no pair means anything", tried(random(hollow, no), in), verdict.Inconclusive},
		{"let_in_and_random_not_seen", "was not seen", tried(random(no), in), verdict.Inconclusive},
		{"nothing_inside", "met by no alert", tried(nil, hollow, no, no), verdict.Inconclusive},
		{"silence", "2 of 7 pairs were met by no alert", tried(nil, mute, mute, no, no), verdict.Inconclusive},
		{"no_control", "give a log-in", tried(func(d *coapcredentials.Door) { d.Before, d.After = never, never }, no, no), verdict.Inconclusive},
		{"control_lost", "no good pair before and after", tried(func(d *coapcredentials.Door) { d.After = mute }, no, no), verdict.Inconclusive},
		{"stopped", "tried no further after 2", tried(stopped(coapcredentials.ControlLost), no, no), verdict.Inconclusive},
		{"too_few", "at least 2 are needed", tried(nil, no), verdict.Inconclusive},
		{"no_common_suite", "no_common_suite", tried(stopped(coapcredentials.NoSuite)), verdict.Inconclusive},
		{"none", "", coapcredentials.Door{Addr: coaps}, verdict.Inconclusive},
	}
	of := func(d ...coapcredentials.Door) evidence.Record {
		return checktest.Record(t, coapcredentials.Probe, coapcredentials.Evidence{List: coapcredentials.Defaults, Version: 2, Listed: 7, Doors: d})
	}
	look := dtlsRecords(t, dtlsLook(pskDTLS(nil)))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := decided(t, coapPSKDefaultsRefused, tt.want, append([]evidence.Record{of(tt.d)}, look...)...)
			if text := d.Items[0].Why.String() + d.Items[0].Next.String(); tt.says != "" {
				says(t, text, tt.says)
			}
			onPart(t, coapPSKDefaultsRefused, tt.want, of(tt.d), look...)
		})
	}
	t.Run("no_keys", func(t *testing.T) {
		records := dtlsRecords(t, dtlsLook(overDTLS12(nil, dtlsOffer(dtlsserver.Certificate, dtlsSuites(1, 0xc0ae)...))))
		decided(t, coapPSKDefaultsRefused, verdict.NotApplicable, append(records, of(tried(stopped(coapcredentials.NoKeys))))...)
		records = dtlsRecords(t, dtlsLook(overDTLS12(func(l *dtlsserver.Listener) { l.Versions[0].Offers = nil })))
		decided(t, coapPSKDefaultsRefused, verdict.Inconclusive, append(records, of(tried(stopped(coapcredentials.NoKeys))))...)
	})
	t.Run("not_visited", func(t *testing.T) {
		decided(t, coapPSKDefaultsRefused, verdict.Inconclusive, append([]evidence.Record{of()}, look...)...)
	})
	t.Run("parameters", func(t *testing.T) {
		for want, w := range map[verdict.Verdict]check.With{verdict.Inconclusive: {"min_tried": 3}, verdict.Pass: {"max_pairs": 2}} {
			d, _ := check.Judge(coapPSKDefaultsRefused, w, append([]evidence.Record{of(tried(nil, no, no, in)), of()}[:1], look...))
			if w["max_pairs"] == nil {
				d, _ = check.Judge(coapPSKDefaultsRefused, w, append([]evidence.Record{of(tried(nil, no, no))}, look...))
			}
			if d.Verdict != want {
				t.Errorf("with %v: %s: %+v", w, d.Verdict, d.Items)
			}
		}
		if d, _ := check.Judge(coapPSKDefaultsRefused, check.With{"list": "another"}, append([]evidence.Record{of(tried(nil, no, no))}, look...)); d.Verdict != verdict.Inconclusive {
			t.Errorf("another list: %s", d.Verdict)
		}
	})
	withoutDTLS(t, coapPSKDefaultsRefused, of())
}
