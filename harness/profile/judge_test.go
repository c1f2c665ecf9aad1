package profile

import (
	"slices"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

const (
	pass = verdict.Pass
	fail = verdict.Fail
	open = verdict.Inconclusive
	na   = verdict.NotApplicable

	yes, no, unknown = evidence.Yes, evidence.No, evidence.Unknown
)

func said(v verdict.Verdict, b verdict.Basis) result.Decision {
	return result.Decision{Verdict: v, Basis: b, Items: []result.Item{{Verdict: v, Why: msg.T("seen"), Next: msg.T("do this")}}}
}

// say returns decisions of the checks a.b, a.c and a.said, in turn.
func say(vs ...verdict.Verdict) Decisions {
	ds := Decisions{}
	for i, v := range vs {
		b := verdict.Tested
		if v != pass && v != fail {
			b = ""
		}
		ds[[]string{"a.b", "a.c", "a.said"}[i]] = said(v, b)
	}
	return ds
}

func can(powers ...verdict.Power) (ms []Mapping) {
	for i, p := range powers {
		ms = append(ms, Mapping{Check: []string{"a.b", "a.c", "a.said"}[i], Can: p})
	}
	return ms
}

// judge returns r's outcome, and fails the test on what no outcome may be.
func judge(t *testing.T, r Requirement, ics ICS, ds Decisions) result.Requirement {
	t.Helper()
	got, defects := r.Judge(ics, ds)
	if len(defects) > 0 || got.Why.Err() != nil || !got.Verdict.Valid() {
		t.Errorf("requirement = %+v, defects = %v", got, defects)
	}
	if got.Verdict == open && got.Next.Err() != nil {
		t.Errorf("inconclusive, and next is %v", got.Next.Err())
	}
	if (got.Basis == "") != (got.Verdict == open) {
		t.Errorf("%s on the basis %q", got.Verdict, got.Basis)
	}
	return got
}

func TestRule6PowerOfAMapping(t *testing.T) {
	const decide, refute, support = verdict.Decide, verdict.Refute, verdict.Support
	tests := []struct {
		name   string
		powers []verdict.Power
		say    []verdict.Verdict
		want   verdict.Verdict
	}{
		{"decided", []verdict.Power{decide}, []verdict.Verdict{pass}, pass},
		{"decided_against", []verdict.Power{decide}, []verdict.Verdict{fail}, fail},
		{"one_decider_open", []verdict.Power{decide, decide}, []verdict.Verdict{pass, open}, open},
		{"one_decider_idle", []verdict.Power{decide, decide}, []verdict.Verdict{pass, na}, pass},
		{"refute_alone", []verdict.Power{refute, refute}, []verdict.Verdict{pass, pass}, open},
		{"refuted", []verdict.Power{decide, refute}, []verdict.Verdict{pass, fail}, fail},
		{"open_refute_does_not_block", []verdict.Power{decide, refute}, []verdict.Verdict{pass, open}, pass},
		{"support_alone", []verdict.Power{support}, []verdict.Verdict{pass}, open},
		{"failed_support_blocks", []verdict.Power{decide, support}, []verdict.Verdict{pass, fail}, open},
		{"failed_support_is_no_fail", []verdict.Power{refute, support}, []verdict.Verdict{pass, fail}, open},
		{"open_support_does_not_block", []verdict.Power{decide, support}, []verdict.Verdict{pass, open}, pass},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Requirement{ID: "r", Level: Mandatory, Checks: can(tt.powers...)}
			if got := judge(t, r, ICS{}, say(tt.say...)); got.Verdict != tt.want {
				t.Errorf("verdict = %s (%s), want %s", got.Verdict, got.Why, tt.want)
			}
			r.Checks, r.Cases = nil, []Case{{ID: "c", Checks: r.Checks}}
			if got := judge(t, r, ICS{}, say(tt.say...)); got.Verdict != tt.want || got.Cases[0] != (result.Case{ID: "c", Verdict: tt.want}) {
				t.Errorf("as a case: %s, %+v; want %s", got.Verdict, got.Cases, tt.want)
			}
		})
	}
}

