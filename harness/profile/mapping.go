package profile

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// The checks that profiles use without naming them.
const (
	// Inspection reads what a person answered to the question of a manual line.
	Inspection = "inspection.requirement-met"
	// Consistency bears on the declaration as a whole, and so on no requirement.
	Consistency = "declaration.consistent-with-evidence"
)

// A Mapping says what one check can do to the requirement that holds it.
type Mapping struct {
	Check    string        `yaml:"check" json:"check"`
	With     check.With    `yaml:"with" json:"with,omitempty"`
	Can      verdict.Power `yaml:"can" json:"can"`
	Advisory bool          `yaml:"advisory" json:"advisory,omitempty"` // an advisory is a fail here; recommended only
}

// Key returns the name of m's decision.
func (m Mapping) Key() string { return m.Check + m.With.String() }

// Mappings returns the mappings of r and of its cases, and last the one that
// its manual line stands for, if there is one.
func (r Requirement) Mappings() []Mapping {
	all := r.written()
	if r.inspection.Check != "" {
		all = append(all, r.inspection)
	}
	return all
}

// written returns the mappings that stand in the profile.
func (r Requirement) written() []Mapping {
	all := slices.Clone(r.Checks)
	for _, c := range r.Cases {
		all = append(all, c.Checks...)
	}
	return all
}

// inspect returns the mapping of r's manual line. Where a check decides, the
// line is only advice and there is none.
func (r Requirement) inspect(profile string) Mapping {
	decides := func(m Mapping) bool { return m.Can == verdict.Decide }
	if r.Manual == "" || slices.ContainsFunc(r.written(), decides) {
		return Mapping{}
	}
	return Mapping{Check: Inspection, Can: verdict.Decide, With: check.With{
		"question":  profile + ":" + r.ID,
		"provision": r.ID,
		"declared":  slices.Contains(r.Accepts, verdict.Declared),
	}}
}

// Question returns the question whose answer decides r, empty if none does.
func (r Requirement) Question() string {
	q, _ := r.inspection.With["question"].(string)
	return q
}

// Mappings returns every mapping of p once, by the name of its decision, and
// the one on which the headline rests.
func (p *Profile) Mappings() []Mapping {
	all := []Mapping{{Check: Consistency, Can: verdict.Support}}
	seen := map[string]bool{Consistency: true}
	for _, r := range p.Requirements {
		for _, m := range r.Mappings() {
			if !seen[m.Key()] {
				seen[m.Key()] = true
				all = append(all, m)
			}
		}
	}
	return all
}

// verdict is d's, or fail where m turns advisories into fails.
func (m Mapping) verdict(d result.Decision) verdict.Verdict {
	if m.advised(d) {
		return verdict.Fail
	}
	return d.Verdict
}

// basis is that of m.verdict. An advisory beside an open decision has none of
// its own, and counts for the least that it can be.
func (m Mapping) basis(d result.Decision) verdict.Basis {
	if m.advised(d) && d.Basis == "" {
		return verdict.Declared
	}
	return d.Basis
}

func (m Mapping) advised(d result.Decision) bool {
	advised := func(i result.Item) bool { return !i.Advisory.IsZero() }
	return m.Advisory && slices.ContainsFunc(d.Items, advised)
}
