package result

import (
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/verdict"
)

func judged() Result {
	ref := []evidence.Ref{{Unit: "dut", Probe: "p", Pointer: "/x"}}
	return Result{
		Schema:   Schema,
		Verdicts: []Profile{{Profile: "p", Verdict: verdict.Fail, Consistency: verdict.Inconclusive}},
		Decisions: []Decision{{Check: "a.b", Verdict: verdict.Fail, Items: []Item{
			{Endpoint: "x", Verdict: verdict.Fail, Why: msg.T("seen"), Refs: ref},
			{Endpoint: "y", Verdict: verdict.Inconclusive, Why: msg.T("seen"), Next: msg.T("look"), Refs: ref},
		}}},
		Requirements: []Requirement{{Profile: "p", ID: "1", Verdict: verdict.Fail, Why: msg.T("failed")}},
	}
}

func TestErr(t *testing.T) {
	if err := judged().Err(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*Result)
		want   string
	}{
		{"schema", func(r *Result) { r.Schema = "assay-result/2" }, `its schema is "assay-result/2"`},
		{"profile", func(r *Result) { r.Verdicts[0].Verdict = "PASS" }, `profile "p" has verdict "PASS"`},
		{"consistency", func(r *Result) { r.Verdicts[0].Consistency = "" }, `consistency ""`},
		{"decision", func(r *Result) { r.Decisions[0].Verdict = verdict.Pass }, `its verdict is "pass", and that of its items "fail"`},
		{"item", func(r *Result) { r.Decisions[0].Items[0].Verdict = "ok" }, `item "x": "ok" is no verdict`},
		{"no_reference", func(r *Result) { r.Decisions[0].Items[0].Refs = nil }, "fail without a reference"},
		{"no_why", func(r *Result) { r.Decisions[0].Items[0].Why = msg.Text{} }, "why: text is empty"},
		{"no_next", func(r *Result) { r.Decisions[0].Items[1].Next = msg.Text{} }, "next: text is empty"},
		{"requirement", func(r *Result) { r.Requirements[0].Verdict = "" }, `requirement "1" of profile "p": "" is no verdict`},
		{"open_requirement", func(r *Result) { r.Requirements[0].Verdict = verdict.Inconclusive }, "next: text is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := judged()
			tt.change(&r)
			if err := r.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
		})
	}
}
