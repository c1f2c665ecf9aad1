package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// requirementList holds the requirements of one profile. Those that do not
// apply stand apart.
type requirementList struct {
	Place   string
	Profile string
	Title   string
	Tiles   []requirementLink // all, in the profile's order
	Cards   []requirementCard
	Absent  []requirementCard
}

// requirementCard is one requirement in full.
type requirementCard struct {
	Place      string
	ID, Level  string
	Chip       chip
	Text       string
	Basis      string
	Applicable string
	Why, Next  string
	Waiver     string
	Verified   string
	Cases      []caseCard
	Checks     []checkLine
	Open       bool
}

// caseCard is one test case of a source.
type caseCard struct {
	ID   string
	Chip chip
}

// checkLine is a check as a requirement cites it.
type checkLine struct {
	Link  link
	Title string
	Chip  chip
	Items string // how many, by verdict
	Seen  []itemLine
	More  int
	Fails bool // whether it makes the requirement fail
}

// itemLine is an item in one line.
type itemLine struct {
	Chip       chip
	Place, Why string
}

// checkCard is one decision in full.
type checkCard struct {
	Place  string
	Key    string
	Title  string
	Chip   chip
	Basis  string
	Remedy string
	Items  []itemCard
	More   int
	Count  int
	Open   bool
}

// itemCard is one item in full.
type itemCard struct {
	Check               link
	Chip                chip
	Place               string
	Why, Advisory, Next string
	Evidence            evidenceCard
}

// profilePlace is where the requirements of a profile stand, empty if it has
// none.
func (b *binder) profilePlace(id string) string {
	for i, p := range b.profileNames() {
		if p == id {
			return fmt.Sprintf("p-%d", i+1)
		}
	}
	return ""
}

// profileNames are those of all requirements, in their order.
func (b *binder) profileNames() []string {
	var names []string
	for _, q := range b.r.Requirements {
		if !slices.Contains(names, q.Profile) {
			names = append(names, q.Profile)
		}
	}
	return names
}

func (b *binder) profiles() []requirementList {
	var list []requirementList
	for _, name := range b.profileNames() {
		l := requirementList{Place: b.profilePlace(name), Profile: name, Title: b.profileTitle(name)}
		for i, q := range b.r.Requirements {
			if q.Profile != name {
				continue
			}
			tile := b.named(q)
			tile.Link.To = b.requirements[i]
			l.Tiles = append(l.Tiles, tile)
			if c := b.requirement(i, q); q.Verdict == verdict.NotApplicable {
				l.Absent = append(l.Absent, c)
			} else {
				l.Cards = append(l.Cards, c)
			}
		}
		list = append(list, l)
	}
	return list
}

func (b *binder) profileTitle(id string) string {
	for _, v := range b.r.Verdicts {
		if v.Profile == id {
			return v.Title
		}
	}
	return ""
}

func (b *binder) requirement(i int, q result.Requirement) requirementCard {
	c := requirementCard{
		Place: b.requirements[i], ID: q.ID, Level: q.Level, Chip: b.chip(q.Verdict), Text: q.Text,
		Basis: b.say(basisWord(q.Basis)), Applicable: b.say(applicableText(q.Applicable)),
		Why: b.say(q.Why), Next: b.say(q.Next), Waiver: q.Waiver, Verified: q.Verified, Open: q.Verdict == verdict.Fail,
	}
	for _, k := range q.Cases {
		c.Cases = append(c.Cases, caseCard{k.ID, b.chip(k.Verdict)})
	}
	for _, key := range q.Checks {
		c.Checks = append(c.Checks, b.checkLine(key, slices.Contains(q.FailedBy, key)))
	}
	return c
}

func applicableText(t evidence.Tri) msg.Text {
	switch t {
	case evidence.Yes:
		return msg.T("yes, as declared")
	case evidence.No:
		return msg.T("no, as declared")
	}
	return msg.T("not declared")
}

// maxLines is how many items of a check a requirement repeats.
const maxLines = 5

// checkLine says what a check brought to a requirement: first what has its
// verdict.
func (b *binder) checkLine(key string, fails bool) checkLine {
	at := slices.IndexFunc(b.r.Decisions, func(d result.Decision) bool { return d.Key() == key })
	if at < 0 {
		return checkLine{Link: link{"", key}, Chip: b.chip(""), Title: b.say(msg.T("the result does not hold it"))}
	}
	d := b.r.Decisions[at]
	c := checkLine{Link: link{b.checks[key], key}, Title: b.say(d.Title), Chip: b.chip(d.Verdict), Fails: fails}
	var counts result.Counts
	for _, i := range d.Items {
		tally(&counts, i.Verdict)
		if i.Verdict != d.Verdict {
			continue
		}
		if len(c.Seen) == maxLines {
			c.More++
			continue
		}
		c.Seen = append(c.Seen, itemLine{b.chip(i.Verdict), place(i, b.Options), b.say(i.Why)})
	}
	c.Items = b.say(someCounts(counts))
	return c
}

