package reports

import (
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// lone writes checks that failed without failing a requirement: where they only
// support, a fail stands in the way of a pass and proves nothing.
func (p *page) lone(ds []result.Decision) {
	if len(ds) == 0 {
		return
	}
	p.heading(msg.T("FAILED CHECKS THAT FAIL NO REQUIREMENT: {n}", "n", len(ds)), yellow)
	for _, d := range ds {
		p.row(row{column: 2, label: "-", style: yellow, hang: numbered}, d.Key())
		p.field(msg.T("expected"), p.say(d.Title))
		p.items(d)
		p.field(msg.T("remedy"), p.say(d.Remedy))
	}
}

func (p *page) actions(as []action) {
	if len(as) == 0 {
		return
	}
	total := 0
	for _, a := range as {
		total += len(a.requirements)
	}
	p.heading(msg.T("NEEDS YOU: {n} (open requirements: {open})", "n", len(as), "open", total), yellow)
	for i, a := range as {
		if i == maxActions && !p.Verbose {
			p.more(as[i:])
			return
		}
		p.number(i+1, yellow, p.say(a.next))
		p.opened(a)
	}
}

// more says what the list leaves out.
func (p *page) more(as []action) {
	open := 0
	for _, a := range as {
		open += len(a.requirements)
	}
	p.text(numbered, p.say(msg.T("and {n} more, for {open} requirements: -v lists them", "n", len(as), "open", open)))
}

// opened writes which requirements an action would decide, and why they are
// open.
func (p *page) opened(a action) {
	profiles, labels := byProfile(a.requirements, label)
	for _, name := range profiles {
		p.field(msg.T("decides"), name+" "+strings.Join(labels[name], ", "))
	}
	p.field(msg.T("why"), p.say(a.why()))
	for _, q := range a.requirements {
		p.waiver(q)
	}
}

func (p *page) advised(as []advised) {
	if len(as) == 0 {
		return
	}
	p.heading(msg.T("WEAK BUT ALLOWED: {n} (no verdict depends on it)", "n", len(as)), bold)
	for i, a := range as {
		if i == maxActions && !p.Verbose {
			p.text(numbered, p.say(msg.T("and {n} more: -v lists them", "n", len(as)-i)))
			return
		}
		p.row(row{column: 2, label: "-", hang: numbered}, a.check)
		p.field(msg.T("seen"), place(a.item, p.Options)+": "+p.say(a.item.Why))
		p.field(msg.T("advisory"), p.say(a.item.Advisory))
	}
}

// settled lists what needs nobody any more.
func (p *page) settled(qs []result.Requirement) {
	var lines []func()
	for _, v := range []verdict.Verdict{verdict.Pass, verdict.NotApplicable} {
		profiles, labels := byProfile(slices.DeleteFunc(slices.Clone(qs), func(q result.Requirement) bool { return q.Verdict != v }), p.labelWithBasis)
		for _, name := range profiles {
			lines = append(lines, func() { p.verdict(0, v, wideColumn, name+" "+strings.Join(labels[name], ", ")) })
		}
	}
	p.section(lines)
}

// section writes lines after a blank one, and nothing if there are none.
func (p *page) section(lines []func()) {
	if len(lines) > 0 {
		p.blank()
	}
	for _, write := range lines {
		write()
	}
}

func (p *page) notTested(s summary) {
	if len(s.barred) > 0 {
		p.heading(msg.T("NOT TESTED, because this run did not allow it"), yellow)
		for _, b := range s.barred {
			p.row(row{column: 1, label: b.effect, hang: headColumn}, strings.Join(b.probes, ", "))
			p.text(headColumn, p.say(msg.T("allow it with --effect {effect}", "effect", b.effect)))
		}
		p.text(1, p.say(msg.T(`A device off loopback needs consent as well: in its device file, or with --consent "WHO, WHY".`)))
	}
	if len(s.gaps) > 0 {
		p.heading(msg.T("EVIDENCE THAT IS MISSING"), yellow)
		for _, rec := range s.gaps {
			p.record(rec)
		}
	}
}

// record writes why a probe brought nothing, or not all.
func (p *page) record(rec result.Record) {
	name := strings.Join(strings.Fields(rec.Unit+" "+rec.Phase+" "+rec.Probe), " ")
	p.row(row{column: 1, label: p.say(statusWord(rec.Status)), hang: wideColumn}, strings.TrimPrefix(name, evidence.DUT+" "))
	p.text(wideColumn, p.say(rec.Reason))
	if len(rec.Missing) > 0 {
		p.text(wideColumn, p.say(msg.T("missing: {what}", "what", p.listed(rec.Missing))))
	}
}

// listed lists names: all of them for who asks for everything.
func (p *page) listed(names []string) string {
	if p.Verbose {
		return strings.Join(names, ", ")
	}
	return p.few(names)
}

func (p *page) deviations(ds []result.Deviation) {
	if len(ds) == 0 {
		return
	}
	p.heading(msg.T("NOT A COMPLETE RUN"), yellow)
	for _, d := range ds {
		p.row(row{column: 2, label: "-", style: yellow, hang: numbered}, p.say(d.What))
		p.field(msg.T("reason"), p.say(d.Reason))
	}
}

// everything lists all requirements, items and records.
func (p *page) everything(r result.Result) {
	p.heading(msg.T("EVERY REQUIREMENT"), bold)
	for _, q := range r.Requirements {
		p.requirement(q)
	}
	p.heading(msg.T("EVERY CHECK"), bold)
	for _, d := range r.Decisions {
		p.verdict(0, d.Verdict, wideColumn, strings.TrimSpace(d.Key()+" "+p.say(basisWord(d.Basis))))
		for _, i := range d.Items {
			p.item(i)
		}
	}
	p.heading(msg.T("EVERY RECORD"), bold)
	for _, rec := range r.Records {
		p.record(rec)
	}
}

func (p *page) requirement(q result.Requirement) {
	name := q.Profile + " " + q.ID + " " + q.Level + " " + p.say(basisWord(q.Basis))
	p.verdict(0, q.Verdict, wideColumn, name)
	p.text(wideColumn, q.Text)
	p.detail(msg.T("why"), p.say(q.Why))
	p.detail(msg.T("next"), p.say(q.Next))
	p.detail(msg.T("waiver"), q.Waiver)
	for _, c := range q.Cases {
		p.verdict(1, c.Verdict, wideColumn, c.ID)
	}
}

func (p *page) item(i result.Item) {
	p.verdict(1, i.Verdict, wideColumn, place(i, p.Options)+": "+p.say(i.Why))
	p.detail(msg.T("advisory"), p.say(i.Advisory))
	p.detail(msg.T("next"), p.say(i.Next))
	for _, r := range i.Refs {
		p.detail(msg.T("evidence"), r.Unit+" "+r.Probe+" "+r.Pointer)
	}
}

// detail is a field below a verdict.
func (p *page) detail(name msg.Text, s string) {
	if s != "" {
		p.row(row{column: 2, label: p.say(name), hang: wideColumn}, s)
	}
}

// origin says where the evidence comes from.
func (p *page) origin(run result.Run) {
	var lines []func()
	for _, l := range p.runLines(run) {
		lines = append(lines, func() { p.row(row{1, p.say(l.label), faint, headColumn}, l.text) })
	}
	p.section(lines)
}
