package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/mqttpublish"
)

var mqttCrossPublishRefused = register(check.Check{
	ID:     "mqtt.cross-publish-refused",
	Title:  "No client of an MQTT broker reaches the topics of another one",
	Remedy: "Allow each client to publish to its own topics only, by an access list per identity, in every version of the protocol",
	Needs:  append([]probe.Any{mqttpublish.Probe}, tcpSurface...),
	Decide: decideCrossPublishRefused,
})

func decideCrossPublishRefused(in check.In) []check.Item {
	var items []check.Item
	for i, d := range mqttpublish.Probe.From(in.DUT).Doors {
		items = append(items, crossPublishAt(d, mqttpublish.Probe.At(in.DUT, "/doors/%d/exchanges", i)))
	}
	return orNoBroker(in.DUT, items)
}

// crossPublishAt fails on what arrived, whatever else did, and passes only if
// everything arrived that had to.
func crossPublishAt(d mqttpublish.Doorway, ref evidence.Ref) check.Item {
	at := d.Door.Endpoint()
	a := arrivals(d, func(x mqttpublish.Exchange) mqttpublish.Canary { return x.AToB })
	stranger := arrivals(d, func(x mqttpublish.Exchange) mqttpublish.Canary { return x.StrangerToB })
	switch {
	case stranger >= 2:
		return check.Fail(at, msg.T("a message without credentials reached the topic of {b} in {n} of {all} exchanges", "b", string(d.B), "n", stranger, "all", len(d.Exchanges)), ref)
	case a >= 2:
		return check.Fail(at, msg.T("a message of {a} reached the topic of {b} in {n} of {all} exchanges", "a", string(d.A), "b", string(d.B), "n", a, "all", len(d.Exchanges)), ref)
	case a+stranger > 0:
		return check.Inconclusive(at, msg.T("a message reached the topic of {b} in one of {all} exchanges", "b", string(d.B), "all", len(d.Exchanges)), msg.T("run again"), ref)
	case unspoken(d):
		return versionMissing(d.Door, ref)
	}
	if why, next, lacks := lacking(d); lacks {
		return check.Inconclusive(at, why, next, ref)
	}
	if slices.ContainsFunc(d.Exchanges, func(x mqttpublish.Exchange) bool { return !keptApart(x) }) {
		return check.Inconclusive(at, msg.T("it was not seen whether messages of others reached the topic of {b}", "b", string(d.B)), msg.T("run again"), ref)
	}
	return check.Pass(at, msg.T("no message of {a} or a stranger reached the topic of {b}, between messages of {b} that did", "a", string(d.A), "b", string(d.B)), ref)
}

// arrivals counts the exchanges in which a message reached B.
func arrivals(d mqttpublish.Doorway, of func(mqttpublish.Exchange) mqttpublish.Canary) int {
	n := 0
	for _, x := range d.Exchanges {
		if of(x).Arrived == evidence.Yes {
			n++
		}
	}
	return n
}

// keptApart reports whether neither A nor a stranger reached B. A stranger who
// is not let in cannot.
func keptApart(x mqttpublish.Exchange) bool {
	stranger := x.StrangerToB.Arrived == evidence.No || keptOut(x.Stranger.Connection)
	return x.AToB.Arrived == evidence.No && stranger && x.Stranger.Connection.Outcome != mqttconnect.NotTried
}
