package checks

import (
	"fmt"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/coapread"
)

// amplification is what the check can be told.
type amplification struct {
	Ratio int `yaml:"ratio"` // of the first answer to the request, in bytes with the headers of IP
}

// worthARemark is the ratio above which an answer is large, but not too large.
const worthARemark = 3

var coapAmplificationBounded = register(check.Check{
	ID:     "coap.amplification-bounded",
	Title:  "No small request of a stranger draws a large answer from a CoAP server",
	Remedy: "Ask clients to show their address by Echo (RFC 9175) before a large answer is sent, or answer in small blocks",
	Needs:  coapSurface,
	Params: amplification{Ratio: 10},
	Decide: decideCoAPAmplification,
})

func decideCoAPAmplification(in check.In) []check.Item {
	ratio := check.Params[amplification](in).Ratio
	var items []check.Item
	for _, c := range strangersAt(in.DUT, false) {
		if c.Door.Transport == coapread.UDP {
			items = append(items, amplifiedAt(c, ratio))
		}
	}
	if gaps := coapUnseen(in.DUT); len(items) > 0 || len(gaps) > 0 {
		return append(gaps, items...)
	}
	return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no UDP port spoke CoAP in clear, and everything else makes clients show their address first"), append(coapSeenAll(in.DUT), coapread.Probe.At(in.DUT, "/visits"))...)}
}

// A drawn is the largest answer that a question drew in one exchange, or in
// each of two.
type drawn struct {
	path       evidence.Bytes
	request    int
	response   int
	unfinished evidence.Tri // whether it was one block of several
	refs       []evidence.Ref
}

func (d drawn) times() string { return fmt.Sprintf("%.1f", float64(d.response)/float64(d.request)) }

// above reports whether the answer was larger than so many requests.
func (d drawn) above(ratio int) bool { return d.response > ratio*d.request }

// more reports whether d is the larger ratio.
func (d drawn) more(than drawn) bool {
	return than.request == 0 || d.response*than.request > than.response*d.request
}

// amplifiedAt judges by the largest answer that came twice.
func amplifiedAt(c coapVisit, ratio int) check.Item {
	var seen largest
	for i, r := range coapread.Probe.From(c.view).Resources {
		for _, field := range []string{"get", "non"} {
			low, high, ok := c.draws(i, field)
			low.path, high.path = r.Path, r.Path
			seen.add(low, high, ok, ratio)
		}
	}
	return amplifiedBy(c, seen, ratio)
}

// largest are the largest answers of a door.
type largest struct {
	twice   drawn          // in each of two exchanges
	blocked drawn          // likewise, of a server that had more to send
	once    drawn          // too large in one exchange only
	unseen  evidence.Bytes // a resource whose answers were not seen
}

func (l *largest) add(low, high drawn, ok bool, ratio int) {
	switch {
	case !ok:
		l.unseen = low.path
	case low.above(ratio) && low.unfinished == evidence.Yes:
		l.blocked = low
	case high.above(ratio) && !low.above(ratio):
		l.once = high
	case low.request > 0 && low.more(l.twice):
		l.twice = low
	}
}

func amplifiedBy(c coapVisit, l largest, ratio int) check.Item {
	at, worst, blocked, once := c.Door.Endpoint(), l.twice, l.blocked, l.once
	switch {
	case worst.request > 0 && worst.above(ratio):
		return check.Fail(at, msg.T("a request of {q} bytes to {path} drew {a} bytes at once, {times} times as much, twice", "q", worst.request, "path", worst.path, "a", worst.response, "times", worst.times()), worst.refs...)
	case once.request > 0:
		return check.Inconclusive(at, msg.T("a request to {path} drew {times} times as much, once", "path", once.path, "times", once.times()), msg.T("run again"), once.refs...)
	case blocked.request > 0:
		return check.Inconclusive(at, msg.T("a request to {path} drew {times} times as much, although the server answered in blocks", "path", blocked.path, "times", blocked.times()),
			msg.T("make the first block smaller, or ask for Echo before it is sent, and run again"), blocked.refs...)
	case l.unseen != nil:
		return check.Inconclusive(at, msg.T("how large the answer of {path} is was not seen", "path", l.unseen), msg.T("run again"), c.ref("rounds"))
	case !c.listed() || !c.Listing.Exchange.Success() && !holderListed(c):
		return check.Inconclusive(at, msg.T("the listing was not read, so that not every resource is known"), msg.T("list the resources of the server in the device file under coap.resources, let a log-in read the listing, and run again"), c.ref("listing"))
	case worst.request == 0:
		return check.Inconclusive(at, msg.T("no request was answered"), msg.T("run again"), c.ref("rounds"))
	}
	item := check.Pass(at, msg.T("the largest of the first answers, that of {path}, was {times} times as large as the request", "path", worst.path, "times", worst.times()), append(worst.refs, c.ref("listing"))...)
	if worst.above(worthARemark) {
		return check.Advise(item, msg.T("an answer more than {n} times as large as the request helps to attack others", "n", worthARemark))
	}
	return item
}

// draws returns the smallest and the largest answer that a question drew in two
// rounds. Silence is an answer of no bytes. ok is false if there were not two.
func (c coapVisit) draws(resource int, field string) (low, high drawn, ok bool) {
	refs := c.refsOf(resource, field+"/exchange/response_bytes")
	if len(refs) < 2 {
		return low, high, false
	}
	for i, r := range c.Rounds {
		asked := r.Reads[resource].Get
		if field == "non" {
			asked = r.Reads[resource].Non
		}
		x := asked.Exchange
		d := drawn{request: x.Request, response: x.Response, unfinished: unfinished(x), refs: refs}
		switch {
		case x.Outcome == coapread.NotTried, x.Request == 0, x.Outcome == coapread.Malformed, x.Outcome == coapread.Silent && !asked.NotAnswered():
			return low, high, false
		case i == 0:
			low, high = d, d
		case d.more(high):
			high = d
		case low.more(d):
			low = d
		}
	}
	return low, high, true
}

// unfinished reports whether the first answer was a block, with more to come.
func unfinished(x coapread.Exchange) evidence.Tri {
	if x.Block == evidence.Yes && (x.Blocks > 1 || x.Truncated == evidence.Yes) {
		return evidence.Yes
	}
	return evidence.No
}
