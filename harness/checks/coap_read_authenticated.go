package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
)

var coapReadAuthenticated = register(check.Check{
	ID:     "coap.read-authenticated",
	Title:  "No stranger reads a resource of a CoAP server that is not declared as public",
	Remedy: "Ask for a log-in before a resource is read: DTLS with a key per client, or OSCORE, and rules per resource",
	Needs:  append([]probe.Any{declaration.Probe}, coapSurface...),
	Decide: decideCoAPRead,
})

func decideCoAPRead(in check.In) []check.Item {
	var items []check.Item
	for _, c := range coapVisits(in.DUT) {
		if c.Reader == coapread.Stranger {
			items = append(items, coapReadAt(c)...)
		}
	}
	return withCoAPSurface(in.DUT, items)
}

// coapReadAt judges what a stranger was told at a door, resource by resource.
func coapReadAt(c coapVisit) []check.Item {
	if c.shutOut() {
		return []check.Item{coapShutOutAt(c)}
	}
	var items []check.Item
	for i, r := range resourcesOf(c.view) {
		items = append(items, coapReadOf(c, i, r))
	}
	at := c.Door.Endpoint()
	switch {
	case !slices.ContainsFunc(c.Rounds, func(r coapread.Round) bool { return r.Entry.Outcome == coapread.Opened }):
		return []check.Item{check.Inconclusive(at, msg.T("a stranger was neither let in nor turned away by an alert"), msg.T("run again"), c.entries()...)}
	case len(items) == 0:
		return []check.Item{check.Inconclusive(at, msg.T("no resource of the server is known"), msg.T("list the resources of the server in the device file under coap.resources, and run again"), c.ref("listing"))}
	case !c.listed() && !holderListed(c):
		items = append(items, check.Inconclusive(at, msg.T("the listing was not read to the end, so that not every resource is known"), msg.T("run again with --pace gentle"), c.ref("listing")))
	}
	return items
}

// holderListed reports whether the holder was told every link at any door.
func holderListed(c coapVisit) bool {
	return slices.ContainsFunc(coapVisits(c.view), func(o coapVisit) bool {
		return o.Reader == coapread.Holder && o.Listing.Exchange.Success() && o.listed()
	})
}

// coapShutOutAt is the item of a door that turned strangers away. That counts if it
// let the holder in.
func coapShutOutAt(c coapVisit) check.Item {
	at := c.Door.Endpoint()
	if h, ok := holderAt(c.view, c.Door); ok {
		for i, r := range resourcesOf(c.view) {
			if h.took(i) == toldIt {
				return check.Pass(at, msg.T("a stranger was turned away by an alert, twice, and the holder of log-in {id} read {path}", "id", string(h.Credential), "path", r.Path),
					append(c.entries(), h.refsOf(i, "length_bytes")...)...)
			}
		}
	}
	return check.Inconclusive(at, msg.T("a stranger was turned away by an alert, and nobody else could read a resource"), letIn(c.view, c.Door), c.entries()...)
}

// coapReadOf judges one resource at one door.
func coapReadOf(c coapVisit, i int, r coapread.Resource) check.Item {
	at := c.Door.Port().Subject(coapSubject(r.Path))
	said, _ := coapSaid(c.view, c.Door).Of(string(r.Path))
	if item := coapSecretAt(c, i, at); item != nil {
		return *item
	}
	refs := c.refsOf(i, "get/exchange/outcome")
	switch how := c.took(i); {
	case how == toldIt && said.Public == evidence.No:
		return check.Fail(at, msg.T("a stranger read {n} bytes, in two exchanges, and the device file says that it is not public", "n", c.Rounds[0].Reads[i].Length), append(c.refsOf(i, "get/exchange/payload"), publicRef(c, r)...)...)
	case said.Public == evidence.Yes && (how == toldIt || how == toldNothing || how == keptFrom):
		return check.Pass(at, msg.T("the device file says that anybody may read it, and no secret was in it ({how})", "how", how), append(refs, publicRef(c, r)...)...)
	case how == toldIt:
		return check.Inconclusive(at, msg.T("a stranger read {n} bytes, and the device file does not say whether it is public", "n", c.Rounds[0].Reads[i].Length), msg.T("say in the device file whether {path} is public", "path", r.Path), refs...)
	case how != keptFrom:
		return check.Inconclusive(at, msg.T("whether a stranger can read it was not seen ({how})", "how", how), msg.T("run again"), refs...)
	}
	return keptFromStrangers(c, i, r, at)
}

// keptFromStrangers passes if somebody else could read the resource.
func keptFromStrangers(c coapVisit, i int, r coapread.Resource, at evidence.Endpoint) check.Item {
	refs := c.refsOf(i, "get/exchange/code")
	for _, h := range coapVisits(c.view) {
		if h.Reader == coapread.Holder && h.took(i) == toldIt {
			return check.Pass(at, msg.T("a stranger was refused, twice, and the holder of log-in {id} read it", "id", string(h.Credential)), append(refs, h.refsOf(i, "length_bytes")...)...)
		}
	}
	return check.Inconclusive(at, msg.T("a stranger was refused, and nobody else could read it"), holderWanted(c, r), refs...)
}

// holderWanted says what would show that a resource can be read at all.
func holderWanted(c coapVisit, r coapread.Resource) msg.Text {
	for _, s := range strangersAt(c.view, true) {
		if h, ok := holderAt(c.view, s.Door); !ok || !slices.ContainsFunc(h.Rounds, func(r coapread.Round) bool { return r.Entry.Outcome == coapread.Opened }) {
			return letIn(c.view, s.Door)
		}
	}
	return msg.T("say in the device file whether {path} is public, and give a log-in that may read it", "path", r.Path)
}

// coapSecretAt returns an item if a stranger was told a secret.
func coapSecretAt(c coapVisit, resource int, at evidence.Endpoint) *check.Item {
	var class evidence.SecretClass
	var refs []evidence.Ref
	for i, r := range c.Rounds {
		if resource >= len(r.Reads) || len(r.Reads[resource].Secrets) == 0 {
			continue
		}
		found := r.Reads[resource].Secrets[0].Secret.Class
		if class != "" && found != class {
			continue
		}
		class, refs = found, append(refs, c.ref("rounds/%d/reads/%d/secrets/0", i, resource))
	}
	var item check.Item
	switch len(refs) {
	case 0:
		return nil
	case 1:
		item = check.Inconclusive(at, msg.T("a stranger read a secret of class {class}, in one exchange only", "class", string(class)), msg.T("run again"), refs...)
	default:
		item = check.Fail(at, msg.T("a stranger read a secret of class {class}, in two exchanges", "class", string(class)), refs...)
	}
	return &item
}

// publicRef cites what the device file says of a resource.
func publicRef(c coapVisit, r coapread.Resource) []evidence.Ref {
	for i, s := range declaration.Probe.From(c.view).Services {
		for j, d := range s.CoAP.Resources {
			if string(d.Path) == string(r.Path) && d.Public != evidence.Unknown {
				return []evidence.Ref{declaration.Probe.At(c.view, "/services/%d/coap/resources/%d/public", i, j)}
			}
		}
	}
	return nil
}
