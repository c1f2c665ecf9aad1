package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

var _ = register(Format{Name: "terminal", Doc: "what to do, for people at a terminal", Ext: ".txt", Render: terminal})

// Columns of the text beside labels, wide enough for the English ones.
const (
	headColumn = 14 // after "INCONCLUSIVE"
	wideColumn = 16 // after "NOT APPLICABLE"
	itemColumn = 14 // after the number and "expected"
	numbered   = 4  // after "12. "
)

// Without -v, a list ends after this many and says how many more there are.
const (
	maxSightings = 5  // of one finding
	maxActions   = 10 // a screen full
)

// terminal puts first what proves a failure, then what waits for somebody, then
// what the run left out.
func terminal(w io.Writer, r result.Result, o Options) error {
	p, s := newPage(o), summarize(r)
	p.device(r)
	p.verdicts(r)
	p.defects(r.Defects)
	p.findings(s.findings)
	p.lone(s.lone)
	p.actions(s.actions)
	p.advised(s.advised)
	p.settled(r.Requirements)
	p.notTested(s)
	p.deviations(r.Run.Deviations)
	if o.Verbose {
		p.everything(r)
	}
	p.origin(r.Run)
	p.heading(closing(r, s, o), bold)
	return p.writeTo(w)
}

func (p *page) device(r result.Result) {
	for _, u := range r.Units {
		name := p.say(msg.T("DEVICE"))
		if u.Unit != evidence.DUT {
			name = u.Unit
		}
		p.row(row{label: name, style: bold, hang: headColumn}, cmp.Or(u.ID, deviceName(u), "-"))
		if u.ID != "" {
			p.text(headColumn, deviceName(u))
		}
		p.text(headColumn, p.say(versions(u)))
		p.text(headColumn, strings.Join(u.Addresses, ", "))
	}
}

// versions is what distinguishes one unit from others of its model.
func versions(u result.Unit) msg.Text {
	return msg.T("hardware {hardware}, firmware {firmware}, serial {serial}",
		"hardware", cmp.Or(u.Hardware, "-"), "firmware", cmp.Or(u.Firmware, "-"), "serial", cmp.Or(u.Serial, "-"))
}

func (p *page) verdicts(r result.Result) {
	for _, v := range r.Verdicts {
		p.blank()
		p.verdict(0, v.Verdict, headColumn, v.Profile)
		p.text(headColumn, v.Title)
		for _, line := range []struct{ label, text msg.Text }{
			{msg.T("mandatory"), countsText(v.Mandatory)},
			{msg.T("all"), countsText(v.Counts)},
			{msg.T("decided by"), coverageText(v.Coverage)},
			{msg.T("declaration"), consistencyText(v.Consistency)},
			{msg.Text{}, msg.T("requirements that passed on it alone: {n}", "n", onTrust(r, v.Profile))},
		} {
			p.row(row{column: 1, label: p.say(line.label), hang: headColumn}, p.say(line.text))
		}
	}
}

// verdict writes v in capitals, as a label.
func (p *page) verdict(column int, v verdict.Verdict, hang int, s string) {
	word := strings.ToUpper(p.say(verdictWord(v)))
	p.row(row{column, word, verdictStyle(v), hang}, s)
}

func (p *page) defects(ds []result.Defect) {
	if len(ds) == 0 {
		return
	}
	p.heading(msg.T("DEFECTS OF THIS PROGRAM: {n}", "n", len(ds)), loud)
	p.text(0, p.say(msg.T("The mistake is in assay, not in the device. What it touched counts as inconclusive. Do not rely on this run before it is repaired; please report it with the bundle.")))
	for _, d := range ds {
		p.row(row{column: 2, label: "!", style: red, hang: numbered}, d.Where+": "+d.What)
	}
}

// number begins a numbered entry.
func (p *page) number(n int, st style, s string) {
	label := fmt.Sprintf("%d.", n)
	p.row(row{max(0, numbered-1-len(label)), label, st, numbered}, s)
}

