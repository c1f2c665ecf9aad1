package check

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/verdict"
)

// probes returns all that c may read.
func (c Check) probes() []probe.Any { return slices.Concat(c.Needs, c.OneOf, c.Uses) }

// gather opens the evidence that the check declares, unit by unit. The item
// that it returns, if any, says what is lacking.
func (j *judge) gather(log evidence.Log) *Item {
	units := log.Units()
	if j.check.Units == 0 {
		units = units[:1]
	}
	var gaps []*Item
	for _, unit := range units {
		if gap := j.gatherUnit(unit, log); gap != nil {
			gaps = append(gaps, gap)
		}
	}
	have, want := len(j.in.Units), max(1, j.check.Units)
	switch {
	case len(gaps) > 0 && (gaps[0].Unit == evidence.DUT || have < want):
		return gaps[0]
	case have < want:
		return gap(evidence.DUT, msg.T("units tested: {have}; needed: {want}", "have", have, "want", want),
			msg.T("run with --unit for another unit of the same model"))
	}
	j.in.DUT = j.in.Units[0]
	return nil
}

// gatherUnit opens the evidence of one unit.
func (j *judge) gatherUnit(unit string, log evidence.Log) *Item {
	pages := map[string]evidence.Page{}
	var absent *Item
	for _, p := range j.check.probes() {
		name := p.Info().Name
		r, lacking := record(log, unit, name)
		if lacking != nil {
			pages[name], absent = evidence.Page{}, lacking
			if slices.Contains(j.check.Needs, p) {
				return lacking
			}
			continue
		}
		page, err := p.Open(r)
		if err != nil {
			return gap(unit, msg.T("the record of probe {probe} cannot be used: {error}", "probe", name, "error", err),
				msg.T("collect again, or judge with a version that reads it"))
		}
		pages[name] = page
		j.partial = append(j.partial, r.Missing...)
	}
	brought := func(p probe.Any) bool { return pages[p.Info().Name].Value != nil }
	if len(j.check.OneOf) > 0 && !slices.ContainsFunc(j.check.OneOf, brought) {
		return absent
	}
	j.in.Units = append(j.in.Units, evidence.NewView(unit, pages))
	return nil
}

// record finds the one record of a probe for a unit, or says why it is of no
// use.
func record(log evidence.Log, unit, probe string) (evidence.Record, *Item) {
	r, err := log.Find(unit, probe)
	switch {
	case err != nil:
		return r, gap(unit, msg.T("the run cannot be used for probe {probe}: {error}", "probe", probe, "error", err),
			msg.T("collect again"))
	case r.HasData():
		return r, nil
	case r.Status == evidence.NotPermitted:
		return r, gap(unit, r.Reason, msg.T("allow it with --effect {effect}", "effect", r.Effect))
	case r.Reason.Err() != nil:
		return r, gap(unit, msg.T("the record of probe {probe} has status {status} and no reason", "probe", probe, "status", r.Status),
			msg.T("collect again"))
	}
	return r, gap(unit, r.Reason, msg.T("remove the cause and run again"))
}

func gap(unit string, why, next msg.Text) *Item {
	return &Item{Unit: unit, Verdict: verdict.Inconclusive, Why: why, Next: next, Refs: []evidence.Ref{}}
}

// without returns in as it would be had the given probes brought nothing.
func (in In) without(probes []probe.Any) In {
	names := make([]string, len(probes))
	for i, p := range probes {
		names[i] = p.Info().Name
	}
	units := make([]evidence.View, len(in.Units))
	for i, u := range in.Units {
		units[i] = u.Without(names)
	}
	return In{DUT: units[0], Units: units, params: in.params}
}
