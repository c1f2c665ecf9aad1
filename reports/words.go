package reports

import (
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// These sentences are the same in every format for people.

func verdictWord(v verdict.Verdict) msg.Text {
	switch v {
	case verdict.Pass:
		return msg.T("pass")
	case verdict.Fail:
		return msg.T("fail")
	case verdict.Inconclusive:
		return msg.T("inconclusive")
	case verdict.NotApplicable:
		return msg.T("not applicable")
	case "":
		return msg.T("no verdict")
	}
	return msg.T("no verdict: {what}", "what", v)
}

func basisWord(b verdict.Basis) msg.Text {
	switch b {
	case verdict.Tested:
		return msg.T("tested")
	case verdict.Inspected:
		return msg.T("inspected")
	case verdict.Declared:
		return msg.T("declared")
	case "":
		return msg.Text{}
	}
	return msg.T("unknown basis: {what}", "what", b)
}

func statusWord(s evidence.Status) msg.Text {
	switch s {
	case evidence.Collected:
		return msg.T("collected")
	case evidence.Partial:
		return msg.T("partial")
	case evidence.Failed:
		return msg.T("failed")
	case evidence.NotPermitted:
		return msg.T("not permitted")
	case evidence.NotRun:
		return msg.T("not run")
	}
	return msg.T("unknown status: {what}", "what", s)
}

func countsText(c result.Counts) msg.Text {
	return msg.T("fail {fail}, inconclusive {inconclusive}, pass {pass}, not applicable {not_applicable}",
		"fail", c.Fail, "inconclusive", c.Inconclusive, "pass", c.Pass, "not_applicable", c.NotApplicable)
}

// someCounts is for lists in which most counts are zero.
func someCounts(c result.Counts) msg.Text {
	switch {
	case c == result.Counts{}:
		return msg.Text{}
	case c.Fail == 0 && c.Inconclusive == 0 && c.NotApplicable == 0:
		return msg.T("pass {pass}", "pass", c.Pass)
	case c.Fail == 0 && c.NotApplicable == 0:
		return msg.T("inconclusive {inconclusive}, pass {pass}", "inconclusive", c.Inconclusive, "pass", c.Pass)
	}
	return countsText(c)
}

func coverageText(c result.Coverage) msg.Text {
	return msg.T("test {tested}, inspection {inspected}, declaration {declared}, nobody {nobody}",
		"tested", c.Tested, "inspected", c.Inspected, "declared", c.Declared, "nobody", c.Undecided)
}

func consistencyText(v verdict.Verdict) msg.Text {
	switch v {
	case verdict.Pass:
		return msg.T("nothing that was observed contradicts it")
	case verdict.Fail:
		return msg.T("CONTRADICTED by what was observed")
	case verdict.NotApplicable:
		return msg.T("it says nothing that could be compared with what was observed")
	}
	return msg.T("not settled whether it agrees with what was observed")
}

// closing says in one line how the run stands and what to do next.
func closing(r result.Result, s summary, o Options) msg.Text {
	proven, open := len(s.findings), len(s.actions)
	next := nextStep(r, s, o)
	switch {
	case len(r.Requirements) == 0:
		return msg.T("nothing was judged: no profile asks for anything")
	case proven == 0 && open == 0 && len(r.Defects) > 0:
		return msg.T("no failure proven, next: {next}", "next", next)
	case proven == 0 && open == 0:
		return msg.T("no failure proven, nothing needs you")
	case proven == 0 && open == 1:
		return msg.T("no failure proven, 1 thing needs you, next: {next}", "next", next)
	case proven == 0:
		return msg.T("no failure proven, {open} need you, next: {next}", "open", open, "next", next)
	case proven == 1 && open == 0:
		return msg.T("1 failure proven, nothing else needs you, next: {next}", "next", next)
	case proven == 1 && open == 1:
		return msg.T("1 failure proven, 1 thing needs you, next: {next}", "next", next)
	case proven == 1:
		return msg.T("1 failure proven, {open} need you, next: {next}", "open", open, "next", next)
	case open == 0:
		return msg.T("{proven} failures proven, nothing else needs you, next: {next}", "proven", proven, "next", next)
	case open == 1:
		return msg.T("{proven} failures proven, 1 thing needs you, next: {next}", "proven", proven, "next", next)
	}
	return msg.T("{proven} failures proven, {open} need you, next: {next}", "proven", proven, "open", open, "next", next)
}

// nextStep is to report a defect, else the action that decides most or, if
// nothing is open, the remedy of the first failure.
func nextStep(r result.Result, s summary, o Options) string {
	switch {
	case len(r.Defects) > 0:
		return o.say(msg.T("report the defects of this program"))
	case len(s.actions) > 0:
		return o.say(s.actions[0].next)
	case len(s.findings) > 0 && !s.findings[0].decision.Remedy.IsZero():
		return o.say(s.findings[0].decision.Remedy)
	}
	return o.say(msg.T("repair what failed and run again"))
}

// place names where an item was seen.
func place(i result.Item, o Options) string {
	where := i.Endpoint
	if where == "" {
		where = o.say(msg.T("the device"))
	}
	if i.Unit != evidence.DUT && i.Unit != "" {
		where = i.Unit + " " + where
	}
	return where
}

func places(items []result.Item, o Options) []string {
	names := make([]string, len(items))
	for n, i := range items {
		names[n] = place(i, o)
	}
	return names
}

// label names a requirement within its profile, with its level if it is not
// mandatory.
func label(q result.Requirement) string {
	if q.Level == mandatoryLevel {
		return q.ID
	}
	return q.ID + " (" + q.Level + ")"
}

// labelWithBasis is for lists of passes, in which a reader should see what was
// not tested.
func (o Options) labelWithBasis(q result.Requirement) string {
	if q.Verdict != verdict.Pass || q.Basis == verdict.Tested {
		return label(q)
	}
	return label(q) + " (" + o.say(basisWord(q.Basis)) + ")"
}

// byProfile lists qs by name, profile by profile, in their order.
func byProfile(qs []result.Requirement, name func(result.Requirement) string) (profiles []string, names map[string][]string) {
	names = map[string][]string{}
	for _, q := range qs {
		if names[q.Profile] == nil {
			profiles = append(profiles, q.Profile)
		}
		names[q.Profile] = append(names[q.Profile], name(q))
	}
	return profiles, names
}

// deviceName is what a unit calls itself, as far as it is declared.
func deviceName(u result.Unit) string {
	return strings.Join(strings.Fields(u.Manufacturer+" "+u.Model), " ")
}

// runLine is one fact about where the evidence comes from.
type runLine struct {
	label msg.Text
	text  string
}

// runLines lists what is known of a run.
func (o Options) runLines(run result.Run) []runLine {
	var known []runLine
	clock := run.Clock.Time.UTC().Format(time.RFC3339) + " (" + run.Clock.Source + ")"
	if run.Clock.Time.IsZero() {
		clock = ""
	}
	for _, l := range []runLine{
		{msg.T("run"), run.ID},
		{msg.T("clock"), clock},
		{msg.T("operator"), run.Operator},
		{msg.T("site"), run.Site},
		{msg.T("sample"), run.Sample},
		{msg.T("effect"), run.Effect},
		{msg.T("consent"), run.Consent},
		{msg.T("pace"), run.Pace},
		{msg.T("scope"), o.few(run.Scope)},
		{msg.T("capture"), run.Vantage},
		{msg.T("collected"), run.CollectedBy},
		{msg.T("judged"), run.JudgedBy},
		{msg.T("bundle"), string(run.BundleSHA256)},
	} {
		if l.text != "" {
			known = append(known, l)
		}
	}
	return known
}

// maxNamed bounds how many names one sentence lists.
const maxNamed = 12

// few lists names, and how many there are beyond those.
func (o Options) few(names []string) string {
	more := len(names) - maxNamed
	if more <= 0 {
		return strings.Join(names, ", ")
	}
	return o.say(msg.T("{names} and {n} more", "names", strings.Join(names[:maxNamed], ", "), "n", more))
}
