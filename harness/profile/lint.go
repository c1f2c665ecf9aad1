package profile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/verdict"
)

// A Finding is something in a profile that can be read and should not stand.
type Finding struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // from 1
	What   string `json:"what"`   // what is wrong and what to do
}

// String names the place and what is wrong.
func (f Finding) String() string {
	return (&Error{f.File, f.Line, f.Column, f.What}).Error()
}

// Lint looks for what makes a profile claim too much, or decide less than it
// seems to. The findings are in the order of the file.
func Lint(p *Profile, known map[string]check.Check, facts Facts) []Finding {
	l := &linter{Profile: p, known: known, facts: facts}
	l.features()
	l.texts()
	for i, r := range p.Requirements {
		at := []any{"requirements", i}
		l.powers(at, r)
		l.duplicates(under(at, "checks"), r.Checks)
		for j, c := range r.Cases {
			l.duplicates(under(at, "cases", j, "checks"), c.Checks)
		}
		l.deciders(at, r)
		l.bases(at, r)
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.found
}

type linter struct {
	*Profile
	known map[string]check.Check
	facts Facts
	found []Finding
}

func (l *linter) report(path []any, format string, args ...any) {
	e := l.doc.at(path, format, args...)
	l.found = append(l.found, Finding{e.File, e.Line, e.Column, e.What})
}

// features finds questions that no requirement asks, and conditions that
// nothing answers. The second kind is refused when a profile is read from a
// file; a profile may be put together otherwise.
func (l *linter) features() {
	used := map[string]bool{}
	for i, r := range l.Requirements {
		for j, entry := range r.AppliesIf {
			name, _ := feature(entry)
			used[name] = true
			if l.Features[name] == "" {
				l.report([]any{"requirements", i, "applies_if", j}, "requirement %q: no feature has the name %q; add its question", r.ID, name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Features)) {
		if !used[name] {
			l.report([]any{"features", name}, "no requirement asks for the feature %q; remove it", name)
		}
	}
}

// texts finds requirements that nobody could tell apart.
func (l *linter) texts() {
	first := map[string]string{}
	for i, r := range l.Requirements {
		text := strings.ToLower(strings.Join(strings.Fields(r.Text), " "))
		if other, ok := first[text]; ok {
			l.report([]any{"requirements", i, "text"}, "requirement %q has the text of %q; say what differs", r.ID, other)
			continue
		}
		first[text] = r.ID
	}
}

// powers finds mappings that claim more than evidence can show.
func (l *linter) powers(at []any, r Requirement) {
	for i, m := range r.Checks {
		l.power(under(at, "checks", i, "can"), r, m)
	}
	for i, c := range r.Cases {
		for j, m := range c.Checks {
			l.power(under(at, "cases", i, "checks", j, "can"), r, m)
		}
	}
}

func (l *linter) power(path []any, r Requirement, m Mapping) {
	if most, ok := l.facts.atMost[m.Check]; ok && rank(m.Can) > rank(most.can) {
		l.report(path, "check %q can at most %s: %s; write can: %s", m.Check, most.can, most.why, most.can)
		return
	}
	f, ok := l.facts.rows[[2]string{l.ID, r.ID}]
	if !ok || m.Can != verdict.Decide || m.Check == Inspection {
		return
	}
	switch {
	case !f.decidable():
		l.report(path, "check %q cannot decide %q, for which there is only evidence of kind %s; write can: refute",
			m.Check, r.ID, strings.Join(f.codes, " "))
	case !slices.Contains(f.deciders, m.Check):
		l.report(path, "check %q cannot decide %q; %s; write can: refute", m.Check, r.ID, whatDecides(f))
	default:
		l.together(path, r, m, f)
	}
}

// together finds a decider that is mapped without the others that it needs.
func (l *linter) together(path []any, r Requirement, m Mapping, f fact) {
	for _, other := range f.deciders {
		decides := func(m Mapping) bool { return m.Check == other && m.Can == verdict.Decide }
		if !slices.ContainsFunc(r.written(), decides) {
			l.report(path, "check %q decides %q only together with %q; map that too, or write can: refute", m.Check, r.ID, other)
		}
	}
}

func whatDecides(f fact) string {
	if len(f.deciders) == 0 {
		return "only a person or a document decides it"
	}
	return fmt.Sprintf("what decides it is %q", f.deciders)
}

// rank orders powers by what they can do to a requirement.
func rank(p verdict.Power) int {
	return slices.Index([]verdict.Power{verdict.Support, verdict.Refute, verdict.Decide}, p)
}

func (l *linter) duplicates(path []any, ms []Mapping) {
	seen := map[string]bool{}
	for i, m := range ms {
		if seen[m.Key()] {
			l.report(under(path, i), "check %q is mapped twice; remove one", m.Key())
		}
		seen[m.Key()] = true
	}
}

// deciders finds requirements that nothing can decide.
func (l *linter) deciders(at []any, r Requirement) {
	decides := func(m Mapping) bool { return m.Can == verdict.Decide }
	if !slices.ContainsFunc(r.Mappings(), decides) {
		l.report(at, "requirement %q: nothing decides it, and nobody is told what to do next; add a manual line", r.ID)
	}
}

// bases finds accepted bases on which nothing that decides can rest.
func (l *linter) bases(at []any, r Requirement) {
	reach := r.reach(l.known)
	if len(reach) == 0 {
		return
	}
	written := l.doc.find(under(at, "accepts")) != l.doc.find(at)
	for i, b := range r.Accepts {
		if written && !slices.Contains(reach, b) {
			l.report(under(at, "accepts", i), "requirement %q accepts %q, and nothing that decides it rests on that; remove it", r.ID, b)
		}
	}
	accepted := func(b verdict.Basis) bool { return slices.Contains(r.accepts(), b) }
	if !slices.ContainsFunc(reach, accepted) {
		l.report(under(at, "accepts"), "requirement %q can never pass: what decides it is %q, and it accepts %q", r.ID, reach, r.accepts())
	}
}
