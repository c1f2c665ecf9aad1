package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// Judge decides c on recorded evidence, with the parameters that a profile
// gives. It never fails: what cannot be decided is inconclusive, and if that is
// a mistake in this program it is a defect as well.
func Judge(c Check, with With, log evidence.Log) (result.Decision, []result.Defect) {
	j := &judge{check: c, where: c.ID + with.String()}
	items := j.items(with, log)
	d := result.Decision{
		Check: c.ID, With: with.String(), Title: msg.T(c.Title),
		Verdict: verdict.OfItems(verdicts(items)...), Items: items,
	}
	if d.Verdict == verdict.Fail {
		d.Remedy = msg.T(c.Remedy)
	}
	d.Basis = j.basis(d)
	return d, j.defects
}

type judge struct {
	check   Check
	where   string
	in      In
	partial []string // what the evidence lacks
	defects []result.Defect
}

func (j *judge) items(with With, log evidence.Log) []Item {
	params, err := j.check.params(with)
	if err != nil {
		return []Item{j.defect(Item{}, "%v", err)}
	}
	j.in.params = params
	if gap := j.gather(log); gap != nil {
		return []Item{*gap}
	}
	items := j.decide(j.in)
	if v := verdict.OfItems(verdicts(items)...); len(j.check.Uses) > 0 && j.madeByUses(v) {
		items = append(items, j.defect(Item{}, "optional evidence made the %s", v))
	}
	return items
}

// madeByUses reports whether v is a pass, or a not applicable that would not
// stand in the way of one, that the check does not reach without its optional
// evidence.
func (j *judge) madeByUses(v verdict.Verdict) bool {
	if v != verdict.Pass && v != verdict.NotApplicable {
		return false
	}
	without := verdict.OfItems(verdicts(j.decide(j.in.without(j.check.Uses)))...)
	return without != verdict.Pass && without != v
}

// decide calls Decide and lets nothing through that breaks a rule.
func (j *judge) decide(in In) (items []Item) {
	defer func() {
		if p := recover(); p != nil {
			items = []Item{j.defect(Item{}, "panic: %v", p)}
		}
	}()
	items = j.check.Decide(in)
	if len(items) == 0 {
		return []Item{j.defect(Item{}, "no decision")}
	}
	seen := map[string]bool{}
	for i, item := range items {
		items[i] = j.guard(item)
		at := items[i].Unit + " " + item.Endpoint
		if seen[at] {
			items[i] = j.defect(items[i], "two items for %q", at)
		}
		seen[at] = true
	}
	return items
}

// guard returns i, or an inconclusive item in its place.
func (j *judge) guard(i Item) Item {
	i.Unit = evidence.DUT
	if i.Refs == nil {
		i.Refs = []evidence.Ref{}
	}
	if len(i.Refs) > 0 {
		i.Unit = i.Refs[0].Unit
	}
	decided := i.Verdict == verdict.Pass || i.Verdict == verdict.Fail
	switch err := j.resolve(i.Refs); {
	case !i.Verdict.Valid():
		return j.defect(i, "%q is no verdict", i.Verdict)
	case i.Why.Err() != nil:
		return j.defect(i, "why: %v", i.Why.Err())
	case i.Verdict == verdict.Inconclusive && i.Next.Err() != nil:
		return j.defect(i, "next: %v", i.Next.Err())
	case decided && len(i.Refs) == 0:
		return j.defect(i, "%s without a reference", i.Verdict)
	case err != nil:
		return j.defect(i, "%v", err)
	case len(j.partial) > 0 && i.Verdict != verdict.Fail && i.Verdict != verdict.Inconclusive:
		return demote(i, msg.T("only a part was looked at; missing: {missing}", "missing", some(j.partial)))
	}
	return i
}

// maxNamed bounds how many missing things one sentence names.
const maxNamed = 5

// some names the first few of what.
func some(what []string) string {
	if n := len(what) - maxNamed; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(what[:maxNamed], ", "), n)
	}
	return strings.Join(what, ", ")
}

func (j *judge) resolve(refs []evidence.Ref) error {
	for _, r := range refs {
		at := slices.IndexFunc(j.in.Units, func(v evidence.View) bool { return v.Unit == r.Unit })
		if at < 0 {
			return fmt.Errorf("reference to unit %q, which was not looked at", r.Unit)
		}
		if err := j.in.Units[at].Resolve(r); err != nil {
			return err
		}
	}
	return nil
}

// basis is that of the items that carry the verdict.
func (j *judge) basis(d result.Decision) verdict.Basis {
	var bases []verdict.Basis
	for _, i := range d.Items {
		if i.Verdict == d.Verdict {
			bases = append(bases, j.itemBasis(i))
		}
	}
	switch d.Verdict {
	case verdict.Pass:
		return verdict.Weakest(bases...)
	case verdict.Fail:
		return verdict.Strongest(bases...)
	}
	return ""
}

// itemBasis is the weakest of what i cites. A declaration beside an observation
// is what the observation was held against, and does not weaken it.
func (j *judge) itemBasis(i Item) verdict.Basis {
	var seen, said []verdict.Basis
	for _, p := range j.check.probes() {
		info := p.Info()
		cited := func(r evidence.Ref) bool { return r.Probe == info.Name }
		switch {
		case !slices.ContainsFunc(i.Refs, cited):
		case info.Basis == verdict.Declared:
			said = append(said, info.Basis)
		default:
			seen = append(seen, info.Basis)
		}
	}
	if len(seen) > 0 {
		return verdict.Weakest(seen...)
	}
	return verdict.Weakest(said...)
}

func (j *judge) defect(i Item, format string, args ...any) Item {
	j.defects = append(j.defects, result.Defect{Where: j.where, What: fmt.Sprintf(format, args...)})
	i = demote(i, msg.T("the check broke"))
	i.Next = msg.T("report the defects that this run lists")
	i.Refs = []evidence.Ref{}
	return i
}

// demote makes i inconclusive.
func demote(i Item, why msg.Text) Item {
	i.Verdict, i.Why = verdict.Inconclusive, why
	i.Next = msg.T("run again until nothing is missing")
	return i
}

func verdicts(items []Item) []verdict.Verdict {
	vs := make([]verdict.Verdict, len(items))
	for i, item := range items {
		vs[i] = item.Verdict
	}
	return vs
}
