package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
)

var _ = register(Format{Name: "markdown", Doc: "the whole result in tables, to read or paste", Ext: ".md", Render: markdown})

func markdown(w io.Writer, r result.Result, o Options) error {
	d, s := &document{Options: o}, summarize(r)
	d.units(r.Units)
	d.verdicts(r)
	d.line("**%s**", d.say(closing(r, s, o)))
	d.defects(r.Defects)
	d.findings(s)
	d.actions(s.actions)
	d.notTested(s)
	d.deviations(r.Run.Deviations)
	d.requirements(r.Requirements)
	d.decisions(r.Decisions)
	d.records(r.Records)
	d.origin(r.Run)
	_, err := io.WriteString(w, d.b.String())
	return err
}

// document is Markdown in the making. Whatever is put into it goes through
// markup; only document itself writes what Markdown gives a meaning.
type document struct {
	Options
	b strings.Builder
}

// line writes a paragraph. Its format is ours, its texts may be anybody's.
func (d *document) line(format string, texts ...string) {
	safe := make([]any, len(texts))
	for i, t := range texts {
		safe[i] = markup(t)
	}
	fmt.Fprintf(&d.b, format+"\n\n", safe...)
}

// table writes rows under heads, and nothing if there are no rows.
func (d *document) table(heads []msg.Text, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	var names, rule []string
	for _, h := range heads {
		names, rule = append(names, d.say(h)), append(rule, "---")
	}
	d.row(names)
	d.b.WriteString("| " + strings.Join(rule, " | ") + " |\n")
	for _, r := range rows {
		d.row(r)
	}
	d.b.WriteByte('\n')
}

func (d *document) row(cells []string) {
	for _, c := range cells {
		d.b.WriteString("| " + markup(c) + " ")
	}
	d.b.WriteString("|\n")
}

func (d *document) units(us []result.Unit) {
	title := d.say(msg.T("Test of a device"))
	var rows [][]string
	for _, u := range us {
		if u.Unit == evidence.DUT && u.ID != "" {
			title = u.ID
		}
		rows = append(rows, []string{u.Unit, u.Role, u.ID, deviceName(u), u.Hardware, u.Firmware, u.Serial, d.few(u.Addresses), d.few(u.Identity)})
	}
	d.line("# %s", title)
	d.table([]msg.Text{
		msg.T("Unit"), msg.T("Role"), msg.T("ID"), msg.T("Device"), msg.T("Hardware"), msg.T("Firmware"), msg.T("Serial"), msg.T("Addresses"), msg.T("Identity"),
	}, rows)
}

func (d *document) verdicts(r result.Result) {
	var rows [][]string
	for _, v := range r.Verdicts {
		rows = append(rows, []string{
			d.say(verdictWord(v.Verdict)), v.Profile, v.Title, d.say(countsText(v.Mandatory)), d.say(countsText(v.Counts)),
			d.say(coverageText(v.Coverage)), d.say(consistencyText(v.Consistency)), fmt.Sprint(onTrust(r, v.Profile)),
		})
	}
	d.table([]msg.Text{
		msg.T("Verdict"), msg.T("Profile"), msg.T("Title"), msg.T("Mandatory"), msg.T("All"),
		msg.T("Decided by"), msg.T("Declaration"), msg.T("Passed on declaration alone"),
	}, rows)
}

func (d *document) defects(ds []result.Defect) {
	if len(ds) == 0 {
		return
	}
	d.line("## %s", d.say(msg.T("Defects of this program: {n}", "n", len(ds))))
	var rows [][]string
	for _, x := range ds {
		rows = append(rows, []string{x.Where, x.What})
	}
	d.table([]msg.Text{msg.T("Where"), msg.T("What")}, rows)
}

func (d *document) findings(s summary) {
	if len(s.findings) == 0 {
		return
	}
	d.line("## %s", d.say(msg.T("Failures proven: {n}", "n", len(s.findings))))
	var rows [][]string
	for i, f := range s.findings {
		expected, remedy, seen := f.decision.Title, f.decision.Remedy, d.seen(f.decision.Items)
		if f.decision.Check == "" {
			seen = d.say(f.requirements[0].Why)
		}
		rows = append(rows, []string{fmt.Sprint(i + 1), f.decision.Key(), d.say(expected), seen, d.say(remedy), d.named(f.requirements)})
	}
	d.table([]msg.Text{msg.T("No."), msg.T("Check"), msg.T("Expected"), msg.T("Seen"), msg.T("Remedy"), msg.T("Fails")}, rows)
}

// seen says what a check saw and where.
func (d *document) seen(items []result.Item) string {
	var parts []string
	for _, s := range sightings(items) {
		parts = append(parts, d.say(s[0].Why)+" ("+d.few(places(s, d.Options))+")")
	}
	return strings.Join(parts, "; ")
}

// named lists requirements with their profiles.
func (d *document) named(qs []result.Requirement) string {
	profiles, labels := byProfile(qs, label)
	var parts []string
	for _, p := range profiles {
		parts = append(parts, p+" "+strings.Join(labels[p], ", "))
	}
	return strings.Join(parts, "; ")
}

