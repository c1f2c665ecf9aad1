package profile

import (
	"slices"

	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// open says why a requirement without a verdict has none, and which action
// would decide it: the first deciding check that is open says so itself; then
// come what blocks a pass, and what a person can do.
func (r Requirement) open(ds Decisions) (why, next msg.Text) {
	if m, ok := r.first(func(m Mapping) bool { return !m.verdict(ds[m.Key()]).Valid() }); ok {
		return msg.T("no decision of check {check}", "check", m.Check), msg.T("report the defects that this run lists")
	}
	if m, ok := r.first(func(m Mapping) bool {
		return m.Can == verdict.Decide && m.verdict(ds[m.Key()]) == verdict.Inconclusive
	}); ok {
		return r.undecided(m, ds)
	}
	if m, ok := r.first(func(m Mapping) bool {
		return m.Can == verdict.Support && m.verdict(ds[m.Key()]) == verdict.Fail
	}); ok {
		return msg.T("what {check} found stands in the way", "check", m.Check), r.remedy(ds[m.Key()])
	}
	return r.undecidable(ds)
}

// first returns the first mapping that is so.
func (r Requirement) first(so func(Mapping) bool) (Mapping, bool) {
	all := r.Mappings()
	if i := slices.IndexFunc(all, so); i >= 0 {
		return all[i], true
	}
	return Mapping{}, false
}

// undecided speaks for a deciding check that is open.
func (r Requirement) undecided(m Mapping, ds Decisions) (why, next msg.Text) {
	open := func(i result.Item) bool { return i.Verdict == verdict.Inconclusive }
	d := ds[m.Key()]
	i := slices.IndexFunc(d.Items, open)
	switch {
	case i < 0 || d.Items[i].Why.IsZero() || d.Items[i].Next.IsZero():
		return msg.T("check {check} is open", "check", m.Check), r.toDecide()
	case m.Check != Inspection || len(d.Items[i].Refs) > 0:
		return d.Items[i].Why, d.Items[i].Next
	}
	// Nobody has answered: a person has to, and needs to know what to look at.
	if tried := r.passed(ds); tried != "" {
		return msg.T("no violation found by {checks}; to decide: {text}", "checks", tried, "text", r.Manual), r.toDecide()
	}
	return msg.T("a person decides it, and none has answered: {text}", "text", r.Manual), r.toDecide()
}

// undecidable speaks for a requirement for which nothing open could decide.
func (r Requirement) undecidable(ds Decisions) (why, next msg.Text) {
	switch tried := r.passed(ds); {
	case tried != "" && r.Manual != "":
		return msg.T("no violation found by {checks}; to decide: {text}", "checks", tried, "text", r.Manual), r.toDecide()
	case tried != "":
		return msg.T("no violation found by {checks}, which cannot decide it", "checks", tried), r.toDecide()
	case len(r.Mappings()) == 0:
		return msg.T("no check looks at it"), r.toDecide()
	}
	return msg.T("the checks found nothing that they could judge"), r.toDecide()
}

// remedy is what removes a finding that stands in the way.
func (r Requirement) remedy(d result.Decision) msg.Text {
	if d.Remedy.IsZero() {
		return msg.T("remove what it found, then run again")
	}
	return d.Remedy
}

// toDecide says what would decide r.
func (r Requirement) toDecide() msg.Text {
	deciding := r.named(func(m Mapping) bool { return m.Can == verdict.Decide })
	switch {
	case r.Question() != "":
		return msg.T("look and record the answer to {question} in the device file: {text}", "question", r.Question(), "text", r.Manual)
	case r.Manual != "":
		return msg.T("{text}", "text", r.Manual)
	case deciding != "":
		return msg.T("bring evidence for {checks}", "checks", deciding)
	}
	return msg.T("let a person inspect it and record the answer")
}
