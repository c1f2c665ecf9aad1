package checks

import (
	"maps"
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/coapread"
)

var coapNoPlaintextSideDoor = register(check.Check{
	ID:     "coap.no-plaintext-side-door",
	Title:  "What a CoAP server protects by encryption is not also served in clear",
	Remedy: "Close the port in clear, or register the resources with the encrypted endpoint alone: several libraries open both ports when a key is set",
	Needs:  coapSurface,
	Decide: decideCoAPSideDoor,
})

func decideCoAPSideDoor(in check.In) []check.Item {
	secure := strangersAt(in.DUT, true)
	if len(secure) == 0 {
		if gaps := coapUnseen(in.DUT); len(gaps) > 0 {
			return gaps
		}
		return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no UDP or TCP port spoke CoAP inside encryption"), append(coapSeenAll(in.DUT), coapread.Probe.At(in.DUT, "/visits"))...)}
	}
	inside := map[int][]evidence.Ref{}
	for _, c := range secure {
		maps.Copy(inside, servedInside(in.DUT, c.Door))
	}
	if len(inside) == 0 {
		return withCoAPSurface(in.DUT, []check.Item{nobodyInside(secure[0])})
	}
	var items []check.Item
	for _, c := range strangersAt(in.DUT, false) {
		items = append(items, sideDoorAt(c, inside))
	}
	if len(items) == 0 {
		for _, c := range secure {
			if served := servedInside(in.DUT, c.Door); len(served) > 0 {
				return onlyInside(in.DUT, c, served)
			}
		}
	}
	return withCoAPSurface(in.DUT, items)
}

// sideDoorAt holds what a door in clear told strangers against what was served
// inside encryption in the same rounds.
func sideDoorAt(c coapVisit, inside map[int][]evidence.Ref) check.Item {
	at := c.Door.Endpoint()
	var doubt *check.Item
	var refs []evidence.Ref
	for _, i := range slices.Sorted(maps.Keys(inside)) {
		path := coapread.Probe.From(c.view).Resources[i].Path
		both := append(c.refsOf(i, "get/exchange/code"), inside[i]...)
		switch how := c.took(i); how {
		case toldIt:
			return check.Fail(at, msg.T("{path}, which was read inside encryption, was read in clear too, in two rounds", "path", path), both...)
		case keptFrom, noAnswer:
			refs = append(refs, both...)
		default:
			if doubt == nil {
				item := check.Inconclusive(at, msg.T("whether {path}, which was read inside encryption, is served in clear was not seen ({how})", "path", path, "how", how), msg.T("run again"), both...)
				doubt = &item
			}
		}
	}
	if doubt != nil {
		return *doubt
	}
	return check.Pass(at, msg.T("{n} resources were read inside encryption, and none of them in clear in the same rounds", "n", len(inside)), refs...)
}
