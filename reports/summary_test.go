package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// failing returns a requirement that cites checks and that some of them, which
// do not bear the word in their names, do not make fail.
func failing(id, level string, checks ...string) result.Requirement {
	innocent := func(check string) bool {
		return strings.HasSuffix(check, ".passes") || strings.HasSuffix(check, ".supports")
	}
	by := slices.DeleteFunc(slices.Clone(checks), innocent)
	return result.Requirement{Profile: etsi, ID: id, Level: level, Verdict: verdict.Fail, Checks: checks, FailedBy: by}
}

func TestFindings(t *testing.T) {
	weak := result.Item{Verdict: verdict.Pass, Advisory: msg.T("weak")}
	decisions := []result.Decision{
		{Check: "a.fails", Verdict: verdict.Fail},
		{Check: "b.fails", With: `{"n":1}`, Verdict: verdict.Fail},
		{Check: "c.weak", Verdict: verdict.Pass, Items: []result.Item{weak}},
		{Check: "d.passes", Verdict: verdict.Pass},
		{Check: "e.supports", Verdict: verdict.Fail},
	}
	tests := []struct {
		name string
		in   []result.Requirement
		want []string // check: requirements
	}{
		{"none", []result.Requirement{{ID: "1", Verdict: verdict.Pass, Checks: []string{"a.fails"}}}, nil},
		{"one", []result.Requirement{failing("1", "mandatory", "a.fails", "d.passes")}, []string{"a.fails: 1"}},
		{"one_check_two_requirements", []result.Requirement{failing("1", "mandatory", "a.fails"), failing("2", "mandatory", "a.fails")}, []string{"a.fails: 1 2"}},
		{"two_checks_one_requirement", []result.Requirement{failing("1", "mandatory", "a.fails", `b.fails{"n":1}`)}, []string{"a.fails: 1", `b.fails{"n":1}: 1`}},
		{"other_parameters", []result.Requirement{failing("1", "mandatory", "b.fails")}, []string{": 1"}},
		{"mandatory_first", []result.Requirement{failing("1", "recommended", "a.fails"), failing("2", "mandatory", `b.fails{"n":1}`)}, []string{`b.fails{"n":1}: 2`, "a.fails: 1"}},
		{"by_advisory", []result.Requirement{failing("1", "recommended", "c.weak", "d.passes")}, []string{"c.weak: 1"}},
		{"not_by_what_only_supports", []result.Requirement{failing("1", "recommended", "e.supports", "a.fails")}, []string{"a.fails: 1"}},
		{"by_declaration", []result.Requirement{failing("1", "mandatory", "d.passes"), failing("2", "mandatory")}, []string{": 1", ": 2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range findings(result.Result{Decisions: decisions, Requirements: tt.in}) {
				var ids []string
				for _, q := range f.requirements {
					ids = append(ids, q.ID)
				}
				got = append(got, f.decision.Key()+": "+strings.Join(ids, " "))
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestActionsAreInTheOrderOfWhatTheyDecide(t *testing.T) {
	open := func(id, level, next string) result.Requirement {
		return result.Requirement{ID: id, Level: level, Verdict: verdict.Inconclusive, Next: msg.T("{what}", "what", next), Why: msg.T("{why}", "why", id)}
	}
	as := actions([]result.Requirement{
		open("1", "recommended", "x"), open("2", "recommended", "x"), open("3", "recommended", "x"),
		open("4", "mandatory", "y"),
		open("5", "mandatory", "z"), open("6", "recommended", "z"),
		{ID: "7", Verdict: verdict.Pass, Next: msg.T("y")},
	})
	var got []string
	for _, a := range as {
		got = append(got, a.next.String())
	}
	require.Equal(t, []string{"z", "y", "x"}, got)
	require.True(t, as[0].why().IsZero(), "two reasons are no reason")
	require.Equal(t, "4", as[1].why().String())
}

func TestSummaryLosesNothing(t *testing.T) {
	r := shared()
	s := summarize(r)
	listed := map[string]bool{}
	for _, f := range s.findings {
		for _, q := range f.requirements {
			listed[q.Profile+q.ID] = true
		}
	}
	for _, a := range s.actions {
		for _, q := range a.requirements {
			listed[q.Profile+q.ID] = true
		}
	}
	for _, q := range r.Requirements {
		require.Equal(t, q.Verdict == verdict.Fail || q.Verdict == verdict.Inconclusive, listed[q.Profile+q.ID], q.ID)
	}
	require.Equal(t, "web.session-expires", s.lone[0].Check)
	require.Len(t, s.advised, 1, "that of a finding is shown there")
	require.Len(t, s.barred, 2)
	require.Len(t, s.gaps, 3)
	require.Equal(t, 1, onTrust(r, psti))
	require.Equal(t, 0, onTrust(r, etsi))
}

func TestClosing(t *testing.T) {
	act, found := action{next: msg.T("do this")}, finding{decision: result.Decision{Remedy: msg.T("repair it")}}
	some := result.Result{Requirements: make([]result.Requirement, 1)}
	broken := result.Result{Requirements: some.Requirements, Defects: make([]result.Defect, 1)}
	tests := []struct {
		name         string
		r            result.Result
		proven, open int
		want         string
	}{
		{"nothing_asked", result.Result{}, 0, 0, "nothing was judged: no profile asks for anything"},
		{"all_well", some, 0, 0, "no failure proven, nothing needs you"},
		{"one_open", some, 0, 1, "no failure proven, 1 thing needs you, next: do this"},
		{"open", some, 0, 2, "no failure proven, 2 need you, next: do this"},
		{"one_failure", some, 1, 0, "1 failure proven, nothing else needs you, next: repair it"},
		{"one_of_each", some, 1, 1, "1 failure proven, 1 thing needs you, next: do this"},
		{"one_and_two", some, 1, 2, "1 failure proven, 2 need you, next: do this"},
		{"failures", some, 3, 0, "3 failures proven, nothing else needs you, next: repair it"},
		{"failures_and_one", some, 3, 1, "3 failures proven, 1 thing needs you, next: do this"},
		{"failures_and_open", some, 3, 4, "3 failures proven, 4 need you, next: do this"},
		{"defect", broken, 3, 4, "3 failures proven, 4 need you, next: report the defects of this program"},
		{"defect_alone", broken, 0, 0, "no failure proven, next: report the defects of this program"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s summary
			for range tt.proven {
				s.findings = append(s.findings, found)
			}
			for range tt.open {
				s.actions = append(s.actions, act)
			}
			got := closing(tt.r, s, Options{})
			require.NoError(t, got.Err())
			require.Equal(t, tt.want, got.String())
		})
	}
}

// Every word for a closed set is there, and what is outside of it says so.
func TestWords(t *testing.T) {
	for _, r := range shared().Records {
		require.NotContains(t, statusWord(r.Status).String(), "unknown")
	}
	require.Equal(t, "unknown status: ok", statusWord("ok").String())
	require.Equal(t, "unknown basis: hearsay", basisWord("hearsay").String())
	require.Equal(t, "no verdict: PASS", verdictWord("PASS").String())
	require.Equal(t, "no verdict", verdictWord("").String())
	for _, v := range []verdict.Verdict{verdict.Pass, verdict.Fail, verdict.Inconclusive, verdict.NotApplicable} {
		require.NotContains(t, verdictWord(v).String(), "no verdict")
		require.NotEmpty(t, consistencyText(v).String())
	}
	require.Equal(t, "", someCounts(result.Counts{}).String())
	require.Equal(t, "pass 2", someCounts(result.Counts{Pass: 2}).String())
	require.Equal(t, "inconclusive 1, pass 2", someCounts(result.Counts{Pass: 2, Inconclusive: 1}).String())
	require.Contains(t, someCounts(result.Counts{NotApplicable: 1}).String(), "not applicable 1")
}
