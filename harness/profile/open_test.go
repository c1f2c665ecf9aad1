package profile

import (
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

const asked = `inspection.requirement-met{"declared":false,"provision":"r","question":"p:r"}`

// answer is what the check of manual lines says; seen is whether it had an
// answer to cite.
func answer(v verdict.Verdict, seen bool) result.Decision {
	d := result.Decision{Verdict: v, Items: []result.Item{{Verdict: v, Why: msg.T("answers disagree"), Next: msg.T("keep one")}}}
	if seen {
		d.Items[0].Refs = []evidence.Ref{{Unit: evidence.DUT, Probe: "answers", Pointer: "/answers/0/answer"}}
	}
	if v == pass || v == fail {
		d.Basis = verdict.Inspected
	}
	return d
}

func TestRule12EveryInconclusiveSaysWhatNext(t *testing.T) {
	const look = "look and record the answer to p:r in the device file: Compare"
	withRemedy := said(fail, verdict.Tested)
	withRemedy.Remedy = msg.T("turn it off")
	itemless := result.Decision{Verdict: open}
	second := said(open, "")
	second.Items = append([]result.Item{{Verdict: pass, Why: msg.T("fine"), Next: msg.T("nothing")}}, second.Items...)
	nextless := said(open, "")
	nextless.Items[0].Next = msg.Text{}
	tests := []struct {
		name, requirement string
		ds                Decisions
		why, next         string
	}{
		{
			name:        "item_of_the_deciding_check",
			requirement: "checks: [{check: a.b, can: decide}]",
			ds:          say(open),
			why:         "seen",
			next:        "do this",
		},
		{
			name:        "first_open_item",
			requirement: "checks: [{check: a.b, can: decide}]",
			ds:          Decisions{"a.b": second},
			why:         "seen",
			next:        "do this",
		},
		{
			name:        "first_open_check",
			requirement: "checks: [{check: a.b, can: decide}, {check: a.c, can: decide}]",
			ds:          say(pass, open),
			why:         "seen",
			next:        "do this",
		},
		{"not_that_of_a_refuting_check", "checks: [{check: a.b, can: refute}], manual: Compare", Decisions{"a.b": said(open, ""), asked: answer(open, false)},
			"a person decides it, and none has answered: Compare", look},
		{
			name:        "nobody_answered",
			requirement: "manual: Compare",
			ds:          Decisions{asked: answer(open, false)},
			why:         "a person decides it, and none has answered: Compare",
			next:        look,
		},
		{"refuted_nothing", "checks: [{check: a.b, can: refute}], manual: Compare", Decisions{"a.b": said(pass, verdict.Tested), asked: answer(open, false)},
			"no violation found by a.b; to decide: Compare", look},
		{
			name:        "answers_disagree",
			requirement: "manual: Compare",
			ds:          Decisions{asked: answer(open, true)},
			why:         "answers disagree",
			next:        "keep one",
		},
		{
			name:        "nobody_said_how",
			requirement: "checks: [{check: a.b, can: refute}]",
			ds:          say(pass),
			why:         "no violation found by a.b, which cannot decide it",
			next:        "let a person inspect it and record the answer",
		},
		{
			name:        "none_found",
			requirement: "checks: [{check: a.b, can: decide}]",
			ds:          say(na),
			why:         "the checks found nothing that they could judge",
			next:        "bring evidence for a.b",
		},
		{
			name:        "none_found_and_advice",
			requirement: "checks: [{check: a.b, can: decide}, {check: a.c, can: refute}], manual: Compare",
			ds:          say(na, pass),
			why:         "no violation found by a.c; to decide: Compare",
			next:        "Compare",
		},
		{"support_in_the_way", "checks: [{check: a.b, can: decide}, {check: a.c, can: support}]", Decisions{"a.b": said(pass, verdict.Tested), "a.c": withRemedy},
			"what a.c found stands in the way", "turn it off"},
		{
			name:        "support_without_remedy",
			requirement: "checks: [{check: a.b, can: decide}, {check: a.c, can: support}]",
			ds:          say(pass, fail),
			why:         "what a.c found stands in the way",
			next:        "remove what it found, then run again",
		},
		{
			name:        "open_before_support",
			requirement: "checks: [{check: a.b, can: support}, {check: a.c, can: decide}]",
			ds:          say(fail, open),
			why:         "seen",
			next:        "do this",
		},
		{"item_without_next", "checks: [{check: a.b, can: decide}]", Decisions{"a.b": nextless}, "check a.b is open", "bring evidence for a.b"},
		{
			name:        "support_is_no_obstacle",
			requirement: "checks: [{check: a.b, can: decide}, {check: a.c, can: support}]",
			ds:          say(na, pass),
			why:         "no violation found by a.c, which cannot decide it",
			next:        "bring evidence for a.b",
		},
		{
			name:        "no_items",
			requirement: "checks: [{check: a.b, can: decide}]",
			ds:          Decisions{"a.b": itemless},
			why:         "check a.b is open",
			next:        "bring evidence for a.b",
		},
		{
			name:        "basis_not_accepted",
			requirement: "checks: [{check: a.b, can: decide}], accepts: [inspected], manual: Compare",
			ds:          say(pass),
			why:         "shown only as tested",
			next:        "Compare",
		},
		{
			name:        "no_basis",
			requirement: "checks: [{check: a.b, can: decide}]",
			ds:          Decisions{"a.b": said(pass, "")},
			why:         "shown only as nothing",
			next:        "bring evidence for a.b",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := parse(t, "{id: r, level: mandatory, text: x, "+tt.requirement+"}").Requirements[0]
			got := judge(t, r, ICS{}, tt.ds)
			if got.Verdict != open || got.Why.String() != tt.why || got.Next.String() != tt.next {
				t.Errorf("%s: %q, next %q; want %q, %q", got.Verdict, got.Why, got.Next, tt.why, tt.next)
			}
		})
	}
}