// field writes one labelled part of a numbered entry.
func (p *page) field(name msg.Text, s string) {
	if s != "" {
		p.row(row{column: numbered, label: p.say(name), hang: itemColumn}, s)
	}
}

func (p *page) findings(fs []finding) {
	if len(fs) == 0 {
		return
	}
	p.heading(msg.T("FAILURES PROVEN: {n}", "n", len(fs)), red)
	for i, f := range fs {
		if i > 0 {
			p.blank()
		}
		p.finding(i+1, f)
	}
}

func (p *page) finding(n int, f finding) {
	if f.decision.Check == "" {
		p.undecided(n, f.requirements[0])
		return
	}
	p.number(n, red, f.decision.Key())
	p.field(msg.T("expected"), p.say(f.decision.Title))
	p.items(f.decision)
	for _, q := range f.requirements {
		p.failed(q)
	}
	p.field(msg.T("remedy"), p.say(f.decision.Remedy))
}

// undecided writes a failed requirement that no check speaks of.
func (p *page) undecided(n int, q result.Requirement) {
	p.number(n, red, q.Profile+" "+label(q))
	p.field(msg.T("expected"), q.Text)
	p.field(msg.T("seen"), p.say(q.Why))
	p.field(msg.T("next"), p.say(q.Next))
	p.waiver(q)
}

// failed writes one requirement of a finding: all of it where it comes first,
// its name where a second check fails it.
func (p *page) failed(q result.Requirement) {
	name := q.Profile + " " + q.ID
	p.field(msg.T("fails"), name+" "+q.Level)
	if p.told[name] {
		return
	}
	p.told[name] = true
	p.text(itemColumn, q.Text)
	p.field(msg.T("next"), p.say(q.Next))
	p.waiver(q)
}

func (p *page) waiver(q result.Requirement) {
	if q.Waiver != "" {
		p.field(msg.T("waiver"), p.say(msg.T("{id}: {waiver} (it changes no verdict)", "id", q.ID, "waiver", q.Waiver)))
	}
}

// items writes what a check saw: what failed and what is weak, and how many
// more things it looked at.
func (p *page) items(d result.Decision) {
	var others result.Counts
	sightings := sightings(d.Items)
	for n, s := range sightings {
		if n == maxSightings && !p.Verbose {
			p.field(msg.T("seen"), p.say(msg.T("and {n} more: -v lists them", "n", len(sightings)-n)))
			break
		}
		p.sighting(s)
	}
	for _, i := range d.Items {
		if !telling(i) {
			tally(&others, i.Verdict)
		}
	}
	p.field(msg.T("also"), p.say(someCounts(others)))
}

// sighting writes what was seen and where: item by item for who asks for
// everything.
func (p *page) sighting(items []result.Item) {
	if len(items) > 1 && p.Verbose {
		for i := range items {
			p.sighting(items[i : i+1])
		}
		return
	}
	first := items[0]
	if len(items) == 1 {
		p.field(msg.T("seen"), place(first, p.Options)+": "+p.say(first.Why))
	} else {
		p.field(msg.T("seen"), p.say(first.Why))
		p.field(msg.T("at"), p.few(places(items, p.Options)))
	}
	p.field(msg.T("advisory"), p.say(first.Advisory))
	p.refs(first.Refs)
}

// refs writes what an item rests on, for who asks for everything.
func (p *page) refs(refs []evidence.Ref) {
	if !p.Verbose {
		return
	}
	for _, r := range refs {
		p.field(msg.T("evidence"), r.Unit+" "+r.Probe+" "+r.Pointer)
	}
}

func tally(c *result.Counts, v verdict.Verdict) {
	switch v {
	case verdict.Pass:
		c.Pass++
	case verdict.Fail:
		c.Fail++
	case verdict.NotApplicable:
		c.NotApplicable++
	default:
		c.Inconclusive++
	}
}
