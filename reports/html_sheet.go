package reports

import (
	"cmp"
	"fmt"
	"html/template"
	"reflect"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// sheet is what the template of a page shows, in the order in which it stands
// there.
type sheet struct {
	Lang, Dir string
	Policy    string
	CSS       template.CSS
	Title     string
	Device    string // what it is called
	About     []fact
	Standing  string // how the run stands, in counts
	Next      string // what to do first
	Open      int    // requirements that wait for somebody
	Verdicts  []profileCard
	Defects   []fact // where, and what
	Findings  []findingCard
	Lone      []findingCard
	Actions   []actionCard
	Advised   []itemCard
	Passed    []nameList
	Surfaces  []surfaceCard
	Profiles  []requirementList
	Checks    []checkGroup
	Waivers   []waiverCard
	Deviated  []deviationCard
	Barred    []barredCard
	Gaps      []recordCard
	Limits    []fact
	Records   []recordCard
	Commands  []command
	Origin    []fact
	Schema    string
}

// fact is one value with its name.
type fact struct{ Name, Value string }

// chip is a verdict: a word, and a sign that repeats it.
type chip struct{ Class, Sign, Word string }

// link leads to a place on the page.
type link struct{ To, Text string }

// profileCard is the verdict under one profile.
type profileCard struct {
	Chip                           chip
	ID, Title                      string
	To                             string
	Tallies                        []tallied
	Decided, Consistency, Declared string
	Contradicted                   bool
}

// tallied is how many requirements have a verdict.
type tallied struct {
	Chip           chip
	Mandatory, All int
}

// binder makes a sheet: it knows the result and the name of every place.
type binder struct {
	Options
	r            result.Result
	taken        map[string]bool
	requirements map[int]string    // by their place in the result
	checks       map[string]string // by key, of the first that has it
	checkAt      map[int]string    // by their place in the result
	records      map[int]string    // by their place in the result
}

func newSheet(r result.Result, o Options) sheet {
	b := newBinder(r, o)
	s := summarize(r)
	lang := cmp.Or(o.Lang, "en")
	css := sheetStyle()
	out := sheet{
		Lang: lang, Dir: direction(lang), CSS: css, Policy: policy(css), Schema: r.Schema,
		Device: b.device(), About: b.about(), Standing: b.standing(s), Open: openOnes(s), Verdicts: b.verdicts(),
		Defects: b.defects(), Findings: b.findings(s.findings), Lone: b.lone(s.lone), Actions: b.actions(s.actions), Advised: b.advised(s.advised),
		Passed: b.passed(), Surfaces: b.surfaces(), Profiles: b.profiles(), Checks: b.checkGroups(), Waivers: b.waivers(),
		Deviated: b.deviated(), Barred: b.barred(s.barred), Gaps: b.gaps(), Limits: b.limits(), Records: b.recordCards(),
		Commands: b.commands(), Origin: b.origin(),
	}
	if len(s.findings)+len(s.actions)+len(r.Defects) > 0 {
		out.Next = nextStep(r, s, o)
	}
	out.Title = o.say(msg.T("{device}: security test report", "device", out.Device))
	return out
}

func newBinder(r result.Result, o Options) *binder {
	b := &binder{Options: o, r: r, taken: map[string]bool{}, requirements: map[int]string{}, checks: map[string]string{}, checkAt: map[int]string{}, records: map[int]string{}}
	for i, q := range r.Requirements {
		b.requirements[i] = b.place("q", q.Profile, q.ID)
	}
	for i, d := range r.Decisions {
		b.checkAt[i] = b.place("c", d.Key())
		if _, known := b.checks[d.Key()]; !known {
			b.checks[d.Key()] = b.checkAt[i]
		}
	}
	for i, rec := range r.Records {
		b.records[i] = b.place("r", fmt.Sprint(rec.Seq))
	}
	return b
}

// maxPlace bounds the name of a place, in bytes.
const maxPlace = 80

// place makes a name for a place on the page that no other place has. It is the
// same in every report that names its things alike, so that links to it last.
func (b *binder) place(kind string, names ...string) string {
	slug := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, strings.ToLower(strings.Join(names, "-")))
	slug = kind + "-" + slug[:min(len(slug), maxPlace)]
	name := slug
	for n := 2; b.taken[name]; n++ {
		name = fmt.Sprintf("%s_%d", slug, n)
	}
	b.taken[name] = true
	return name
}

// makeVisible makes every string of a sheet one that a reader sees whole:
// nothing that is put on a page can be forgotten. A sheet shares no list with
// the result that it shows.
func makeVisible(s *sheet) { showAll(reflect.ValueOf(s).Elem()) }

func showAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			v.SetString(plain(v.String()))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			showAll(v.Field(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			showAll(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			showAll(v.Index(i))
		}
	}
}

func (b *binder) chip(v verdict.Verdict) chip {
	c := chip{"none", "!", b.say(verdictWord(v))}
	switch v {
	case verdict.Pass:
		c.Class, c.Sign = "pass", "✓"
	case verdict.Fail:
		c.Class, c.Sign = "fail", "✕"
	case verdict.Inconclusive:
		c.Class, c.Sign = "open", "?"
	case verdict.NotApplicable:
		c.Class, c.Sign = "na", "–"
	}
	return c
}

// device is what the unit under test is called.
func (b *binder) device() string {
	for _, u := range b.r.Units {
		if u.Unit == evidence.DUT {
			return cmp.Or(u.ID, deviceName(u), b.say(msg.T("Device without a name")))
		}
	}
	return b.say(msg.T("Device without a name"))
}

// about says what was tested, and when.
func (b *binder) about() []fact {
	var facts []fact
	for _, u := range b.r.Units {
		if u.Unit != evidence.DUT {
			facts = append(facts, fact{b.say(msg.T("Compared with")), strings.Join(strings.Fields(u.Unit+" "+u.ID+" "+deviceName(u)+" "+b.few(u.Addresses)), " ")})
			continue
		}
		facts = append(facts,
			fact{b.say(msg.T("Device")), deviceName(u)}, fact{b.say(msg.T("Firmware")), u.Firmware}, fact{b.say(msg.T("Hardware")), u.Hardware},
			fact{b.say(msg.T("Serial")), u.Serial}, fact{b.say(msg.T("Address")), b.few(u.Addresses)}, fact{b.say(msg.T("Showed itself as")), b.few(u.Identity)})
	}
	return known(append(facts, fact{b.say(msg.T("Tested")), b.tested()}))
}

// tested is when the evidence was taken, or for when it was judged.
func (b *binder) tested() string {
	c := b.r.Run.Clock
	if c.Time.IsZero() {
		return ""
	}
	return b.say(msg.T("{time} UTC, clock: {source}", "time", c.Time.UTC().Format("2006-01-02 15:04:05"), "source", c.Source))
}

func (b *binder) defects() []fact {
	var list []fact
	for _, d := range b.r.Defects {
		list = append(list, fact{d.Where, d.What})
	}
	return list
}

// known leaves out facts without a value.
func known(facts []fact) []fact {
	var list []fact
	for _, f := range facts {
		if strings.TrimSpace(f.Value) != "" {
			list = append(list, f)
		}
	}
	return list
}

func (b *binder) verdicts() []profileCard {
	var list []profileCard
	for _, v := range b.r.Verdicts {
		c := profileCard{
			Chip: b.chip(v.Verdict), ID: v.Profile, Title: v.Title, To: b.profilePlace(v.Profile),
			Tallies: b.tallies(v),
			Decided: b.say(coverageText(v.Coverage)), Consistency: b.say(consistencyText(v.Consistency)), Contradicted: v.Consistency == verdict.Fail,
		}
		if n := onTrust(b.r, v.Profile); n > 0 {
			c.Declared = b.say(msg.T("requirements that passed on it alone: {n}", "n", n))
		}
		list = append(list, c)
	}
	return list
}

// tallies lists the counts of a profile, what needs somebody first.
func (b *binder) tallies(v result.Profile) []tallied {
	return []tallied{
		{b.chip(verdict.Fail), v.Mandatory.Fail, v.Counts.Fail},
		{b.chip(verdict.Inconclusive), v.Mandatory.Inconclusive, v.Counts.Inconclusive},
		{b.chip(verdict.Pass), v.Mandatory.Pass, v.Counts.Pass},
		{b.chip(verdict.NotApplicable), v.Mandatory.NotApplicable, v.Counts.NotApplicable},
	}
}

// standing says in counts how the run stands.
func (b *binder) standing(s summary) string {
	if len(b.r.Requirements) == 0 {
		return b.say(msg.T("Nothing was judged: no profile asks for anything."))
	}
	return b.say(msg.T("Failures proven: {proven}. Requirements that need you: {open}.", "proven", len(s.findings), "open", openOnes(s)))
}

// openOnes counts the requirements that wait for somebody.
func openOnes(s summary) int {
	n := 0
	for _, a := range s.actions {
		n += len(a.requirements)
	}
	return n
}

// utc writes a moment for people.
func utc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}
