package harness

import (
	"maps"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/identity"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/result"
)

// A Case is all that a judgement rests on: what a bundle holds.
type Case struct {
	Run       result.Run
	Units     []result.Unit
	Selection Selection
	Log       evidence.Log
	Defects   []result.Defect // found while the evidence was collected
}

// Judge decides every check that the profiles map, then every requirement, on
// recorded evidence alone. The same case, profiles and program give the same
// result.
func Judge(in Case, profiles []*profile.Profile, checks map[string]check.Check) result.Result {
	log := trusted(in.Log)
	r := result.Result{
		Schema: result.Schema, Run: in.Run, Units: in.Units, Records: records(in.Log),
		Verdicts: []result.Profile{}, Decisions: []result.Decision{}, Requirements: []result.Requirement{},
		Defects: append([]result.Defect{}, in.Defects...),
	}
	r.Run.Clock, r.Run.Profiles = clockOf(in.Log), sources(profiles)
	decisions := decide(&r, in.Selection, profiles, checks, log)
	for _, key := range slices.Sorted(maps.Keys(decisions)) {
		d := decisions[key]
		quote(&d, log)
		r.Decisions = append(r.Decisions, d)
	}
	r.Surface = surfaces(log)
	ics := readICS(log)
	for _, p := range profiles {
		reqs, defects := p.Judge(ics, decisions)
		r.Requirements = append(r.Requirements, reqs...)
		r.Defects = append(r.Defects, defects...)
		r.Verdicts = append(r.Verdicts, p.Summarise(reqs, decisions))
	}
	return r
}

// decide takes each decision that a profile asks for once.
func decide(r *result.Result, s Selection, profiles []*profile.Profile, checks map[string]check.Check, log evidence.Log) profile.Decisions {
	decisions := profile.Decisions{}
	for _, m := range mappings(profiles, s) {
		c, known := checks[m.Check]
		if _, done := decisions[m.Key()]; done || !known {
			continue
		}
		if reason, next, out := s.leavesOut(c.ID); out {
			decisions[m.Key()] = check.LeftOut(c, m.With, reason, next)
			continue
		}
		d, defects := check.Judge(c, m.With, log)
		decisions[m.Key()] = d
		r.Defects = append(r.Defects, defects...)
	}
	return decisions
}

// mappings are those of all profiles, and one for each check that is decided
// besides.
func mappings(profiles []*profile.Profile, s Selection) []profile.Mapping {
	var all []profile.Mapping
	for _, id := range s.Also {
		all = append(all, profile.Mapping{Check: id})
	}
	for _, p := range profiles {
		all = append(all, p.Mappings()...)
	}
	return all
}

// Checks returns the checks that the profiles map or the selection takes in, as
// far as it leaves them in, by ID.
func Checks(profiles []*profile.Profile, s Selection, known map[string]check.Check) []check.Check {
	var list []check.Check
	seen := map[string]bool{}
	for _, m := range mappings(profiles, s) {
		c, ok := known[m.Check]
		if _, _, out := s.leavesOut(m.Check); !ok || out || seen[m.Check] {
			continue
		}
		seen[m.Check] = true
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b check.Check) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// trusted returns the log without the evidence of units that were not the same
// device from the start of the run to its end.
func trusted(log evidence.Log) evidence.Log {
	swapped := map[string]evidence.Record{}
	for _, r := range log {
		if r.Probe == identity.Probe.Name && !r.HasData() {
			swapped[r.Unit] = r
		}
	}
	out := slices.Clone(log)
	for i, r := range out {
		id, ok := swapped[r.Unit]
		if ok && r.HasData() && r.Effect != "passive" {
			out[i].Status, out[i].Data, out[i].Missing = evidence.Failed, nil, nil
			out[i].Reason = msg.T("it is not certain which device was looked at: {reason}", "reason", id.Reason)
		}
	}
	return out
}

// records describes the log without its evidence.
func records(log evidence.Log) []result.Record {
	list := make([]result.Record, len(log))
	for i, r := range log {
		list[i] = result.Record{
			Seq: r.Seq, Unit: r.Unit, Phase: r.Phase, Probe: r.Probe, Version: r.Version, Status: r.Status, Reason: r.Reason,
			Missing: r.Missing, Effect: r.Effect, Started: r.Started, Took: r.Took, SHA256: r.Hash(),
		}
	}
	return list
}

func sources(profiles []*profile.Profile) []result.Source {
	list := []result.Source{}
	for _, p := range profiles {
		list = append(list, p.Identity())
	}
	return list
}

// clockOf returns the clock of the run as it was recorded, the zero value if it
// was not.
func clockOf(log evidence.Log) result.Clock {
	e, ok := open(log, clock.Probe.Open, clock.Probe.Name).(clock.Evidence)
	if !ok {
		return result.Clock{Source: "unknown"}
	}
	return result.Clock{Time: e.Time, Source: string(e.Source), OffsetNS: e.OffsetNS}
}

// readICS returns what the declaration answers; without one, nothing is known.
func readICS(log evidence.Log) profile.ICS {
	e, ok := open(log, declaration.Probe.Open, declaration.Probe.Name).(declaration.Evidence)
	if !ok {
		return profile.ICS{}
	}
	return profile.ICS{Features: e.Answers(), Provisions: e.Supported()}
}

// open returns the complete evidence of a probe about the unit under test, nil
// if there is none.
func open(log evidence.Log, read func(evidence.Record) (evidence.Page, error), name string) any {
	r, err := log.Find(evidence.DUT, name)
	if err != nil || r.Status != evidence.Collected {
		return nil
	}
	page, err := read(r)
	if err != nil {
		return nil
	}
	return page.Value
}
