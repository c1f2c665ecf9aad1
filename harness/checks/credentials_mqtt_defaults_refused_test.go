package checks

import (
	"slices"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/credentials"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/verdict"
)

// tried is a door at which pairs were answered in this way, one after the other.
func tried(answers ...mqttconnect.Answer) credentials.Door {
	d := credentials.Door{
		Way: way311, Credential: "app", Before: ansIn, After: ansIn, Anonymous: ansRefused,
		Random: []mqttconnect.Answer{ansRefused, ansRefused},
	}
	for i, a := range answers {
		try := credentials.Try{Place: i + 1, User: "admin", First: a, Again: ansNot}
		if a.Outcome == mqttconnect.Accepted {
			try.Again = ansIn
		}
		d.Tries = append(d.Tries, try)
	}
	return d
}

func door(d credentials.Door, f func(*credentials.Door)) credentials.Door {
	d.Tries = slices.Clone(d.Tries)
	f(&d)
	return d
}

func TestMQTTDefaultsRefused(t *testing.T) {
	spent := mqttconnect.Answer{Outcome: mqttconnect.NotTried, Reason: mqttconnect.BudgetSpent, Code: -1}
	good := tried(ansRefused, ansRefused, spent)
	stopped := func(s credentials.Stop) credentials.Door {
		return door(good, func(d *credentials.Door) { d.Stopped = s })
	}
	random := func(a ...mqttconnect.Answer) func(*credentials.Door) {
		return func(d *credentials.Door) { d.Random = a }
	}
	tests := []struct {
		name string
		seen credentials.Door
		want verdict.Verdict
	}{
		{"all_refused", good, verdict.Pass},
		{"hung_up_between_controls", door(tried(ansClosed, ansClosed), random(ansClosed, ansClosed)), verdict.Pass},
		{"one_accepted", tried(ansRefused, ansIn, ansRefused), verdict.Fail},
		{"one_accepted_and_no_control", door(tried(ansIn), func(d *credentials.Door) { d.Before, d.After = ansNot, ansNot }), verdict.Fail},
		{"accepted_once", door(tried(ansRefused, ansIn), func(d *credentials.Door) { d.Tries[1].Again = ansRefused }), verdict.Inconclusive},
		{"random_accepted_too", door(tried(ansIn), random(ansIn, ansIn)), verdict.Inconclusive},
		{"random_accepted_once", door(tried(ansIn), random(ansIn, ansRefused, ansRefused)), verdict.Inconclusive},
		{"anonymous_accepted_too", door(tried(ansIn), func(d *credentials.Door) { d.Anonymous = ansIn }), verdict.Inconclusive},
		{"random_silent", door(tried(ansIn), random(ansSilent, ansRefused)), verdict.Inconclusive},
		{"one_random", door(good, random(ansRefused)), verdict.Inconclusive},
		{"anonymous_silent", door(good, func(d *credentials.Door) { d.Anonymous = ansSilent }), verdict.Inconclusive},
		{"no_control", door(good, func(d *credentials.Door) { d.Before, d.After = ansNot, ansNot }), verdict.Inconclusive},
		{"control_failed_after", door(good, func(d *credentials.Door) { d.After = ansRefused }), verdict.Inconclusive},
		{"one_lost", door(good, func(d *credentials.Door) { d.Tries[0].First, d.Tries[0].Lost = ansSilent, 1 }), verdict.Inconclusive},
		{"lost_and_no_budget_to_repeat", door(good, func(d *credentials.Door) { d.Tries[2].Lost = 1 }), verdict.Inconclusive},
		{"lost_and_repeated", door(good, func(d *credentials.Door) { d.Tries[0].Lost = 1 }), verdict.Pass},
		{"code_about_the_identifier", tried(ansRefused, ansRefused, mqttconnect.Answer{Outcome: mqttconnect.OtherCode, Code: 2, Answers: mqttconnect.V311}), verdict.Inconclusive},
		{"too_few", tried(ansRefused, spent, spent), verdict.Inconclusive},
		{"none_tried", tried(), verdict.Inconclusive},
		{"locked", stopped(credentials.Locks), verdict.Inconclusive},
		{"slower", stopped(credentials.Slower), verdict.Inconclusive},
		{"control_lost", stopped(credentials.ControlLost), verdict.Inconclusive},
		{"locked_after_one_was_accepted", door(tried(ansIn), func(d *credentials.Door) { d.Stopped = credentials.Locks }), verdict.Fail},
		{"version_not_spoken", door(tried(), func(d *credentials.Door) {
			d.Before, d.Anonymous, d.Random, d.Stopped = ansOld, ansOld, []mqttconnect.Answer{ansOld, ansOld}, credentials.NoVersion
		}), verdict.NotApplicable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := listTried(t, tt.seen)
			decided(t, credentialsMQTTDefaultsRefused, tt.want, append(brokerSurface(t), r)...)
			onPart(t, credentialsMQTTDefaultsRefused, tt.want, r, brokerSurface(t)...)
		})
	}
	withoutBroker(t, credentialsMQTTDefaultsRefused, checktest.Record(t, credentials.Probe, credentials.Evidence{List: credentials.Defaults}))
}

func listTried(t *testing.T, doors ...credentials.Door) evidence.Record {
	t.Helper()
	return checktest.Record(t, credentials.Probe, credentials.Evidence{List: credentials.Defaults, Version: 1, Listed: 12, Doors: doors})
}

func TestDefaultsParameters(t *testing.T) {
	tests := []struct {
		name string
		seen credentials.Door
		with check.With
		want verdict.Verdict
	}{
		{"list", tried(ansRefused, ansRefused), check.With{"list": "another"}, verdict.Inconclusive},
		{"min_tried", tried(ansRefused, ansRefused), check.With{"min_tried": 3}, verdict.Inconclusive},
		{"max_pairs", tried(ansRefused, ansRefused, ansIn), check.With{"max_pairs": 2}, verdict.Pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := check.Judge(credentialsMQTTDefaultsRefused, tt.with, append(evidence.Log(brokerSurface(t)), listTried(t, tt.seen)))
			if d.Verdict != tt.want {
				t.Errorf("verdict = %s, want %s; items: %+v", d.Verdict, tt.want, d.Items)
			}
		})
	}
}

// A list only refutes, so its pass says how much of it was tried.
func TestRule10AListSaysHowManyPairsWereTried(t *testing.T) {
	d := decided(t, credentialsMQTTDefaultsRefused, verdict.Pass, append(brokerSurface(t), listTried(t, tried(ansRefused, ansRefused)))...)
	if why := d.Items[0].Why.String(); !strings.HasPrefix(why, "2 of 12 pairs were tried") {
		t.Errorf("why = %q", why)
	}
}