func TestRule7AcceptedBases(t *testing.T) {
	r := Requirement{ID: "r", Level: Mandatory, Checks: can(verdict.Decide)}
	for _, tt := range []struct {
		accepts []verdict.Basis
		basis   verdict.Basis
		want    verdict.Verdict
	}{
		{nil, verdict.Tested, pass},
		{nil, verdict.Inspected, pass},
		{nil, verdict.Declared, open},
		{nil, "", open},
		{[]verdict.Basis{verdict.Inspected}, verdict.Tested, open},
		{[]verdict.Basis{verdict.Declared}, verdict.Declared, pass},
	} {
		r.Accepts = tt.accepts
		got := judge(t, r, ICS{}, Decisions{"a.b": said(pass, tt.basis)})
		if got.Verdict != tt.want || got.Verdict == pass && got.Basis != tt.basis {
			t.Errorf("%q where %q is accepted = %s, %q; want %s", tt.basis, tt.accepts, got.Verdict, got.Basis, tt.want)
		}
	}
}

func TestRule7WeakestOfAPassStrongestOfAFail(t *testing.T) {
	r := Requirement{ID: "r", Level: Mandatory, Checks: can(verdict.Decide, verdict.Decide)}
	for v, want := range map[verdict.Verdict]verdict.Basis{pass: verdict.Inspected, fail: verdict.Tested} {
		ds := Decisions{"a.b": said(v, verdict.Tested), "a.c": said(v, verdict.Inspected)}
		if got := judge(t, r, ICS{}, ds); got.Verdict != v || got.Basis != want {
			t.Errorf("%s on %q, want %q", got.Verdict, got.Basis, want)
		}
	}
}

func TestRule8Applicability(t *testing.T) {
	r := Requirement{ID: "r", Level: Mandatory, AppliesIf: []string{"f"}, Checks: can(verdict.Decide)}
	tests := []struct {
		name               string
		feature, provision evidence.Tri
		check, want        verdict.Verdict
		next               string
	}{
		{"declared", yes, yes, pass, pass, ""},
		{"declared_and_violated", yes, yes, fail, fail, ""},
		{"declared_absent", no, unknown, pass, na, ""},
		{"declared_absent_and_open", no, unknown, open, na, ""},
		{"declared_absent_and_violated", no, unknown, fail, fail, "correct in the device file, for it was seen otherwise: f: no"},
		{"unanswered", unknown, unknown, pass, open, "answer in the device file: f"},
		{"unanswered_and_open", unknown, unknown, open, open, "answer in the device file: f"},
		{"unanswered_and_violated", unknown, unknown, fail, fail, "answer in the device file: f"},
		{"none_found", yes, yes, na, open, "bring evidence for a.b"},
		{"declared_not_met", yes, no, pass, fail, ""},
		{"declared_not_met_and_open", yes, no, open, fail, ""},
		{"declared_absent_and_not_met", no, no, pass, na, ""},
		{"not_met_and_unanswered", unknown, no, pass, open, "answer in the device file: f"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ics := ICS{map[string]evidence.Tri{"f": tt.feature}, map[string]evidence.Tri{"r": tt.provision}}
			got := judge(t, r, ics, say(tt.check))
			if got.Verdict != tt.want || got.Next.String() != tt.next {
				t.Errorf("%s, next %q; want %s, %q", got.Verdict, got.Next, tt.want, tt.next)
			}
			if got.Applicable != tt.feature {
				t.Errorf("applicable = %s, declared %s", got.Applicable, tt.feature)
			}
		})
	}
}

func TestRule8BasisOfWhatIsDeclared(t *testing.T) {
	r := Requirement{ID: "r", Level: Mandatory, AppliesIf: []string{"f"}, Checks: can(verdict.Decide)}
	for provision, feature := range map[evidence.Tri]evidence.Tri{no: yes, unknown: no} {
		ics := ICS{map[string]evidence.Tri{"f": feature}, map[string]evidence.Tri{"r": provision}}
		if got := judge(t, r, ics, say(pass)); got.Basis != verdict.Declared {
			t.Errorf("%s on the basis %q", got.Verdict, got.Basis)
		}
	}
}

