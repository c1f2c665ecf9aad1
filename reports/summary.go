package reports

import (
	"cmp"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// A summary puts a result in the order in which a person needs it. It holds
// everything of the result that asks for something to be done.
type summary struct {
	findings []finding
	lone     []result.Decision // failed, and no failed requirement cites them
	actions  []action
	advised  []advised
	barred   []barred
	gaps     []result.Record // failed, partial or not run
}

// A finding is something to repair: a failed check with the requirements that
// fail by it, or one requirement that failed without any.
type finding struct {
	decision     result.Decision // zero if no check shows it
	requirements []result.Requirement
}

// An action is what would decide requirements.
type action struct {
	next         msg.Text
	requirements []result.Requirement
}

// advised is an item with an advisory, of a decision that is no finding.
type advised struct {
	check string
	item  result.Item
}

// barred are the probes that one effect would have needed.
type barred struct {
	effect string
	probes []string
}

func summarize(r result.Result) summary {
	s := summary{findings: findings(r), actions: actions(r.Requirements)}
	cited := map[string]bool{}
	for _, f := range s.findings {
		cited[f.decision.Key()] = true
	}
	for _, d := range r.Decisions {
		if cited[d.Key()] {
			continue
		}
		if d.Verdict == verdict.Fail {
			s.lone = append(s.lone, d)
			continue
		}
		s.advised = append(s.advised, advisories(d)...)
	}
	for _, rec := range r.Records {
		switch rec.Status {
		case evidence.Collected:
		case evidence.NotPermitted:
			s.barred = bar(s.barred, rec)
		default:
			s.gaps = append(s.gaps, rec)
		}
	}
	return s
}

// findings groups failed requirements by what makes them fail, those that fail
// a mandatory one first.
func findings(r result.Result) []finding {
	var found []finding
	for _, q := range r.Requirements {
		if q.Verdict != verdict.Fail {
			continue
		}
		causes := causes(q, r.Decisions)
		for _, d := range causes {
			i := slices.IndexFunc(found, func(f finding) bool { return f.decision.Key() == d.Key() })
			if i < 0 {
				i, found = len(found), append(found, finding{decision: d})
			}
			found[i].requirements = append(found[i].requirements, q)
		}
		if len(causes) == 0 {
			found = append(found, finding{requirements: []result.Requirement{q}})
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Compare(min(1, mandatory(b.requirements)), min(1, mandatory(a.requirements)))
	})
	return found
}

// causes returns the decisions that make q fail.
func causes(q result.Requirement, ds []result.Decision) []result.Decision {
	var found []result.Decision
	for _, d := range ds {
		if slices.Contains(q.FailedBy, d.Key()) {
			found = append(found, d)
		}
	}
	return found
}

func advisories(d result.Decision) []advised {
	var found []advised
	for _, i := range d.Items {
		if !i.Advisory.IsZero() {
			found = append(found, advised{d.Key(), i})
		}
	}
	return found
}

// telling reports whether a finding is about i: it failed, or it is weak.
func telling(i result.Item) bool { return i.Verdict == verdict.Fail || !i.Advisory.IsZero() }

// sightings groups the telling items that say the same, in their order.
func sightings(items []result.Item) [][]result.Item {
	var groups [][]result.Item
	at := map[[2]string]int{}
	for _, i := range items {
		if !telling(i) {
			continue
		}
		said := [2]string{i.Why.String(), i.Advisory.String()}
		if _, known := at[said]; !known {
			at[said], groups = len(groups), append(groups, nil)
		}
		groups[at[said]] = append(groups[at[said]], i)
	}
	return groups
}

// actions groups open requirements by what would decide them: first what would
// decide most, mandatory ones before others.
func actions(qs []result.Requirement) []action {
	var found []action
	at := map[string]int{}
	for _, q := range qs {
		if !open(q.Verdict) {
			continue
		}
		next := q.Next
		if next.IsZero() {
			next = msg.T("report a defect: the result does not say what would decide this")
		}
		i, known := at[next.String()]
		if !known {
			i, found = len(found), append(found, action{next: next})
			at[next.String()] = i
		}
		found[i].requirements = append(found[i].requirements, q)
	}
	slices.SortStableFunc(found, func(a, b action) int {
		return cmp.Or(
			cmp.Compare(mandatory(b.requirements), mandatory(a.requirements)),
			cmp.Compare(len(b.requirements), len(a.requirements)),
		)
	})
	return found
}

// open reports whether v leaves a question. What is no verdict does.
func open(v verdict.Verdict) bool { return v == verdict.Inconclusive || !v.Valid() }

// why is the reason that all requirements of a share, if they share one.
func (a action) why() msg.Text {
	first := a.requirements[0].Why
	for _, q := range a.requirements {
		if q.Why.String() != first.String() {
			return msg.Text{}
		}
	}
	return first
}

// mandatoryLevel is the level that decides the verdict of a profile.
const mandatoryLevel = "mandatory"

func mandatory(qs []result.Requirement) int {
	n := 0
	for _, q := range qs {
		if q.Level == mandatoryLevel {
			n++
		}
	}
	return n
}

func bar(all []barred, rec result.Record) []barred {
	i := slices.IndexFunc(all, func(b barred) bool { return b.effect == rec.Effect })
	if i < 0 {
		i, all = len(all), append(all, barred{effect: rec.Effect})
	}
	name := rec.Probe
	if rec.Unit != evidence.DUT {
		name += " (" + rec.Unit + ")"
	}
	if !slices.Contains(all[i].probes, name) {
		all[i].probes = append(all[i].probes, name)
	}
	return all
}

// onTrust counts the requirements of a profile that passed on the declaration
// alone.
func onTrust(r result.Result, profile string) int {
	n := 0
	for _, q := range r.Requirements {
		if q.Profile == profile && q.Verdict == verdict.Pass && q.Basis == verdict.Declared {
			n++
		}
	}
	return n
}
