package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
)

// A coapVisit is what one reader was told at one door, with its place in the
// evidence.
type coapVisit struct {
	coapread.Visit
	view  evidence.View
	place int
}

// coapVisits returns every visit, in the order of the evidence.
func coapVisits(v evidence.View) []coapVisit {
	var all []coapVisit
	for i, visit := range coapread.Probe.From(v).Visits {
		all = append(all, coapVisit{visit, v, i})
	}
	return all
}

// strangersAt returns the visits of strangers, at doors inside encryption or in
// clear.
func strangersAt(v evidence.View, secure bool) []coapVisit {
	return slices.DeleteFunc(coapVisits(v), func(c coapVisit) bool {
		return c.Reader != coapread.Stranger || c.Door.Secure() != secure
	})
}

// holderAt returns the visit of the holder of the log-in at a door.
func holderAt(v evidence.View, d coapread.Door) (coapVisit, bool) {
	all := coapVisits(v)
	i := slices.IndexFunc(all, func(c coapVisit) bool { return c.Reader == coapread.Holder && c.Door == d })
	if i < 0 {
		return coapVisit{}, false
	}
	return all[i], true
}

// ref cites a field of the visit.
func (c coapVisit) ref(field string, args ...any) evidence.Ref {
	return coapread.Probe.At(c.view, "/visits/%d/"+field, append([]any{c.place}, args...)...)
}

// refsOf cites how a resource was read in every round.
func (c coapVisit) refsOf(resource int, field string) []evidence.Ref {
	var refs []evidence.Ref
	for i, r := range c.Rounds {
		if resource < len(r.Reads) {
			refs = append(refs, c.ref("rounds/%d/reads/%d/%s", i, resource, field))
		}
	}
	return refs
}

// entries cites how the reader was let in.
func (c coapVisit) entries() []evidence.Ref {
	var refs []evidence.Ref
	for i := range c.Rounds {
		refs = append(refs, c.ref("rounds/%d/entry", i))
	}
	return refs
}

// shutOut reports whether the door turned the reader away in every round, by an
// alert.
func (c coapVisit) shutOut() bool {
	return len(c.Rounds) >= 2 && !slices.ContainsFunc(c.Rounds, func(r coapread.Round) bool { return r.Entry.Outcome != coapread.Refused })
}

// reception is how a reader's question for a resource was taken.
type reception int

const (
	oddAnswer   reception = iota // none of the others, or not the same in two rounds
	toldIt                       // a payload came
	toldOnce                     // a payload came in one round, and something else in another
	toldNothing                  // success without a payload
	keptFrom                     // refused
	noAnswer                     // not answered, while nothing was lost
)

// receptions name what was seen, for texts.
var receptions = [...]string{"not understood, or different each time", "answered", "answered once", "answered without a payload", "refused", "not answered"}

// String names the reception.
func (r reception) String() string { return receptions[r] }

// took says how a resource was taken in all rounds. Who was told twice was told;
// what was refused once and not answered another time was not answered.
func (c coapVisit) took(resource int) reception {
	var all []reception
	for _, r := range c.Rounds {
		if resource < len(r.Reads) {
			all = append(all, tookIn(r, r.Reads[resource]))
		}
	}
	told := count(all, toldIt)
	switch {
	case told >= 2:
		return toldIt
	case told == 1:
		return toldOnce
	case len(all) < 2:
		return oddAnswer
	case count(all, all[0]) == len(all):
		return all[0]
	case count(all, keptFrom)+count(all, noAnswer) == len(all):
		return noAnswer
	}
	return oddAnswer
}

func count(all []reception, what reception) int {
	n := 0
	for _, r := range all {
		if r == what {
			n++
		}
	}
	return n
}

// tookIn says how a resource was taken in one round.
func tookIn(round coapread.Round, r coapread.Read) reception {
	x := r.Get.Exchange
	switch {
	case x.OSCORE == evidence.Yes:
		return oddAnswer // protected, and not asked for by us
	case r.Tells():
		return toldIt
	case x.Success():
		return toldNothing
	case declines(x), hangsUp(x) && alive(round, r):
		return keptFrom
	case r.Get.NotAnswered():
		return noAnswer
	}
	return oddAnswer
}

// declines reports whether the server said in the protocol's own words that it
// does not serve this client: unauthorised, forbidden, and as if there were no
// such resource or method.
func declines(x coapread.Exchange) bool {
	return x.Outcome == coapread.Answered && slices.Contains([]coapread.Code{"4.01", "4.03", "4.04", "4.05"}, x.Code)
}

// hangsUp reports whether the server ended the exchange without a word, which
// is a refusal between two good ones.
func hangsUp(x coapread.Exchange) bool {
	return x.Outcome == coapread.Reset || x.Outcome == coapread.Closed
}

// alive reports whether the server answered controls before and after.
func alive(round coapread.Round, r coapread.Read) bool {
	answers := func(x coapread.Exchange) bool { return x.Outcome == coapread.Answered || x.Outcome == coapread.Reset }
	around := answers(round.Before) && answers(round.After)
	return around || r.Get.Controls >= 2 && r.Get.Kept == r.Get.Controls
}

// listed reports whether the reader was told every link, or that there is no
// list for it.
func (c coapVisit) listed() bool {
	x := c.Listing.Exchange
	return x.Success() && c.Listing.Parsed == evidence.Yes && x.Truncated != evidence.Yes || declines(x)
}

// resourcesOf returns what was asked for, by its place in the evidence, without
// the listing itself.
func resourcesOf(v evidence.View) func(yield func(int, coapread.Resource) bool) {
	all := coapread.Probe.From(v).Resources
	return func(yield func(int, coapread.Resource) bool) {
		for i, r := range all {
			if string(r.Path) != coapread.Core && !yield(i, r) {
				return
			}
		}
	}
}

// servedInside cites, for each resource that somebody was told at a door, that
// it was, twice.
func servedInside(v evidence.View, d coapread.Door) map[int][]evidence.Ref {
	served := map[int][]evidence.Ref{}
	for _, c := range coapVisits(v) {
		if c.Door != d {
			continue
		}
		for i := range resourcesOf(v) {
			if c.took(i) == toldIt {
				served[i] = append(served[i], c.refsOf(i, "length_bytes")...)
			}
		}
	}
	return served
}

// coapSaid is what the device file says of the server at a door.
func coapSaid(v evidence.View, d coapread.Door) declaration.CoAP {
	udp := evidence.No
	if d.Datagrams() {
		udp = evidence.Yes
	}
	return declaration.Probe.From(v).CoAPAt(udp, d.Addr.Port())
}
