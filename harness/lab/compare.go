package lab

import (
	"maps"
	"slices"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// A Difference is a verdict that is not the expected one. An empty verdict is
// one that is missing.
type Difference struct {
	What           string // a check, or PROFILE:REQUIREMENT
	Expected, Seen verdict.Verdict
}

// Checks returns where the decisions of a run differ from what is expected of
// the checks that decide is true of; all of them if it is nil.
func Checks(r result.Result, want devices.Verdicts, decided func(id string) bool) []Difference {
	seen := devices.Verdicts{}
	for _, d := range r.Decisions {
		if d.With == "" {
			seen[d.Check] = d.Verdict
		}
	}
	var list []Difference
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if (decided == nil || decided(id)) && seen[id] != want[id] {
			list = append(list, Difference{id, want[id], seen[id]})
		}
	}
	return list
}

// Requirements returns where the requirements of a run differ from what is
// expected of them.
func Requirements(r result.Result, want map[string]devices.Verdicts) []Difference {
	seen := devices.Verdicts{}
	for _, q := range r.Requirements {
		seen[q.Profile+":"+q.ID] = q.Verdict
	}
	var list []Difference
	for _, id := range slices.Sorted(maps.Keys(want)) {
		for _, req := range slices.Sorted(maps.Keys(want[id])) {
			if what := id + ":" + req; seen[what] != want[id][req] {
				list = append(list, Difference{what, want[id][req], seen[what]})
			}
		}
	}
	return list
}

// Differences returns all of an outcome's.
func (o Outcome) Differences() []Difference {
	return append(Checks(o.Result, o.Folder.Expected.Checks, nil), Requirements(o.Result, o.Folder.Expected.Requirements)...)
}

// Turned returns the expected verdicts of a device with one fault switched.
func Turned(base, turns devices.Verdicts) devices.Verdicts {
	all := maps.Clone(base)
	maps.Copy(all, turns)
	return all
}

// Touching returns the checks of the list whose verdicts a switched fault turns.
func Touching(turns devices.Verdicts, all []check.Check) []check.Check {
	return slices.DeleteFunc(slices.Clone(all), func(c check.Check) bool { _, turned := turns[c.ID]; return !turned })
}