// checkGroup is checks in their order. One that was decided often, each time
// with other parameters, has a name and stands apart.
type checkGroup struct {
	Name  string
	Cards []checkCard
}

// manyTimes is how often a check was decided that stands apart.
const manyTimes = 4

func (b *binder) checkGroups() []checkGroup {
	times := map[string]int{}
	for _, d := range b.r.Decisions {
		times[d.Check]++
	}
	var list []checkGroup
	for i, c := range b.checkCards() {
		name := ""
		if id := b.r.Decisions[i].Check; times[id] >= manyTimes {
			name = id
		}
		if n := len(list); n == 0 || list[n-1].Name != name {
			list = append(list, checkGroup{Name: name})
		}
		last := &list[len(list)-1]
		last.Cards = append(last.Cards, c)
	}
	return list
}

func (b *binder) checkCards() []checkCard {
	var list []checkCard
	for n, d := range b.r.Decisions {
		c := checkCard{
			Place: b.checkAt[n], Key: d.Key(), Title: b.say(d.Title), Chip: b.chip(d.Verdict), Basis: b.say(basisWord(d.Basis)),
			Remedy: b.say(d.Remedy), Count: len(d.Items), Open: d.Verdict == verdict.Fail,
		}
		limit := b.limit(len(d.Items))
		for _, i := range d.Items[:limit] {
			c.Items = append(c.Items, b.item(i))
		}
		c.More = len(d.Items) - limit
		list = append(list, c)
	}
	return list
}

func (b *binder) item(i result.Item) itemCard {
	return itemCard{
		Chip: b.chip(i.Verdict), Place: place(i, b.Options), Why: b.say(i.Why), Advisory: b.say(i.Advisory), Next: b.say(i.Next), Evidence: b.evidence(i),
	}
}

// waiverCard is a signed-off exception.
type waiverCard struct {
	Requirement requirementLink
	Waiver      string
}

func (b *binder) waivers() []waiverCard {
	var list []waiverCard
	for i, q := range b.r.Requirements {
		if q.Waiver == "" {
			continue
		}
		named := b.named(q)
		named.Link.To = b.requirements[i]
		list = append(list, waiverCard{named, q.Waiver})
	}
	return list
}

// deviationCard is something that the operator left out or changed.
type deviationCard struct{ What, Reason string }

func (b *binder) deviated() []deviationCard {
	var list []deviationCard
	for _, d := range b.r.Run.Deviations {
		list = append(list, deviationCard{b.say(d.What), b.say(d.Reason)})
	}
	return list
}

// barredCard are the probes that one effect would have needed.
type barredCard struct{ Effect, Probes, Next string }

func (b *binder) barred(list []barred) []barredCard {
	var cards []barredCard
	for _, x := range list {
		cards = append(cards, barredCard{x.effect, strings.Join(x.probes, ", "), b.say(msg.T("allow it with --effect {effect}", "effect", x.effect))})
	}
	return cards
}

// recordCard is one run of one probe.
type recordCard struct {
	Place, Seq, Unit, Phase, Probe string
	Status, Class                  string
	Reason                         string
	Missing                        string
	Effect, Started, Took, SHA256  string
}

func (b *binder) recordCards() []recordCard {
	var list []recordCard
	for i, rec := range b.r.Records {
		c := b.recordCard(rec)
		c.Place = b.records[i]
		list = append(list, c)
	}
	return list
}

func (b *binder) recordCard(rec result.Record) recordCard {
	class := "open"
	if rec.Status == evidence.Collected {
		class = "pass"
	}
	return recordCard{
		Seq: fmt.Sprint(rec.Seq), Unit: rec.Unit, Phase: rec.Phase, Probe: rec.Probe, Status: b.say(statusWord(rec.Status)), Class: class, Reason: b.say(rec.Reason),
		Missing: b.few(rec.Missing), Effect: rec.Effect, Started: utc(rec.Started), Took: rec.Took.Round(time.Millisecond).String(), SHA256: string(rec.SHA256),
	}
}

// gaps are the records that brought nothing, or not all.
func (b *binder) gaps() []recordCard {
	var list []recordCard
	for i, rec := range b.r.Records {
		if rec.Status != evidence.Collected && rec.Status != evidence.NotPermitted {
			c := b.recordCard(rec)
			c.Place = b.records[i]
			list = append(list, c)
		}
	}
	return list
}