func (d *document) actions(as []action) {
	if len(as) == 0 {
		return
	}
	d.line("## %s", d.say(msg.T("Needs you: {n}", "n", len(as))))
	var rows [][]string
	for i, a := range as {
		rows = append(rows, []string{fmt.Sprint(i + 1), d.say(a.next), d.named(a.requirements), d.say(a.why())})
	}
	d.table([]msg.Text{msg.T("No."), msg.T("What to do"), msg.T("Decides"), msg.T("Why")}, rows)
}

func (d *document) notTested(s summary) {
	if len(s.barred) == 0 {
		return
	}
	d.line("## %s", d.say(msg.T("Not tested, because this run did not allow it")))
	var rows [][]string
	for _, b := range s.barred {
		rows = append(rows, []string{b.effect, strings.Join(b.probes, ", "), d.say(msg.T("allow it with --effect {effect}", "effect", b.effect))})
	}
	d.table([]msg.Text{msg.T("Effect"), msg.T("Probes"), msg.T("How")}, rows)
}

func (d *document) deviations(ds []result.Deviation) {
	if len(ds) == 0 {
		return
	}
	d.line("## %s", d.say(msg.T("Not a complete run")))
	var rows [][]string
	for _, x := range ds {
		rows = append(rows, []string{d.say(x.What), d.say(x.Reason)})
	}
	d.table([]msg.Text{msg.T("What"), msg.T("Reason")}, rows)
}

func (d *document) requirements(qs []result.Requirement) {
	d.line("## %s", d.say(msg.T("Requirements")))
	var rows [][]string
	for _, q := range qs {
		rows = append(rows, []string{
			q.Profile, q.ID, q.Level, q.Text, d.say(verdictWord(q.Verdict)), d.say(basisWord(q.Basis)), d.say(q.Why), d.say(q.Next), q.Waiver, d.cases(q.Cases),
		})
	}
	d.table([]msg.Text{
		msg.T("Profile"), msg.T("Requirement"), msg.T("Level"), msg.T("Text"), msg.T("Verdict"), msg.T("Basis"), msg.T("Why"), msg.T("Next"), msg.T("Waiver"), msg.T("Test cases"),
	}, rows)
}

func (d *document) cases(cs []result.Case) string {
	var parts []string
	for _, c := range cs {
		parts = append(parts, c.ID+" "+d.say(verdictWord(c.Verdict)))
	}
	return strings.Join(parts, ", ")
}

func (d *document) decisions(ds []result.Decision) {
	d.line("## %s", d.say(msg.T("Checks")))
	for _, x := range ds {
		d.line("### %s: %s", x.Key(), d.say(verdictWord(x.Verdict)))
		d.line("%s: %s", d.say(msg.T("Expected")), d.say(x.Title))
		if !x.Remedy.IsZero() {
			d.line("%s: %s", d.say(msg.T("Remedy")), d.say(x.Remedy))
		}
		var rows [][]string
		for _, i := range x.Items {
			rows = append(rows, []string{i.Unit, i.Endpoint, d.say(verdictWord(i.Verdict)), d.say(i.Why), d.say(i.Advisory), d.say(i.Next), d.refs(i.Refs)})
		}
		d.table([]msg.Text{
			msg.T("Unit"), msg.T("Endpoint"), msg.T("Verdict"), msg.T("Why"), msg.T("Advisory"), msg.T("Next"), msg.T("Evidence"),
		}, rows)
	}
}

func (d *document) refs(refs []evidence.Ref) string {
	var parts []string
	for _, r := range refs {
		parts = append(parts, strings.TrimPrefix(r.Unit+" ", evidence.DUT+" ")+r.Probe+r.Pointer)
	}
	return d.few(parts)
}

func (d *document) records(rs []result.Record) {
	d.line("## %s", d.say(msg.T("Records")))
	var rows [][]string
	for _, r := range rs {
		rows = append(rows, []string{
			fmt.Sprint(r.Seq), r.Unit, r.Probe, fmt.Sprint(r.Version), r.Phase, d.say(statusWord(r.Status)), d.say(r.Reason), d.few(r.Missing), r.Effect, string(r.SHA256),
		})
	}
	d.table([]msg.Text{
		msg.T("No."), msg.T("Unit"), msg.T("Probe"), msg.T("Version"), msg.T("Phase"), msg.T("Status"), msg.T("Reason"), msg.T("Missing"), msg.T("Effect"), msg.T("SHA-256"),
	}, rows)
}

func (d *document) origin(run result.Run) {
	d.line("## %s", d.say(msg.T("Run")))
	rows := [][]string{}
	for _, line := range d.runLines(run) {
		rows = append(rows, []string{d.say(line.label), line.text})
	}
	for _, p := range run.Profiles {
		rows = append(rows, []string{d.say(msg.T("profile")), strings.Join(strings.Fields(p.ID+" "+p.Version+" "+string(p.SHA256)), " ")})
	}
	d.table([]msg.Text{msg.T("What"), msg.T("Value")}, rows)
}
