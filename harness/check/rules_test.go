package check_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/verdict"
)

// Each constructor makes the item that its name says.
func TestItems(t *testing.T) {
	at, ref := evidence.Endpoint{Name: "tcp/192.0.2.1:23", Key: "tcp/23"}, evidence.Ref{Unit: "dut", Probe: "p", Pointer: "/open"}
	tests := []struct {
		got  check.Item
		want verdict.Verdict
	}{
		{check.Pass(at, why, ref), verdict.Pass},
		{check.Fail(at, why, ref), verdict.Fail},
		{check.NotApplicable(at, why, ref), verdict.NotApplicable},
		{check.Inconclusive(at, why, next, ref), verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(string(tt.want), func(t *testing.T) {
			i := tt.got
			if i.Verdict != tt.want || i.Endpoint != at.Name || i.Key != at.Key || i.Why.String() != "seen" || len(i.Refs) != 1 {
				t.Errorf("item = %+v", i)
			}
			if (i.Next.String() == "look again") != (tt.want == verdict.Inconclusive) {
				t.Errorf("next = %q", i.Next)
			}
		})
	}
}

// A decision says what to do about a fail, and only about a fail; its items
// name their unit.
func TestDecision(t *testing.T) {
	for _, v := range []verdict.Verdict{verdict.Pass, verdict.Fail, verdict.NotApplicable, verdict.Inconclusive} {
		t.Run(string(v), func(t *testing.T) {
			c := of(func(in check.In) []check.Item {
				i := check.Item{Endpoint: "x", Verdict: v, Why: why, Next: next}
				if v == verdict.Pass || v == verdict.Fail {
					i.Refs = []evidence.Ref{p.At(in.DUT, "/open")}
				}
				return []check.Item{i}
			})
			d := checktest.Decide(t, c, checktest.Record(t, p, seen{}))
			if d.Verdict != v || d.Check != "a.b" || d.Title.String() != "t" || (d.Remedy.String() == "r") != (v == verdict.Fail) {
				t.Errorf("decision = %+v", d)
			}
			if i := d.Items[0]; i.Unit != evidence.DUT || i.Refs == nil {
				t.Errorf("item = %+v", i)
			}
		})
	}
}

// What is lacking is said as it is, with what to do about it.
func TestRule12GapsSayWhatNext(t *testing.T) {
	record := func(status evidence.Status, reason msg.Text) evidence.Record {
		return evidence.Record{Unit: evidence.DUT, Probe: "p", Version: 2, Status: status, Reason: reason, Effect: "intrusive"}
	}
	tests := []struct {
		name      string
		log       evidence.Log
		why, next string
	}{
		{"no_record", nil, "0 records", "collect again"},
		{"two_records", evidence.Log{checktest.Record(t, p, seen{}), checktest.Record(t, p, seen{})}, "2 records", "collect again"},
		{"not_permitted", evidence.Log{record(evidence.NotPermitted, msg.T("too rude"))}, "too rude", "allow it with --effect intrusive"},
		{"failed", evidence.Log{record(evidence.Failed, msg.T("no route"))}, "no route", "remove the cause and run again"},
		{"no_reason", evidence.Log{record(evidence.Failed, msg.Text{})}, "no reason", "collect again"},
		{"not_readable", evidence.Log{record(evidence.Collected, msg.Text{})}, "cannot be used", "collect again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := checktest.Decide(t, of(pass), tt.log...)
			i := d.Items[0]
			if d.Verdict != verdict.Inconclusive || !strings.Contains(i.Why.String(), tt.why) || !strings.Contains(i.Next.String(), tt.next) {
				t.Errorf("%s: %q, next %q", d.Verdict, i.Why, i.Next)
			}
		})
	}
}

// A check of the unit under test alone never looks at another unit, nor is held
// up by one.
func TestOneUnitIsEnough(t *testing.T) {
	other := checktest.Of("unit-2", evidence.Record{Probe: "p", Status: evidence.Failed, Reason: msg.T("because")})
	c := of(func(in check.In) []check.Item {
		if len(in.Units) != 1 {
			t.Errorf("saw %d units", len(in.Units))
		}
		return pass(in)
	})
	if d := checktest.Decide(t, c, checktest.Record(t, p, seen{}), other); d.Verdict != verdict.Pass {
		t.Errorf("verdict = %s", d.Verdict)
	}
	if d := checktest.Decide(t, c, checktest.Record(t, p, seen{}), checktest.Of("unit-2", checktest.Record(t, p, seen{}))); d.Verdict != verdict.Pass {
		t.Errorf("verdict = %s", d.Verdict)
	}
}

// Optional evidence must not turn what is open into something that no longer
// stands in the way of a pass.
func TestRule1UsesMakeNothingHarmless(t *testing.T) {
	const in, na, ok, bad = verdict.Inconclusive, verdict.NotApplicable, verdict.Pass, verdict.Fail
	tests := []struct {
		without, with, want verdict.Verdict
		defect              bool
	}{
		{in, na, in, true}, {bad, na, in, true}, {bad, ok, in, true}, {na, ok, in, true}, {in, ok, in, true},
		{ok, na, na, false}, {na, na, na, false}, {ok, ok, ok, false}, {ok, in, in, false}, {ok, bad, bad, false}, {in, bad, bad, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s_to_%s", tt.without, tt.with), func(t *testing.T) {
			c := of(func(in check.In) []check.Item {
				v := tt.without
				if _, there := q.Get(in.DUT); there {
					v = tt.with
				}
				return []check.Item{{Endpoint: "x", Verdict: v, Why: why, Next: next, Refs: []evidence.Ref{p.At(in.DUT, "/open")}}}
			})
			c.Uses = []probe.Any{q}
			d, defects := check.Judge(c, nil, evidence.Log{checktest.Record(t, p, seen{}), checktest.Record(t, q, seen{})})
			if d.Verdict != tt.want || (len(defects) > 0) != tt.defect {
				t.Errorf("verdict = %s, defects = %v; want %s, %t", d.Verdict, defects, tt.want, tt.defect)
			}
		})
	}
}

