package profile

import (
	"slices"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/verdict"
)

// situation is everything that the verdict of a requirement depends on.
type situation struct {
	level     Level
	applies   evidence.Tri
	supported evidence.Tri
	powers    [2]verdict.Power
	said      [2]verdict.Verdict
	accepts   verdict.Basis // the checks are all tested
}

// everySituation calls do with each of them.
func everySituation(do func(situation)) (n int) {
	tris := []evidence.Tri{unknown, yes, no}
	powers := []verdict.Power{verdict.Decide, verdict.Refute, verdict.Support}
	verdicts := []verdict.Verdict{pass, fail, open, na}
	for _, level := range []Level{Mandatory, Recommended} {
		for _, applies := range tris {
			for _, supported := range tris {
				for _, accepts := range []verdict.Basis{verdict.Tested, verdict.Inspected} {
					for i := range len(powers) * len(powers) * len(verdicts) * len(verdicts) {
						p, v := i/len(verdicts)/len(verdicts), i%(len(verdicts)*len(verdicts))
						do(situation{level, applies, supported, [2]verdict.Power{powers[p/3], powers[p%3]},
							[2]verdict.Verdict{verdicts[v/4], verdicts[v%4]}, accepts})
						n++
					}
				}
			}
		}
	}
	return n
}

// says reports whether a check that can do p says v.
func (s situation) says(p verdict.Power, v verdict.Verdict) bool {
	return s.powers[0] == p && s.said[0] == v || s.powers[1] == p && s.said[1] == v
}

// expected is the verdict by the rules, rule by rule.
func (s situation) expected() verdict.Verdict {
	switch {
	case s.says(verdict.Decide, fail), s.says(verdict.Refute, fail):
		return fail // rule 8: a violation shows by itself that the feature exists
	case s.applies == no:
		return na
	case s.applies == unknown:
		return open
	case s.supported == no && s.level == Mandatory:
		return fail
	case s.supported == no:
		return open
	case !s.says(verdict.Decide, pass):
		return open // rule 6: nothing else makes a pass
	case s.says(verdict.Decide, open), s.says(verdict.Support, fail):
		return open
	case s.accepts != verdict.Tested:
		return open // rule 7
	}
	return pass
}

func (s situation) requirement() Requirement {
	return Requirement{ID: "r", Level: s.level, AppliesIf: []string{"f"}, Accepts: []verdict.Basis{s.accepts}, Checks: can(s.powers[:]...)}
}

func (s situation) ics() ICS {
	return ICS{map[string]evidence.Tri{"f": s.applies}, map[string]evidence.Tri{"r": s.supported}}
}

// Every combination of what can be said comes out as the rules have it, with a
// reason, and with an action if it is open.
func TestRule9EverySituation(t *testing.T) {
	seen := map[verdict.Verdict]int{}
	n := everySituation(func(s situation) {
		got := judge(t, s.requirement(), s.ics(), say(s.said[:]...))
		seen[got.Verdict]++
		if want := s.expected(); got.Verdict != want {
			t.Errorf("%+v: %s (%s), want %s", s, got.Verdict, got.Why, want)
		}
	})
	if n != 2*3*3*2*9*16 || len(seen) != 4 {
		t.Errorf("%d situations with the verdicts %v", n, seen)
	}
}

// The order of mappings decides which sentence is shown, never the verdict.
func TestOrderOfMappingsDecidesNothing(t *testing.T) {
	everySituation(func(s situation) {
		there, ds := s.requirement(), say(s.said[:]...)
		back := there
		back.Checks = slices.Clone(there.Checks)
		slices.Reverse(back.Checks)
		a, b := judge(t, there, s.ics(), ds), judge(t, back, s.ics(), ds)
		if a.Verdict != b.Verdict || a.Basis != b.Basis {
			t.Errorf("%+v: %s on %q, and in reverse %s on %q", s, a.Verdict, a.Basis, b.Verdict, b.Basis)
		}
	})
}

// Less evidence never makes a pass: if a decision becomes inconclusive, an
// outcome that was no pass stays none, but for one that was refuted.
func TestRule1LessEvidenceNeverMakesAPass(t *testing.T) {
	everySituation(func(s situation) {
		before := s.expected()
		for i := range s.said {
			less := s
			less.said[i] = open
			got := judge(t, less.requirement(), less.ics(), say(less.said[:]...)).Verdict
			if got == pass && before != pass && s.said[i] != fail {
				t.Errorf("%+v: %s became a pass when check %d became inconclusive", s, before, i)
			}
		}
	})
}

// What is missing altogether never passes either.
func TestRule1NoDecisionsNoPass(t *testing.T) {
	everySituation(func(s situation) {
		got, defects := s.requirement().Judge(s.ics(), nil)
		if got.Verdict == pass || len(defects) != 2 {
			t.Errorf("%+v without decisions: %s, defects %v", s, got.Verdict, defects)
		}
	})
}
