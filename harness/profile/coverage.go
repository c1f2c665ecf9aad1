package profile

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/verdict"
)

// A Cover says what can settle the requirements of a profile.
type Cover struct {
	Requirements []ClauseCover `json:"requirements"`
	Total        CoverCounts   `json:"total"`
}

// ClauseCover says what can settle one requirement.
type ClauseCover struct {
	ID        string          `json:"id"`
	Level     Level           `json:"level"`
	Decided   []verdict.Basis `json:"decided"`   // what a pass can rest on, the strongest first
	Refutable bool            `json:"refutable"` // a test can show a violation
}

// CoverCounts counts requirements by the strongest that can decide them. The
// first five add up to all.
type CoverCounts struct {
	Tested      int `json:"tested"`
	Inspected   int `json:"inspected"`
	Declared    int `json:"declared"`
	OnlyRefuted int `json:"only_refuted"` // a violation can be shown, and nothing decides
	Nobody      int `json:"nobody"`
	Refutable   int `json:"refutable"` // of all, those of which a test can show a violation
}

// Coverage says what can settle each requirement of p, and how many there are
// of each kind.
func Coverage(p *Profile, known map[string]check.Check) Cover {
	var c Cover
	for _, r := range p.Requirements {
		clause := ClauseCover{ID: r.ID, Level: r.Level, Decided: []verdict.Basis{}, Refutable: r.refutable()}
		for _, b := range r.reach(known) {
			if slices.Contains(r.accepts(), b) {
				clause.Decided = append(clause.Decided, b)
			}
		}
		c.Requirements = append(c.Requirements, clause)
		c.Total.add(clause)
	}
	return c
}

func (c *CoverCounts) add(r ClauseCover) {
	if r.Refutable {
		c.Refutable++
	}
	switch {
	case slices.Contains(r.Decided, verdict.Tested):
		c.Tested++
	case slices.Contains(r.Decided, verdict.Inspected):
		c.Inspected++
	case slices.Contains(r.Decided, verdict.Declared):
		c.Declared++
	case r.Refutable:
		c.OnlyRefuted++
	default:
		c.Nobody++
	}
}

// refutable says whether a check, not a person, can show a violation of r.
func (r Requirement) refutable() bool {
	return slices.ContainsFunc(r.written(), func(m Mapping) bool { return m.Can != verdict.Support && m.Check != Inspection })
}

// reach returns the bases on which a pass of r can rest, the strongest first.
func (r Requirement) reach(known map[string]check.Check) []verdict.Basis {
	var reached []verdict.Basis
	for _, b := range []verdict.Basis{verdict.Tested, verdict.Inspected, verdict.Declared} {
		reaches := func(m Mapping) bool { return m.Can == verdict.Decide && slices.Contains(m.reach(known), b) }
		if slices.ContainsFunc(r.Mappings(), reaches) {
			reached = append(reached, b)
		}
	}
	return reached
}

// reach returns the bases that a pass of m's check can have. A declaration is
// one only where nothing was seen beside it.
func (m Mapping) reach(known map[string]check.Check) []verdict.Basis {
	if m.Check == Inspection {
		if declared, _ := m.With["declared"].(bool); declared {
			return []verdict.Basis{verdict.Inspected, verdict.Declared}
		}
		return []verdict.Basis{verdict.Inspected}
	}
	var seen, said []verdict.Basis
	c := known[m.Check]
	for _, p := range slices.Concat(c.Needs, c.OneOf, c.Uses) {
		if b := p.Info().Basis; b == verdict.Declared {
			said = append(said, b)
		} else {
			seen = append(seen, b)
		}
	}
	if len(seen) > 0 {
		return seen
	}
	return said
}
