package profile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/verdict"
)

const (
	codeTable = "profile,requirement,codes,decide\n" +
		"p,both,N= D,a.b a.c\n" +
		"p,one,N= C-,a.b\n" +
		"p,never,N- F- D H,\n" +
		"p,person,H=,\n"
	powerTable = "check,at_most,why\na.said,refute,a list says nothing of the rest\n"
)

func tables(t *testing.T) Facts {
	t.Helper()
	f, err := ParseFacts([]byte(codeTable), []byte(powerTable))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLint(t *testing.T) {
	tests := []struct {
		name, requirements string
		want               string // "line:column what", empty if there is nothing to find
	}{
		{
			name:         "one_decides",
			requirements: "{id: one, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.b, can: decide}]}",
			want:         "",
		},
		{
			name:         "both_decide",
			requirements: "{id: both, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.b, can: decide}, {check: a.c, can: decide}]}",
			want:         "",
		},
		{
			name:         "nothing_known",
			requirements: "{id: other, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.c, can: decide}]}",
			want:         "",
		},
		{
			name:         "a_person_decides",
			requirements: "{id: never, level: mandatory, text: x, applies_if: [f, not g], manual: y,\nchecks: [{check: a.c, can: refute}]}",
			want:         "",
		},
		{
			name:         "weak_evidence",
			requirements: "{id: never, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.b, can: decide}]}",
			want:         `6:28 check "a.b" cannot decide "never", for which there is only evidence of kind N- F- D H; write can: refute`,
		},
		{
			name:         "weak_evidence_in_a_case",
			requirements: "{id: never, level: mandatory, text: x, applies_if: [f, not g],\ncases: [{id: c, checks: [{check: a.b, can: decide}]}]}",
			want:         `6:44 check "a.b" cannot decide "never"`,
		},
		{
			name:         "another_check_decides",
			requirements: "{id: one, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.b, can: decide}, {check: a.c, can: decide}]}",
			want:         `6:55 check "a.c" cannot decide "one"; what decides it is ["a.b"]; write can: refute`,
		},
		{
			name:         "only_a_person_decides",
			requirements: "{id: person, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.b, can: decide}]}",
			want:         `6:28 check "a.b" cannot decide "person"; only a person or a document decides it`,
		},
		{
			name:         "half_of_what_decides",
			requirements: "{id: both, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.b, can: decide}, {check: a.c, can: refute}]}",
			want:         `6:28 check "a.b" decides "both" only together with "a.c"`,
		},
		{
			name:         "a_list_decides",
			requirements: "{id: other, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.b, can: decide}, {check: a.said, can: decide}]}",
			want:         `6:58 check "a.said" can at most refute: a list says nothing of the rest; write can: refute`,
		},
		{
			name:         "a_list_refutes",
			requirements: "{id: other, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.b, can: decide}, {check: a.said, can: refute}]}",
			want:         "",
		},
		{
			name:         "a_list_supports",
			requirements: "{id: other, level: mandatory, text: x, applies_if: [f, not g],\nchecks: [{check: a.b, can: decide}, {check: a.said, can: support}]}",
			want:         "",
		},
		{
			name:         "unused_feature",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f], manual: y}",
			want:         `2:36 no requirement asks for the feature "g"; remove it`,
		},
		{
			name:         "same_text",
			requirements: "{id: r, level: mandatory, text: Do  it, applies_if: [f], manual: y},\n{id: s, level: mandatory, text: do it, applies_if: [g], manual: z}",
			want:         `6:33 requirement "s" has the text of "r"; say what differs`,
		},
		{
			name:         "mapped_twice",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f, g], manual: y,\nchecks: [{check: a.b, can: refute},\n{check: a.b, can: support}]}",
			want:         `7:1 check "a.b" is mapped twice`,
		},
		{
			name:         "mapped_twice_in_a_case",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f, g], manual: y,\ncases: [{id: c, checks: [{check: a.b, can: refute},\n{check: a.b, can: refute}]}]}",
			want:         `7:1 check "a.b" is mapped twice`,
		},
		{
			name:         "in_two_cases",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f, g], manual: y,\ncases: [{id: c, checks: [{check: a.b, can: refute}]},\n{id: d, checks: [{check: a.b, can: refute}]}]}",
			want:         "",
		},
		{
			name:         "with_other_parameters",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f, g], manual: y,\nchecks: [{check: a.c, can: refute},\n{check: a.c, with: {n: 1}, can: refute}]}",
			want:         "",
		},
		{
			name:         "nobody_decides",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f, g], checks: [{check: a.b, can: refute}]}",
			want:         `5:1 requirement "r": nothing decides it`,
		},
		{
			name:         "basis_out_of_reach",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f, g], manual: y,\naccepts: [inspected,\ntested]}",
			want:         `7:1 requirement "r" accepts "tested", and nothing that decides it rests on that; remove it`,
		},
		{
			name:         "declaration_out_of_reach",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f, g], checks: [{check: a.c, can: decide}],\naccepts: [tested, declared]}",
			want:         `6:19 requirement "r" accepts "declared"`,
		},
		{
			name:         "declaration_in_reach",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f, g], manual: y, accepts: [inspected, declared]}",
			want:         "",
		},
		{
			name:         "never_passes",
			requirements: "{id: r, level: mandatory, text: x, applies_if: [f, g], checks: [{check: a.said, can: refute}, {check: a.c, can: decide}],\naccepts: [inspected]}",
			want:         `6:10 requirement "r" can never pass: what decides it is ["tested"], and it accepts ["inspected"]`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := Lint(parse(t, tt.requirements), known(), tables(t))
			var got []string
			for _, f := range found {
				got = append(got, fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.What))
			}
			if tt.want == "" && len(got) > 0 {
				t.Errorf("found %q", got)
			}
			if !strings.Contains(strings.Join(got, "\n"), tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFindingsFollowTheFile(t *testing.T) {
	found := Lint(parse(t, "{id: r, level: mandatory, text: x, checks: [{check: a.b, can: refute}]},\n{id: s, level: mandatory, text: x, checks: [{check: a.b, can: refute}]}"), known(), Facts{})
	for i := range found[1:] {
		if found[i].Line > found[i+1].Line {
			t.Errorf("%s comes before %s", found[i], found[i+1])
		}
	}
	if len(found) != 5 || !strings.HasPrefix(found[0].String(), `profile "p.yaml", line 2, column 15: no requirement asks`) {
		t.Errorf("found %q", found)
	}
}

// A profile that was put together without a file has no places, and is looked
// at all the same.
func TestLintWithoutAFile(t *testing.T) {
	p := &Profile{ID: "p", Requirements: []Requirement{{ID: "never", AppliesIf: []string{"f"}, Checks: []Mapping{{Check: "a.b", Can: verdict.Decide}}}}}
	found := Lint(p, known(), tables(t))
	if len(found) != 2 || !strings.Contains(found[0].What, `no feature has the name "f"`) || !strings.Contains(found[1].What, "cannot decide") {
		t.Errorf("found %q", found)
	}
}

func TestParseFacts(t *testing.T) {
	tests := []struct{ name, codes, powers, want string }{
		{"good", codeTable, powerTable, ""},
		{"no_header", "p,r,N=,a.b\n", powerTable, "the first line is not"},
		{"empty", "", powerTable, "the first line is not"},
		{"columns", codeTable + "p,r\n", powerTable, "wrong number of fields"},
		{"twice", codeTable + "p,one,N=,a.b\n", powerTable, "appears twice"},
		{"decides_without_evidence", codeTable + "p,r,N- D,a.b\n", powerTable, "decide nothing"},
		{"no_power", codeTable, powerTable + "a.b,prove,because\n", `the power "prove"`},
		{"no_reason", codeTable, powerTable + "a.b,refute,\n", `because of ""`},
		{"powers_without_header", codeTable, "a.b,refute,x\n", "reading powers of checks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseFacts([]byte(tt.codes), []byte(tt.powers))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestCoverage(t *testing.T) {
	p := parse(t, `{id: tested, level: mandatory, text: a, checks: [{check: a.b, can: decide}, {check: a.c, can: refute}]},
		{id: inspected, level: mandatory, text: b, manual: y, checks: [{check: a.b, can: refute}]},
		{id: process, level: recommended, text: c, manual: y, accepts: [inspected, declared]},
		{id: declared, level: mandatory, text: d, checks: [{check: a.said, can: decide}], accepts: [declared]},
		{id: not-accepted, level: mandatory, text: e, checks: [{check: a.said, can: decide}]},
		{id: refuted, level: mandatory, text: f, checks: [{check: a.b, can: refute}]},
		{id: supported, level: mandatory, text: g, checks: [{check: a.b, can: support}]}`)
	got := Coverage(p, known())
	want := map[string]string{
		"tested": "[tested] true", "inspected": "[inspected] true", "process": "[inspected declared] false", "declared": "[declared] true",
		"not-accepted": "[] true", "refuted": "[] true", "supported": "[] false",
	}
	for _, c := range got.Requirements {
		if s := fmt.Sprint(c.Decided, c.Refutable); s != want[c.ID] {
			t.Errorf("%s: %s, want %s", c.ID, s, want[c.ID])
		}
	}
	if want := (CoverCounts{Tested: 1, Inspected: 2, Declared: 1, OnlyRefuted: 2, Nobody: 1, Refutable: 5}); got.Total != want || len(got.Requirements) != 7 {
		t.Errorf("total = %+v, want %+v", got.Total, want)
	}
}

func TestReachOfAnUnknownCheck(t *testing.T) {
	if got := (Mapping{Check: "x.y", Can: verdict.Decide}).reach(map[string]check.Check{}); len(got) != 0 {
		t.Errorf("reaches %q", got)
	}
}
