package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// findingCard is something to repair.
type findingCard struct {
	N        int
	Title    string // what a good device does
	Check    link   // without a text if no check shows it
	Seen     []sightingCard
	More     int // sightings that are left out
	Remedy   string
	Next     string
	Fails    []requirementLink
	HasCheck bool
}

// sightingCard is one thing that was seen, and where.
type sightingCard struct {
	Why, Advisory string
	Places        []string
	Evidence      evidenceCard
}

// requirementLink names a requirement.
type requirementLink struct {
	Link           link
	Profile, Level string
	Chip           chip
	Text, Basis    string
	Waiver         string
}

// actionCard is what would decide requirements.
type actionCard struct {
	Next, Why string
	Decides   []requirementLink
	// Each are the single steps, where they differ in what they name.
	Each []step
}

// step is one of many alike.
type step struct {
	Requirement requirementLink
	Next        string
}

// nameList names the requirements of a profile.
type nameList struct {
	Profile string
	Names   []requirementLink
}

// maxPageItems bounds the things of one kind that a page lists; the rest is
// counted. Verbose lists all.
const maxPageItems = 200

func (b *binder) limit(n int) int {
	if b.Verbose {
		return n
	}
	return min(n, maxPageItems)
}

func (b *binder) findings(fs []finding) []findingCard {
	var list []findingCard
	for i, f := range fs {
		c := b.finding(f.decision)
		c.N = i + 1
		for _, q := range f.requirements {
			c.Fails = append(c.Fails, b.named(q))
		}
		if !c.HasCheck {
			q := f.requirements[0]
			c.Title, c.Next = q.Text, b.say(q.Next)
			c.Seen = []sightingCard{{Why: b.say(q.Why)}}
		}
		list = append(list, c)
	}
	return list
}

func (b *binder) lone(ds []result.Decision) []findingCard {
	var list []findingCard
	for i, d := range ds {
		c := b.finding(d)
		c.N = i + 1
		list = append(list, c)
	}
	return list
}

func (b *binder) finding(d result.Decision) findingCard {
	c := findingCard{Title: b.say(d.Title), Remedy: b.say(d.Remedy), HasCheck: d.Check != "", Check: link{b.checks[d.Key()], d.Key()}}
	groups := sightings(d.Items)
	for n, group := range groups {
		if n == b.limit(len(groups)) {
			c.More = len(groups) - n
			break
		}
		first := group[0]
		c.Seen = append(c.Seen, sightingCard{
			Why: b.say(first.Why), Advisory: b.say(first.Advisory), Places: b.shortList(places(group, b.Options)), Evidence: b.evidence(first),
		})
		c.Seen[n].Evidence.Open = true
		if len(group) > 1 {
			c.Seen[n].Evidence.Of = b.say(msg.T("for the first of {n}; the check has all", "n", len(group)))
		}
	}
	return c
}

// shortList is names, the last of which says how many more there are.
func (b *binder) shortList(names []string) []string {
	n := b.limit(len(names))
	if n == len(names) {
		return names
	}
	return append(names[:n:n], b.say(msg.T("and {n} more", "n", len(names)-n)))
}

// named names a requirement and leads to it.
func (b *binder) named(q result.Requirement) requirementLink {
	l := requirementLink{
		Link: link{"", q.ID}, Profile: q.Profile, Level: q.Level, Chip: b.chip(q.Verdict), Text: q.Text, Basis: b.say(basisWord(q.Basis)), Waiver: q.Waiver,
	}
	for i, other := range b.r.Requirements {
		if other.Profile == q.Profile && other.ID == q.ID {
			l.Link.To = b.requirements[i]
			break
		}
	}
	return l
}

