package checks

import (
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapobserve"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/coapwrite"
)

var coapEndpointEncrypted = register(check.Check{
	ID:     "coap.endpoint-encrypted",
	Title:  "No CoAP server serves a resource of an application in clear",
	Remedy: "Serve resources inside DTLS, TLS or OSCORE alone, and leave nothing but the listing on the port in clear",
	Needs:  coapSurface,
	Uses:   []probe.Any{coapwrite.Probe, coapobserve.Probe},
	Decide: decideCoAPEncrypted,
})

func decideCoAPEncrypted(in check.In) []check.Item {
	var items []check.Item
	for _, c := range strangersAt(in.DUT, false) {
		items = append(items, inClearAt(c))
	}
	if len(items) > 0 {
		return withCoAPSurface(in.DUT, items)
	}
	secure := strangersAt(in.DUT, true)
	for _, c := range secure {
		if served := servedInside(in.DUT, c.Door); len(served) > 0 {
			return onlyInside(in.DUT, c, served)
		}
	}
	if len(secure) > 0 {
		return withCoAPSurface(in.DUT, []check.Item{nobodyInside(secure[0])})
	}
	return withCoAPSurface(in.DUT, nil)
}

// onlyInside is the item of a device that serves resources inside encryption,
// and nowhere else.
func onlyInside(v evidence.View, c coapVisit, served map[int][]evidence.Ref) []check.Item {
	return withCoAPSurface(v, []check.Item{check.Pass(c.Door.Endpoint(),
		msg.T("{n} resources were read inside encryption, and no UDP or TCP port spoke CoAP in clear", "n", len(served)), append(anyOf(served), coapSeenAll(v)...)...)})
}

// anyOf cites one resource that was served: the first.
func anyOf(served map[int][]evidence.Ref) []evidence.Ref {
	first := -1
	for i := range served {
		if first < 0 || i < first {
			first = i
		}
	}
	return served[first]
}

// nobodyInside is the item of a door inside encryption behind which nobody was
// told anything.
func nobodyInside(c coapVisit) check.Item {
	return check.Inconclusive(c.Door.Endpoint(), msg.T("nobody could read a resource inside encryption, so that it is not known whether CoAP is served there"), letIn(c.view, c.Door), c.ref("rounds"))
}

// inClearAt judges a door in clear: it fails on a resource that was served or
// changed, and passes if every resource was asked for and none was served.
func inClearAt(c coapVisit) check.Item {
	at := c.Door.Endpoint()
	if path, refs := notifiedInClear(c); len(refs) > 0 {
		return check.Fail(at, msg.T("changes of {path} were sent to a stranger in clear, in two exchanges", "path", path), refs...)
	}
	var open, doubtful *check.Item
	switch path, ref, times := changedInClear(c); {
	case times >= 2:
		return check.Fail(at, msg.T("a write to {path} in clear took effect, twice", "path", path), ref)
	case times == 1:
		item := check.Inconclusive(at, msg.T("a write to {path} in clear took effect, once", "path", path), msg.T("run again"), ref)
		doubtful = &item
	}
	asked := 0
	refs := []evidence.Ref{c.ref("listing")}
	for i, r := range resourcesOf(c.view) {
		asked++
		read := c.refsOf(i, "get/exchange/outcome")
		refs = append(refs, read...)
		switch how := c.took(i); {
		case how == toldIt && open == nil:
			item := check.Fail(at, msg.T("{path} answered in clear with {n} bytes, in two exchanges", "path", r.Path, "n", c.Rounds[0].Reads[i].Length), c.refsOf(i, "get/exchange/payload")...)
			open = &item
		case how != toldIt && how != keptFrom && how != noAnswer && doubtful == nil:
			item := check.Inconclusive(at, msg.T("whether {path} is served in clear was not seen ({how})", "path", r.Path, "how", how), msg.T("run again"), read...)
			doubtful = &item
		}
	}
	switch {
	case open != nil:
		return *open
	case doubtful != nil:
		return *doubtful
	}
	return nothingInClear(c, asked, refs)
}

// nothingInClear passes if something shows that the server serves.
func nothingInClear(c coapVisit, asked int, refs []evidence.Ref) check.Item {
	at := c.Door.Endpoint()
	control := c.Listing.Exchange.Success() || elsewhere(c.view)
	switch {
	case !control:
		return check.Inconclusive(at, msg.T("nothing was served here, and nothing shows that the server serves anything: no listing, no exchange inside encryption"), letInElsewhere(c), refs...)
	case asked == 0, !c.listed():
		return check.Inconclusive(at, msg.T("not every resource of the server is known: {n} were asked for", "n", asked),
			msg.T("list the resources of the server in the device file under coap.resources, and run again"), refs...)
	}
	return check.Pass(at, msg.T("{n} resources were asked for in clear, twice, and none was served", "n", asked), refs...)
}

// elsewhere reports whether a resource was served inside encryption.
func elsewhere(v evidence.View) bool {
	for _, c := range strangersAt(v, true) {
		if len(servedInside(v, c.Door)) > 0 {
			return true
		}
	}
	return false
}

// letInElsewhere says what would show that the server serves.
func letInElsewhere(c coapVisit) msg.Text {
	for _, s := range strangersAt(c.view, true) {
		return letIn(c.view, s.Door)
	}
	return msg.T("say in the device file how clients reach the server, and run again")
}

// changedInClear cites the resource that a stranger changed most often at the
// door, and says how often.
func changedInClear(c coapVisit) (path evidence.Bytes, ref evidence.Ref, times int) {
	e, _ := coapwrite.Probe.Get(c.view)
	for i, r := range e.Resources {
		n := 0
		for _, a := range r.Attempts {
			if a.Actor.Reader == coapread.Stranger && a.Actor.Door == c.Door && a.Changed == evidence.Yes {
				n++
			}
		}
		if n > times {
			path, ref, times = r.Path, coapwrite.Probe.At(c.view, "/resources/%d/attempts", i), n
		}
	}
	return path, ref, times
}