// A recommendation that is declared not met never passes, and fails only if a
// violation is shown.
func TestRule8DeclinedRecommendation(t *testing.T) {
	r := Requirement{ID: "r", Level: Recommended, Checks: can(verdict.Decide)}
	ics := ICS{Provisions: map[string]evidence.Tri{"r": no}}
	for v, want := range map[verdict.Verdict]verdict.Verdict{pass: open, fail: fail, open: open, na: open} {
		if got := judge(t, r, ics, say(v)); got.Verdict != want {
			t.Errorf("check says %s: %s, want %s", v, got.Verdict, want)
		}
	}
}

func TestRule8SeveralConditions(t *testing.T) {
	r := Requirement{ID: "r", Level: Mandatory, AppliesIf: []string{"f", "not g"}, Checks: can(verdict.Decide)}
	tests := []struct {
		f, g, want evidence.Tri
		says       string
	}{
		{yes, no, yes, "passed: a.b"},
		{yes, yes, no, "declared not to apply: g: yes"},
		{no, no, no, "declared not to apply: f: no"},
		{no, yes, no, "declared not to apply: f: no, g: yes"},
		{no, unknown, no, "declared not to apply: f: no"},
		{unknown, yes, no, "declared not to apply: g: yes"},
		{unknown, no, unknown, "not declared whether it applies: f"},
		{yes, unknown, unknown, "not declared whether it applies: g"},
		{unknown, unknown, unknown, "not declared whether it applies: f, g"},
	}
	for _, tt := range tests {
		got := judge(t, r, ICS{Features: map[string]evidence.Tri{"f": tt.f, "g": tt.g}}, say(pass))
		if got.Applicable != tt.want || got.Why.String() != tt.says {
			t.Errorf("f: %s, g: %s: %s, %q; want %s, %q", tt.f, tt.g, got.Applicable, got.Why, tt.want, tt.says)
		}
	}
}

func TestRule9MissingDecisionIsADefect(t *testing.T) {
	r := Requirement{ID: "r", Level: Mandatory, Checks: can(verdict.Decide, verdict.Refute)}
	got, defects := r.Judge(ICS{}, say(pass))
	if got.Verdict != open || len(defects) != 1 || !strings.Contains(defects[0].What, `"a.c"`) {
		t.Errorf("verdict = %s, defects = %v", got.Verdict, defects)
	}
	if got.Next.String() != "report the defects that this run lists" {
		t.Errorf("next = %q", got.Next)
	}
}

func TestRule9NothingToJudgeIsInconclusive(t *testing.T) {
	for _, powers := range [][]verdict.Power{{verdict.Decide}, {verdict.Refute}, {verdict.Support}, {verdict.Decide, verdict.Refute}} {
		r := Requirement{ID: "r", Level: Mandatory, Checks: can(powers...)}
		if got := judge(t, r, ICS{}, say(na, na)); got.Verdict != open {
			t.Errorf("%q all not applicable: %s", powers, got.Verdict)
		}
	}
	if got := judge(t, Requirement{ID: "r", Level: Mandatory}, ICS{}, nil); got.Verdict != open || got.Why.String() != "no check looks at it" {
		t.Errorf("no checks: %s, %q", got.Verdict, got.Why)
	}
}

func TestRule10AdvisoryFailsWhereMapped(t *testing.T) {
	for v, basis := range map[verdict.Verdict]verdict.Basis{pass: verdict.Tested, open: verdict.Declared} {
		d := say(v)["a.b"]
		d.Items[0].Advisory = msg.T("weak")
		for _, mapped := range []bool{true, false} {
			r := Requirement{ID: "r", Level: Recommended, Checks: []Mapping{{Check: "a.b", Can: verdict.Decide, Advisory: mapped}}}
			want := v
			if mapped {
				want = fail
			}
			got := judge(t, r, ICS{}, Decisions{"a.b": d})
			if got.Verdict != want || mapped && got.Basis != basis {
				t.Errorf("advisory beside %s, mapped %t: %s on %q, want %s", v, mapped, got.Verdict, got.Basis, want)
			}
		}
	}
	r := Requirement{ID: "r", Level: Recommended, Checks: []Mapping{{Check: "a.b", Can: verdict.Decide, Advisory: true}}}
	if got := judge(t, r, ICS{}, say(pass)); got.Verdict != pass {
		t.Errorf("mapped without an advisory = %s", got.Verdict)
	}
}

