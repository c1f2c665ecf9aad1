package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/coapwrite"
)

var coapWriteAuthenticated = register(check.Check{
	ID:     "coap.write-authenticated",
	Title:  "No stranger changes a resource of a CoAP server",
	Remedy: "Ask for a log-in before a resource is written: DTLS with a key per client, or OSCORE, and rules per resource",
	Needs:  append([]probe.Any{coapwrite.Probe}, coapSurface...),
	Decide: decideCoAPWrite,
})

func decideCoAPWrite(in check.In) []check.Item {
	strangers := slices.Concat(strangersAt(in.DUT, false), strangersAt(in.DUT, true))
	all := coapwrite.Probe.From(in.DUT).Resources
	if len(strangers) > 0 && len(all) == 0 {
		return []check.Item{check.Inconclusive(evidence.Endpoint{}, msg.T("the device file names no resource that may be written for a test"),
			msg.T("give two test_values to a resource that may be written without harm, under coap.resources in the device file"), coapwrite.Probe.At(in.DUT, "/resources"))}
	}
	var items []check.Item
	for i := range all {
		for _, c := range strangers {
			items = append(items, writtenAt(c, i, all[i]))
		}
	}
	return withCoAPSurface(in.DUT, items)
}

// writtenAt judges what came of writes by strangers to a resource at a door.
func writtenAt(c coapVisit, place int, r coapwrite.Resource) check.Item {
	at := c.Door.Port().Subject(coapSubject(r.Path))
	ref := func(field string) evidence.Ref {
		return coapwrite.Probe.At(c.view, "/resources/%d/%s", place, field)
	}
	attempts := slices.DeleteFunc(slices.Clone(r.Attempts), func(a coapwrite.Attempt) bool { return a.Actor.Door != c.Door })
	changed := 0
	for _, a := range attempts {
		if a.Changed == evidence.Yes {
			changed++
		}
	}
	refs := []evidence.Ref{ref("attempts"), ref("restored")}
	switch {
	case changed >= 2 && r.Restored == evidence.No:
		return check.Fail(at, msg.T("a stranger changed it in {n} of {all} writes, and what was there could not be put back: it was {original}, and is {last}", "n", changed, "all", len(attempts), "original", r.Original, "last", r.Last), refs...)
	case changed >= 2:
		return check.Fail(at, msg.T("a stranger changed it in {n} of {all} writes, as two readings after each showed, and what was there was put back", "n", changed, "all", len(attempts)), refs...)
	case r.Restored == evidence.No:
		return check.Inconclusive(at, msg.T("what was written could not be put back: it was {original}, and is {last}", "original", r.Original, "last", r.Last), msg.T("put {original} back by hand, and look why that was not possible", "original", r.Original), refs...)
	case changed == 1:
		return check.Inconclusive(at, msg.T("a stranger changed it in one of {all} writes", "all", len(attempts)), msg.T("run again"), refs...)
	case r.Skipped != coapwrite.Written:
		return check.Inconclusive(at, msg.T("nothing was written ({why})", "why", string(r.Skipped)), unskip(r.Skipped), ref("skipped"))
	}
	return unchanged(at, attempts, r, refs, append(refs, ref("controls")))
}

// unskip says what makes it possible to write.
func unskip(why coapwrite.Reason) msg.Text {
	switch why {
	case coapwrite.NotYet:
		return msg.T("run again")
	case coapwrite.Changing:
		return msg.T("give test_values to a resource that does not change by itself")
	case coapwrite.Unreadable:
		return msg.T("give a log-in that may read the resource in coap.credential, so that it can be put back")
	}
	return msg.T("give test_values to a resource with a short value without secrets")
}

// unchanged judges writes that changed nothing.
func unchanged(at evidence.Endpoint, attempts []coapwrite.Attempt, r coapwrite.Resource, refs, controls []evidence.Ref) check.Item {
	unsure := func(a coapwrite.Attempt) bool { return a.Changed != evidence.No }
	taken := func(a coapwrite.Attempt) bool { return !turnsDown(a) }
	works := func(a coapwrite.Attempt) bool { return a.Changed == evidence.Yes && a.Restored == evidence.Yes }
	switch {
	case len(attempts) < 2:
		return check.Inconclusive(at, msg.T("a stranger wrote {n} times only", "n", len(attempts)), msg.T("run again"), refs...)
	case slices.ContainsFunc(attempts, unsure):
		return check.Inconclusive(at, msg.T("whether a stranger changed it could not be read"), msg.T("give a log-in that may read it in coap.credential, and run again"), refs...)
	case slices.ContainsFunc(attempts, taken):
		return check.Inconclusive(at, msg.T("nothing changed, and the server did not refuse the write ({how})", "how", lastWordOf(attempts)), msg.T("run again, and look by hand what the server does with such a write"), refs...)
	case len(r.Controls) < 2:
		return check.Inconclusive(at, msg.T("a stranger was refused, and no holder of a log-in wrote"), msg.T("give a log-in that may write it, with service coap, in coap.credential of the device file"), controls...)
	case slices.ContainsFunc(r.Controls, func(a coapwrite.Attempt) bool { return !works(a) }):
		return check.Inconclusive(at, msg.T("a stranger was refused, and the holder of log-in {id} could not write either", "id", string(r.Controls[0].Actor.Credential)), msg.T("put the CoAP log-in {id} of the device file right, or its test_values", "id", string(r.Controls[0].Actor.Credential)), controls...)
	}
	return check.Pass(at, msg.T("a stranger was refused in {n} writes, and nothing changed, between writes by the holder of log-in {id} that did and were put back", "n", len(attempts), "id", string(r.Controls[0].Actor.Credential)), controls...)
}

// final is the last message of an attempt.
func final(a coapwrite.Attempt) coapread.Exchange {
	if a.Post.Outcome != coapread.NotTried {
		return a.Post
	}
	return a.Put
}

// turnsDown reports whether the server refused a write. What was read afterwards
// shows that it was there all the time.
func turnsDown(a coapwrite.Attempt) bool {
	x := final(a)
	return a.Entry.Outcome == coapread.Refused || declines(x) || hangsUp(x)
}

// lastWordOf names how the first write that was not refused was taken.
func lastWordOf(attempts []coapwrite.Attempt) string {
	for _, a := range attempts {
		if x := final(a); !turnsDown(a) {
			if x.Code != "" {
				return string(x.Code)
			}
			return string(x.Outcome)
		}
	}
	return ""
}
