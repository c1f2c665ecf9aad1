package checks

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapobserve"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/verdict"
)

// watchedBy is one registration: "3" brought three notifications, "0" none, "p"
// was answered as if it were none, others as tookBy has them.
func watchedBy(letter rune) coapobserve.Watched {
	o := coapobserve.Watched{Path: []byte("/owner"), Registered: evidence.No, Register: tookBy(letter).Exchange, First: coapread.Notification{Sequence: -1}}
	switch {
	case letter >= '0' && letter <= '3':
		o.Registered, o.Notifications, o.Waited = evidence.Yes, int(letter-'0'), time.Minute
		o.Register = tookBy('t').Exchange
		o.Register.Observe = evidence.Yes
	case letter == 'p':
		o.Register = tookBy('t').Exchange
	case letter == '!':
		o.Register.Outcome = coapread.Refused
	}
	return o
}

// observed is the record of a stranger in clear and the holder, one letter a
// round.
func observed(t *testing.T, stranger, holder string) evidence.Record {
	t.Helper()
	visit := func(d coapread.Door, who coapread.Reader, script string) coapobserve.Visit {
		v := coapobserve.Visit{Door: d, Reader: who}
		for _, letter := range script {
			v.Rounds = append(v.Rounds, coapobserve.Round{Entry: coapread.Answer{Outcome: coapread.Opened}, Resources: []coapobserve.Watched{watchedBy(letter)}})
		}
		return v
	}
	e := coapobserve.Evidence{Visits: []coapobserve.Visit{visit(coapClear, coapread.Stranger, stranger)}}
	if holder != "" {
		e.Visits = append(e.Visits, visit(coapDTLS, coapread.Holder, holder))
	}
	return checktest.Record(t, coapobserve.Probe, e)
}

func TestCoAPObserveAuthenticated(t *testing.T) {
	const yes, no, unknown = evidence.Yes, evidence.No, evidence.Unknown
	tests := []struct {
		name             string
		public           evidence.Tri
		stranger, holder string
		want             verdict.Verdict
		next             string
	}{
		{"refused", no, "rr", "22", verdict.Pass, ""},
		{"answered_without_observe", no, "pp", "22", verdict.Pass, ""},
		{"alert", no, "!!", "12", verdict.Pass, ""},
		{"holder_notified_once", no, "rr", "20", verdict.Pass, ""},
		{"notified", no, "23", "22", verdict.Fail, ""},
		{"notified_and_no_log_in", no, "11", "", verdict.Fail, ""},
		{"notified_in_two_of_three", no, "101", "", verdict.Fail, ""},
		{"notified_once", no, "10", "22", verdict.Inconclusive, "/owner changes meanwhile"},
		{"first_answer_alone", no, "00", "22", verdict.Inconclusive, "/owner changes meanwhile"},
		{"registered_once", no, "0r", "22", verdict.Inconclusive, ""},
		{"nothing_changed_for_the_holder", no, "rr", "00", verdict.Inconclusive, "/owner changes meanwhile"},
		{"no_log_in", no, "rr", "", verdict.Inconclusive, "give a log-in"},
		{"silent", no, "ss", "22", verdict.Inconclusive, "run again"},
		{"broken", no, "bb", "22", verdict.Inconclusive, "run again"},
		{"asked_once", no, "r", "22", verdict.Inconclusive, "run again"},
		{"public", yes, "22", "22", verdict.NotApplicable, ""},
		{"notified_and_nobody_declared_it", unknown, "22", "22", verdict.Inconclusive, "is public"},
		{"refused_and_nobody_declared_it", unknown, "rr", "22", verdict.Pass, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			read, seen := readCoAP(t, inClear("+ttr", "+ttr")), observed(t, tt.stranger, tt.holder)
			said := checktest.Record(t, declaration.Probe, coapSays(yes, tt.public))
			d := decided(t, coapObserveAuthenticated, tt.want, append(coapBoth(t), read, seen, said)...)
			if next := d.Items[0].Next.String(); !strings.Contains(next, tt.next) {
				t.Errorf("next = %q", next)
			}
			everyCoAPSurface(t, coapObserveAuthenticated, tt.want, read, seen, said)
			onPart(t, coapObserveAuthenticated, tt.want, seen, append(coapBoth(t), read, said)...)
		})
	}
	withoutCoAP(t, coapObserveAuthenticated, checktest.Record(t, coapobserve.Probe, coapobserve.Evidence{}), checktest.Record(t, declaration.Probe, declared()))
}

// Where nothing is observable, nothing is asked; that is only known where the
// listing was read.
func TestCoAPNothingToObserve(t *testing.T) {
	none, said := checktest.Record(t, coapobserve.Probe, coapobserve.Evidence{}), checktest.Record(t, declaration.Probe, declared())
	listed, unread := readCoAP(t, inClear("+ttr", "+ttr")), readCoAP(t, unlisted(inClear("+ttr", "+ttr"), 's'))
	decided(t, coapObserveAuthenticated, verdict.NotApplicable, append(coapBoth(t), listed, none, said)...)
	decided(t, coapObserveAuthenticated, verdict.Inconclusive, append(coapBoth(t), unread, none, said)...)
	decided(t, coapObserveAuthenticated, verdict.Inconclusive, append(udpSurface(t, udpCoAP, udpOdd), listed, none, said)...)
}