func TestRequirementCarriesItsText(t *testing.T) {
	p := parse(t, "{id: r, level: mandatory, text: Keep it., checks: [{check: a.b, can: decide}, {check: a.c, with: {n: 4}, can: refute}]}")
	all, defects := p.Judge(ICS{}, Decisions{"a.b": said(pass, verdict.Tested), `a.c{"n":4}`: said(pass, verdict.Tested)})
	got := all[0]
	if got.Profile != "p" || got.Text != "Keep it." || got.Verified != "verified: s" || got.Level != "mandatory" || len(defects) > 0 {
		t.Errorf("requirement = %+v, defects = %v", got, defects)
	}
	if strings.Join(got.Checks, " ") != `a.b a.c{"n":4}` || got.Why.String() != "passed: a.b, a.c" {
		t.Errorf("checks = %q, why = %q", got.Checks, got.Why)
	}
}

// The sentence names the checks that carry the verdict and no others.
func TestWhyNamesTheChecks(t *testing.T) {
	tests := []struct {
		name   string
		powers []verdict.Power
		say    []verdict.Verdict
		want   string
	}{
		{"the_one_that_failed", []verdict.Power{verdict.Decide, verdict.Refute}, []verdict.Verdict{fail, pass}, "failed: a.b"},
		{"both_that_failed", []verdict.Power{verdict.Decide, verdict.Refute}, []verdict.Verdict{fail, fail}, "failed: a.b, a.c"},
		{"not_what_supports", []verdict.Power{verdict.Refute, verdict.Support}, []verdict.Verdict{fail, fail}, "failed: a.b"},
		{"not_what_is_open", []verdict.Power{verdict.Decide, verdict.Refute}, []verdict.Verdict{pass, open}, "passed: a.b"},
		{"all_that_passed", []verdict.Power{verdict.Decide, verdict.Support}, []verdict.Verdict{pass, pass}, "passed: a.b, a.c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Requirement{ID: "r", Level: Mandatory, Checks: can(tt.powers...)}
			if got := judge(t, r, ICS{}, say(tt.say...)).Why.String(); got != tt.want {
				t.Errorf("why = %q, want %q", got, tt.want)
			}
		})
	}
	twice := Requirement{ID: "r", Level: Mandatory, Cases: []Case{{"c", can(verdict.Decide)}, {"d", can(verdict.Decide)}}}
	if got := judge(t, twice, ICS{}, say(pass)).Why.String(); got != "passed: a.b" {
		t.Errorf("in two cases: %q", got)
	}
}

// What made a requirement fail is named once, and nothing that only stands in
// the way of a pass.
func TestFailedByNamesWhatFailed(t *testing.T) {
	tests := []struct {
		name   string
		powers []verdict.Power
		said   []verdict.Verdict
		want   []string
	}{
		{"pass", []verdict.Power{verdict.Decide}, []verdict.Verdict{pass}, nil},
		{"one_of_two", []verdict.Power{verdict.Decide, verdict.Refute}, []verdict.Verdict{pass, fail}, []string{"a.c"}},
		{"both", []verdict.Power{verdict.Decide, verdict.Refute}, []verdict.Verdict{fail, fail}, []string{"a.b", "a.c"}},
		{"support_makes_no_fail", []verdict.Power{verdict.Decide, verdict.Support}, []verdict.Verdict{pass, fail}, nil},
		{"support_beside_a_fail", []verdict.Power{verdict.Decide, verdict.Support}, []verdict.Verdict{fail, fail}, []string{"a.b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ms := can(tt.powers...)
			for _, list := range [][]Mapping{ms, append(ms, ms...)} {
				got := judge(t, Requirement{ID: "r", Level: Mandatory, Text: "x", Checks: list}, ICS{}, say(tt.said...)).FailedBy
				if !slices.Equal(got, tt.want) {
					t.Errorf("failed by %q, want %q", got, tt.want)
				}
			}
		})
	}
}