func TestAnswerDecides(t *testing.T) {
	r := parse(t, "{id: r, level: mandatory, text: x, manual: Compare, checks: [{check: a.b, can: refute}]}").Requirements[0]
	tests := []struct {
		check, answer, want verdict.Verdict
		basis               verdict.Basis
	}{
		{pass, pass, pass, verdict.Inspected},
		{open, pass, pass, verdict.Inspected},
		{pass, fail, fail, verdict.Inspected},
		{fail, pass, fail, verdict.Tested},
		{fail, fail, fail, verdict.Tested},
	}
	for _, tt := range tests {
		ds := say(tt.check)
		ds[asked] = answer(tt.answer, true)
		if got := judge(t, r, ICS{}, ds); got.Verdict != tt.want || got.Basis != tt.basis {
			t.Errorf("check %s, answer %s: %s on %q, want %s on %q", tt.check, tt.answer, got.Verdict, got.Basis, tt.want, tt.basis)
		}
	}
}

func TestRule9DeviceVerdictOfAProfile(t *testing.T) {
	p := &Profile{ID: "p", Title: "t"}
	of := func(l Level, v verdict.Verdict, b verdict.Basis) result.Requirement {
		return result.Requirement{Level: string(l), Verdict: v, Basis: b}
	}
	tests := []struct {
		name string
		rs   []result.Requirement
		want verdict.Verdict
	}{
		{"all_pass", []result.Requirement{of(Mandatory, pass, verdict.Tested), of(Mandatory, na, verdict.Declared)}, pass},
		{"one_fails", []result.Requirement{of(Mandatory, fail, verdict.Tested), of(Mandatory, open, "")}, fail},
		{"one_open", []result.Requirement{of(Mandatory, pass, verdict.Tested), of(Mandatory, open, "")}, open},
		{"recommended_ones_do_not_count", []result.Requirement{of(Mandatory, pass, verdict.Tested), of(Recommended, fail, verdict.Tested)}, pass},
		{"nothing_mandatory", []result.Requirement{of(Recommended, pass, verdict.Tested)}, open},
		{"nothing", nil, open},
		{"no_verdict", []result.Requirement{of(Mandatory, "", "")}, open},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := p.Summarise(tt.rs, nil); got.Verdict != tt.want || got.Profile != "p" || got.Title != "t" {
				t.Errorf("summary = %+v, want %s", got, tt.want)
			}
		})
	}
}

func TestSummariseCounts(t *testing.T) {
	of := func(l Level, v verdict.Verdict, b verdict.Basis) result.Requirement {
		return result.Requirement{Level: string(l), Verdict: v, Basis: b}
	}
	got := (&Profile{}).Summarise([]result.Requirement{
		of(Mandatory, pass, verdict.Tested), of(Mandatory, pass, verdict.Declared), of(Recommended, pass, verdict.Inspected),
		of(Mandatory, fail, verdict.Inspected), of(Recommended, fail, verdict.Tested), of(Recommended, fail, verdict.Tested),
		of(Mandatory, open, ""), of(Recommended, "garbage", ""), of(Recommended, na, verdict.Declared), of(Mandatory, na, verdict.Declared),
	}, nil)
	if want := (result.Counts{Pass: 3, Fail: 3, Inconclusive: 2, NotApplicable: 2}); got.Counts != want {
		t.Errorf("counts = %+v, want %+v", got.Counts, want)
	}
	if want := (result.Counts{Pass: 2, Fail: 1, Inconclusive: 1, NotApplicable: 1}); got.Mandatory != want {
		t.Errorf("mandatory = %+v, want %+v", got.Mandatory, want)
	}
	if want := (result.Coverage{Tested: 3, Inspected: 2, Declared: 3, Undecided: 2}); got.Coverage != want {
		t.Errorf("coverage = %+v, want %+v", got.Coverage, want)
	}
}

func TestSummariseConsistency(t *testing.T) {
	for v, want := range map[verdict.Verdict]verdict.Verdict{pass: pass, fail: fail, open: open, na: na, "": open, "PASS": open} {
		if got := (&Profile{}).Summarise(nil, Decisions{Consistency: said(v, "")}); got.Consistency != want {
			t.Errorf("%q: %q, want %s", v, got.Consistency, want)
		}
	}
	if got := (&Profile{}).Summarise(nil, nil); got.Consistency != open {
		t.Errorf("without the check: %q", got.Consistency)
	}
}
