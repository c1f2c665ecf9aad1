package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// Decisions holds what the checks said, by check ID and parameters.
type Decisions map[string]result.Decision

// Judge judges every requirement of p, in its order.
func (p *Profile) Judge(ics ICS, ds Decisions) ([]result.Requirement, []result.Defect) {
	var out []result.Requirement
	var defects []result.Defect
	for _, r := range p.Requirements {
		judged, broken := r.Judge(ics, ds)
		judged.Profile = p.ID
		out = append(out, judged)
		defects = append(defects, broken...)
	}
	return out, defects
}

// Judge combines the decisions that r maps, as far as r applies. A mapped check
// without a decision is a defect, and leaves r open.
func (r Requirement) Judge(ics ICS, ds Decisions) (result.Requirement, []result.Defect) {
	out := result.Requirement{
		ID: r.ID, Level: string(r.Level), Text: r.Text, Verified: r.Verified.String(),
		Applicable: r.applies(ics), Checks: []string{},
	}
	var defects []result.Defect
	for _, m := range r.Mappings() {
		out.Checks = append(out.Checks, m.Key())
		if _, ok := ds[m.Key()]; !ok {
			defects = append(defects, result.Defect{Where: "requirement " + r.ID, What: fmt.Sprintf("no decision of check %q", m.Key())})
		}
	}
	for _, c := range r.Cases {
		v, _ := verdict.OfChecks(votes(c.Checks, ds)...)
		out.Cases = append(out.Cases, result.Case{ID: c.ID, Verdict: v})
	}
	r.settle(&out, ics, ds)
	for _, m := range r.Mappings() {
		if out.Verdict == verdict.Fail && m.fails(ds) && !slices.Contains(out.FailedBy, m.Key()) {
			out.FailedBy = append(out.FailedBy, m.Key())
		}
	}
	return out, defects
}

// fails reports whether m makes its requirement fail.
func (m Mapping) fails(ds Decisions) bool {
	return m.Can != verdict.Support && m.verdict(ds[m.Key()]) == verdict.Fail
}

// settle gives out its verdict, and says why. What the checks say counts only
// as far as the declaration and the accepted bases let it; a proven violation
// always counts.
func (r Requirement) settle(out *result.Requirement, ics ICS, ds Decisions) {
	set := func(v verdict.Verdict, b verdict.Basis, why, next msg.Text) {
		out.Verdict, out.Basis, out.Why, out.Next = v, b, why, next
	}
	var none msg.Text
	declined := ics.Provisions[r.ID] == evidence.No
	switch v, b := verdict.OfChecks(votes(r.Mappings(), ds)...); {
	case v == verdict.Fail:
		set(v, b, msg.T("failed: {checks}", "checks", r.failed(ds)), r.gap(ics))
	case out.Applicable == evidence.No:
		set(verdict.NotApplicable, verdict.Declared, msg.T("declared not to apply: {features}", "features", r.answers(ics, evidence.No)), none)
	case out.Applicable == evidence.Unknown:
		set(verdict.Inconclusive, "", msg.T("not declared whether it applies: {features}", "features", r.answers(ics, evidence.Unknown)), r.gap(ics))
	case declined && r.Level == Mandatory:
		set(verdict.Fail, verdict.Declared, msg.T("the manufacturer declares that it is not met"), none)
	case declined:
		set(verdict.Inconclusive, "", msg.T("the manufacturer declares that it is not met, which a recommendation allows"),
			msg.T("meet it and declare it in the device file as supported"))
	case v == verdict.Pass && !slices.Contains(r.accepts(), b):
		set(verdict.Inconclusive, "", msg.T("shown only as {basis}", "basis", orNothing(b)), r.toDecide())
	case v == verdict.Pass:
		set(v, b, msg.T("passed: {checks}", "checks", r.passed(ds)), none)
	default:
		why, next := r.open(ds)
		set(verdict.Inconclusive, "", why, next)
	}
}

// orNothing names a basis that may be none.
func orNothing(b verdict.Basis) string {
	if b == "" {
		return "nothing"
	}
	return string(b)
}

// gap says what the declaration lacks or gets wrong about r, if anything. A
// violation shows that a feature exists, whatever is declared.
func (r Requirement) gap(ics ICS) msg.Text {
	switch r.applies(ics) {
	case evidence.No:
		return msg.T("correct in the device file, for it was seen otherwise: {features}", "features", r.answers(ics, evidence.No))
	case evidence.Unknown:
		return msg.T("answer in the device file: {features}", "features", r.answers(ics, evidence.Unknown))
	}
	return msg.Text{}
}

func (r Requirement) accepts() []verdict.Basis {
	if len(r.Accepts) == 0 {
		return []verdict.Basis{verdict.Tested, verdict.Inspected}
	}
	return r.Accepts
}

func votes(ms []Mapping, ds Decisions) []verdict.Vote {
	var vs []verdict.Vote
	for _, m := range ms {
		d := ds[m.Key()]
		vs = append(vs, verdict.Vote{Verdict: m.verdict(d), Basis: m.basis(d), Can: m.Can})
	}
	return vs
}

// failed lists the mapped checks that make r fail.
func (r Requirement) failed(ds Decisions) string {
	return r.named(func(m Mapping) bool { return m.fails(ds) })
}

// passed lists the mapped checks that pass.
func (r Requirement) passed(ds Decisions) string {
	return r.named(func(m Mapping) bool { return m.verdict(ds[m.Key()]) == verdict.Pass })
}

// named lists the checks of the mappings that are so.
func (r Requirement) named(so func(Mapping) bool) string {
	var names []string
	for _, m := range r.Mappings() {
		if so(m) && !slices.Contains(names, m.Check) {
			names = append(names, m.Check)
		}
	}
	return strings.Join(names, ", ")
}