// actions puts steps together that differ only in what they name: ten
// questions to the same person are one thing to do.
func (b *binder) actions(as []action) []actionCard {
	var list []actionCard
	at := map[string]int{}
	for _, a := range as {
		i, known := at[a.next.Template]
		if !known {
			i = len(list)
			at[a.next.Template] = i
			list = append(list, actionCard{Next: b.say(a.next), Why: b.say(a.why())})
		}
		c := &list[i]
		if known {
			c.Next, c.Why = b.say(blank(a.next)), ""
		}
		for _, q := range a.requirements {
			named := b.named(q)
			c.Decides, c.Each = append(c.Decides, named), append(c.Each, step{named, b.say(a.next)})
		}
	}
	for i := range list {
		byOrder(list[i].Decides, func(l requirementLink) string { return l.Profile }, b.profileNames())
		byOrder(list[i].Each, func(s step) string { return s.Requirement.Profile }, b.profileNames())
		if same(list[i].Each) {
			list[i].Each = nil
		}
	}
	return list
}

// byOrder puts what names the same thing together, in the order of names.
func byOrder[T any](list []T, name func(T) string, names []string) {
	slices.SortStableFunc(list, func(x, y T) int {
		return cmp.Compare(slices.Index(names, name(x)), slices.Index(names, name(y)))
	})
}

func same(steps []step) bool {
	for _, s := range steps {
		if s.Next != steps[0].Next {
			return false
		}
	}
	return true
}

// blank is t with its values left open.
func blank(t msg.Text) msg.Text {
	out := msg.Text{Template: t.Template, Args: map[string]string{}}
	for name := range t.Args {
		out.Args[name] = "…"
	}
	return out
}

func (b *binder) advised(as []advised) []itemCard {
	var list []itemCard
	for _, a := range as {
		c := b.item(a.item)
		c.Check = link{b.checks[a.check], a.check}
		list = append(list, c)
	}
	return list
}

// passed lists what needs nobody any more.
func (b *binder) passed() []nameList {
	var list []nameList
	for _, q := range b.r.Requirements {
		if q.Verdict != verdict.Pass {
			continue
		}
		if n := len(list); n == 0 || list[n-1].Profile != q.Profile {
			list = append(list, nameList{Profile: q.Profile})
		}
		last := &list[len(list)-1]
		last.Names = append(last.Names, b.named(q))
	}
	return list
}

// evidenceCard is what an item rests on.
type evidenceCard struct {
	N    int
	Open bool   // shown from the start
	Of   string // which of several things it is about, empty if there is one
	Refs []refCard
}

// refCard is one field of the evidence.
type refCard struct {
	Record  link
	Probe   string
	Pointer string
	Value   string // empty if the result shows none
	Short   bool   // whether it has room beside its name
	Bytes   string // where they lie, empty if that is not known
}

// maxShort is how long a value may be that stands beside its name, in bytes.
const maxShort = 40

func (b *binder) evidence(i result.Item) evidenceCard {
	c := evidenceCard{N: len(i.Refs)}
	shown := map[evidence.Ref]result.Excerpt{}
	for _, e := range i.Excerpts {
		shown[e.Ref] = e
	}
	for n, ref := range i.Refs {
		if n == b.limit(len(i.Refs)) {
			break
		}
		r := refCard{Record: b.record(ref), Probe: strings.TrimPrefix(ref.Unit+" ", evidence.DUT+" ") + ref.Probe, Pointer: ref.Pointer}
		if e, ok := shown[ref]; ok {
			r.Value, r.Bytes = e.Value, b.bytesAt(e.Span)
			if e.LeftOut > 0 {
				r.Value += rest(e.LeftOut)
			}
			r.Short = r.Value != "" && len(r.Value) <= maxShort
		}
		c.Refs = append(c.Refs, r)
	}
	return c
}

// bytesAt says where a span lies.
func (b *binder) bytesAt(s evidence.Span) string {
	if s.Member == "" || s.Length <= 0 {
		return ""
	}
	return b.say(msg.T("{member}, bytes {first} to {last}", "member", s.Member, "first", s.Offset, "last", s.Offset+s.Length-1))
}

// record leads to the record that a reference points into.
func (b *binder) record(ref evidence.Ref) link {
	for i, rec := range b.r.Records {
		if rec.Unit == ref.Unit && rec.Probe == ref.Probe && rec.Phase == "" {
			return link{b.records[i], b.say(msg.T("record {n}", "n", rec.Seq))}
		}
	}
	return link{}
}