// A long list of what is missing is cut, and says how much more there is.
func TestRule5MissingIsNamed(t *testing.T) {
	for _, n := range []int{1, 5, 6, 40} {
		var missing []string
		for i := range n {
			missing = append(missing, fmt.Sprintf("port-%d", i))
		}
		why := checktest.Decide(t, of(pass), checktest.Partial(checktest.Record(t, p, seen{}), missing...)).Items[0].Why.String()
		more := fmt.Sprintf("and %d more", n-5)
		if !strings.Contains(why, "port-0") || strings.Contains(why, "port-5") || strings.Contains(why, more) != (n > 5) {
			t.Errorf("%d missing: %q", n, why)
		}
	}
}

// Two items may speak of one endpoint of two units, never of one.
func TestItemsOfTwoUnitsMayShareAnEndpoint(t *testing.T) {
	c := of(func(in check.In) []check.Item {
		return []check.Item{check.Pass(device, why, p.At(in.Units[0], "/open")), check.Pass(device, why, p.At(in.Units[1], "/open"))}
	})
	c.Units = 2
	record := checktest.Record(t, p, seen{})
	if d := checktest.Decide(t, c, record, checktest.Of("unit-2", record)); d.Verdict != verdict.Pass || d.Items[1].Unit != "unit-2" {
		t.Errorf("decision = %+v", d)
	}
}

// Params that cannot be set are a defect, and nothing is decided.
func TestParamsOfACheckWithout(t *testing.T) {
	called := false
	c := of(func(in check.In) []check.Item { called = true; return pass(in) })
	d, defects := check.Judge(c, check.With{"n": 1}, evidence.Log{checktest.Record(t, p, seen{})})
	if called || d.Verdict != verdict.Inconclusive || len(defects) != 1 || !strings.Contains(defects[0].What, "has no parameters") {
		t.Errorf("called %t, %s, %v", called, d.Verdict, defects)
	}
}

func TestLeftOut(t *testing.T) {
	d := check.LeftOut(of(pass), check.With{"n": 1}, msg.T("left out"), msg.T("take it in"))
	if d.Verdict != verdict.Inconclusive || d.Check != "a.b" || d.With != `{"n":1}` || d.Title.String() != "t" || d.Items[0].Next.String() != "take it in" {
		t.Errorf("decision = %+v", d)
	}
	if got := d.Items[0]; got.Verdict != verdict.Inconclusive || got.Why.String() != "left out" || got.Unit != evidence.DUT || got.Refs == nil {
		t.Errorf("item = %+v", got)
	}
}

// The basis of a verdict is that of the items that carry it.
func TestRule7BasisIsOfTheItemsThatCount(t *testing.T) {
	c := of(nil)
	c.Needs = []probe.Any{p, q, said}
	c.Decide = func(in check.In) []check.Item {
		return []check.Item{
			{Endpoint: "a", Verdict: verdict.Pass, Why: why, Refs: []evidence.Ref{q.At(in.DUT, "/open")}},
			{Endpoint: "b", Verdict: verdict.Pass, Why: why, Refs: []evidence.Ref{p.At(in.DUT, "/open")}},
			{Endpoint: "c", Verdict: verdict.Fail, Why: why, Refs: []evidence.Ref{p.At(in.DUT, "/open")}},
			{Endpoint: "d", Verdict: verdict.Fail, Why: why, Refs: []evidence.Ref{q.At(in.DUT, "/open")}},
		}
	}
	log := evidence.Log{checktest.Record(t, p, seen{}), checktest.Record(t, q, seen{}), checktest.Record(t, said, seen{})}
	if d := checktest.Decide(t, c, log...); d.Verdict != verdict.Fail || d.Basis != verdict.Tested {
		t.Errorf("fail on %q", d.Basis)
	}
	all := c.Decide
	c.Decide = func(in check.In) []check.Item { return append(all(in)[1:2], all(in)[3]) }
	if d := checktest.Decide(t, c, log...); d.Verdict != verdict.Fail || d.Basis != verdict.Inspected {
		t.Errorf("fail beside a tested pass on %q", d.Basis)
	}
	c.Decide = func(in check.In) []check.Item { return all(in)[:2] }
	if d := checktest.Decide(t, c, log...); d.Verdict != verdict.Pass || d.Basis != verdict.Inspected {
		t.Errorf("pass on %q", d.Basis)
	}
	c.Decide = func(in check.In) []check.Item {
		return []check.Item{{Verdict: verdict.NotApplicable, Why: why, Refs: []evidence.Ref{p.At(in.DUT, "/open")}}}
	}
	if d := checktest.Decide(t, c, log...); d.Basis != "" {
		t.Errorf("not applicable on %q", d.Basis)
	}
}
