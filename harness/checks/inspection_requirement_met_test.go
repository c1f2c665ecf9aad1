package checks

import (
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/answers"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// answered returns an answer to question on a day of March.
func answered(question answers.Question, a evidence.Tri, day int) answers.Answer {
	return answers.Answer{Question: question, Answer: a, Who: "A. Tester", When: time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC)}
}

// without returns a as change leaves it.
func without(a answers.Answer, change func(*answers.Answer)) answers.Answer {
	change(&a)
	return a
}

func declares(id declaration.Name, t evidence.Tri) []declaration.Provision {
	return []declaration.Provision{{ID: "5.0-0", Supported: evidence.Yes}, {ID: id, Supported: t}}
}

func TestInspectionRequirementMet(t *testing.T) {
	const q, yes, no, unknown = "p:5.2-1", evidence.Yes, evidence.No, evidence.Unknown
	const pass, fail, open = verdict.Pass, verdict.Fail, verdict.Inconclusive
	met := answered(q, yes, 2)
	tests := []struct {
		name     string
		said     []answers.Answer
		ics      []declaration.Provision
		declared bool
		want     verdict.Verdict
		basis    verdict.Basis
		cites    string
	}{
		{"nothing", nil, nil, false, open, "", ""},
		{"met", []answers.Answer{met}, nil, false, pass, verdict.Inspected, "/answers/0/answer"},
		{"not_met", []answers.Answer{answered(q, no, 2)}, nil, false, fail, verdict.Inspected, "/answers/0/answer"},
		{"could_not_say", []answers.Answer{answered(q, unknown, 2)}, nil, false, open, "", "/answers/0/answer"},
		{"other_question", []answers.Answer{answered("p:5.2-2", yes, 2)}, nil, false, open, "", ""},
		{"second_answer", []answers.Answer{answered("p:5.2-2", no, 9), met}, nil, false, pass, verdict.Inspected, "/answers/1/answer"},
		{"newest_counts", []answers.Answer{answered(q, no, 1), met}, nil, false, pass, verdict.Inspected, "/answers/1/answer"},
		{"newest_counts_in_any_order", []answers.Answer{met, answered(q, no, 1)}, nil, false, pass, verdict.Inspected, "/answers/0/answer"},
		{"newest_is_worse", []answers.Answer{met, answered(q, no, 3)}, nil, false, fail, verdict.Inspected, "/answers/1/answer"},
		{"newest_could_not_say", []answers.Answer{met, answered(q, unknown, 3)}, nil, false, open, "", "/answers/1/answer"},
		{"contradiction", []answers.Answer{met, answered(q, no, 2)}, nil, false, open, "", "/answers/0/answer"},
		{"contradiction_overtaken", []answers.Answer{met, answered(q, no, 2), answered(q, yes, 3)}, nil, false, pass, verdict.Inspected, "/answers/2/answer"},
		{"two_agree", []answers.Answer{met, met}, nil, false, pass, verdict.Inspected, "/answers/0/answer"},
		{"nameless", []answers.Answer{without(met, func(a *answers.Answer) { a.Who = "" })}, nil, false, open, "", ""},
		{"undated", []answers.Answer{without(met, func(a *answers.Answer) { a.When = time.Time{} })}, nil, false, open, "", ""},
		{"declared", nil, declares("5.2-1", yes), true, pass, verdict.Declared, "/provisions/1/supported"},
		{"declared_is_not_enough", nil, declares("5.2-1", yes), false, open, "", ""},
		{"declared_not_met", nil, declares("5.2-1", no), true, open, "", ""},
		{"declared_nothing", nil, declares("5.2-1", unknown), true, open, "", ""},
		{"declared_another", nil, declares("5.2-2", yes), true, open, "", ""},
		{"answer_beats_declaration", []answers.Answer{answered(q, no, 2)}, declares("5.2-1", yes), true, fail, verdict.Inspected, "/answers/0/answer"},
		{"doubt_beats_declaration", []answers.Answer{answered(q, unknown, 2)}, declares("5.2-1", yes), true, open, "", "/answers/0/answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := inspect(t, check.With{"question": q, "provision": "5.2-1", "declared": tt.declared},
				checktest.Record(t, answers.Probe, answers.Evidence{Answers: tt.said}),
				checktest.Record(t, declaration.Probe, declaration.Evidence{Provisions: tt.ics}))
			if d.Verdict != tt.want || d.Basis != tt.basis || len(d.Items) != 1 {
				t.Errorf("decision = %+v, want %s, %q", d, tt.want, tt.basis)
			}
			var cited string
			if refs := d.Items[0].Refs; len(refs) > 0 {
				cited = refs[0].Pointer
			}
			if cited != tt.cites {
				t.Errorf("cites %q, want %q", cited, tt.cites)
			}
		})
	}
}

func TestInspectionAsksForTheAnswer(t *testing.T) {
	none := []evidence.Record{checktest.Record(t, answers.Probe, answers.Evidence{}), checktest.Record(t, declaration.Probe, declaration.Evidence{})}
	d := inspect(t, check.With{"question": "p:5.2-1", "provision": "5.2-1", "declared": true}, none...)
	want := "look and record the answer to p:5.2-1 in the device file: question, answer, who, when"
	if got := d.Items[0].Next.String(); got != want {
		t.Errorf("next = %q, want %q", got, want)
	}
}

// The answers of another unit speak of that unit.
func TestInspectionReadsOnlyTheUnitUnderTest(t *testing.T) {
	said := checktest.Record(t, answers.Probe, answers.Evidence{Answers: []answers.Answer{answered("p:5.2-1", evidence.Yes, 2)}})
	declared := checktest.Record(t, declaration.Probe, declaration.Evidence{})
	d := inspect(t, check.With{"question": "p:5.2-1", "provision": "5.2-1"},
		checktest.Record(t, answers.Probe, answers.Evidence{}), declared,
		checktest.Of("unit-2", said), checktest.Of("unit-2", declared))
	if d.Verdict != verdict.Inconclusive {
		t.Errorf("verdict = %s", d.Verdict)
	}
}

func TestInspectionWithoutAQuestion(t *testing.T) {
	d := inspect(t, nil, checktest.Record(t, answers.Probe, answers.Evidence{Answers: []answers.Answer{answered("", evidence.Yes, 2)}}),
		checktest.Record(t, declaration.Probe, declaration.Evidence{}))
	if d.Verdict != verdict.Inconclusive {
		t.Errorf("verdict = %s", d.Verdict)
	}
}

// inspect judges the check with parameters and fails the test on a defect.
func inspect(t *testing.T, with check.With, records ...evidence.Record) result.Decision {
	t.Helper()
	d, defects := check.Judge(inspectionRequirementMet, with, records)
	for _, defect := range defects {
		t.Errorf("defect in %s: %s", defect.Where, defect.What)
	}
	return d
}
