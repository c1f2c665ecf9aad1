package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/mqttpublish"
	"github.com/assay-iot/assay/harness/probes/mqttread"
)

var mqttWildcardRefused = register(check.Check{
	ID:     "mqtt.wildcard-refused",
	Title:  "A wildcard subscription to an MQTT broker delivers nothing that belongs to others",
	Remedy: "Deliver to each client only topics that an access list gives to its identity, whatever filter it subscribes to",
	Needs:  append([]probe.Any{declaration.Probe}, tcpSurface...),
	OneOf:  []probe.Any{mqttpublish.Probe, mqttread.Probe},
	Decide: decideWildcardRefused,
})

// leak is what one kind of reader was told at a door that belongs to others.
type leak struct {
	who   string // "anonymous", or the name of a log-in
	topic evidence.Bytes
	times int // exchanges in which there was any
	refs  []evidence.Ref
}

func decideWildcardRefused(in check.In) []check.Item {
	var items []check.Item
	for _, way := range readDoors(in.DUT) {
		items = append(items, wildcardAt(in.DUT, way))
	}
	return orNoBroker(in.DUT, items)
}

// readDoors returns the doors at which anybody listened.
func readDoors(v evidence.View) []mqttconnect.Way {
	var ways []mqttconnect.Way
	add := func(w mqttconnect.Way) {
		if !slices.Contains(ways, w) {
			ways = append(ways, w)
		}
	}
	published, _ := mqttpublish.Probe.Get(v)
	for _, d := range published.Doors {
		add(d.Door)
	}
	read, _ := mqttread.Probe.Get(v)
	for _, r := range read.Readings {
		add(r.Way)
	}
	return ways
}

// wildcardAt fails on what was heard by any reader. That nothing was heard means
// something only where test messages show that it would have been.
func wildcardAt(v evidence.View, way mqttconnect.Way) check.Item {
	at := way.Endpoint()
	once := leak{}
	for _, h := range heardAt(v, way) {
		if h.times >= 2 {
			return check.Fail(at, msg.T("client {who} received messages that belong to others in {n} exchanges, the first one at topic {topic}", "who", h.who, "n", h.times, "topic", h.topic), h.refs...)
		}
		if h.times == 1 {
			once = h
		}
	}
	if once.times > 0 {
		return check.Inconclusive(at, msg.T("client {who} received a message that belongs to others, at topic {topic}, in one exchange only", "who", once.who, "topic", once.topic), msg.T("run again"), once.refs...)
	}
	published, _ := mqttpublish.Probe.Get(v)
	i := slices.IndexFunc(published.Doors, func(d mqttpublish.Doorway) bool { return d.Door == way })
	if i < 0 {
		return check.Inconclusive(at, msg.T("nothing that belongs to others was received, and no test message showed that it would have been"), msg.T("allow test messages with --effect intrusive"))
	}
	return notHeard(published.Doors[i], mqttpublish.Probe.At(v, "/doors/%d/exchanges", i))
}

// notHeard passes if each reader was there and did not receive what B's own
// subscriber did.
func notHeard(d mqttpublish.Doorway, ref evidence.Ref) check.Item {
	at := d.Door.Endpoint()
	if unspoken(d) {
		return versionMissing(d.Door, ref)
	}
	if why, next, lacks := lacking(d); lacks {
		return check.Inconclusive(at, why, next, ref)
	}
	for _, x := range d.Exchanges {
		if x.ReaderA.HeardB != evidence.No || !asked(x.ReaderA) {
			return check.Inconclusive(at, msg.T("the wildcard subscriber of {a} was not there from the beginning to the end", "a", string(d.A)), msg.T("run again"), ref)
		}
		if s := x.Stranger; !keptOut(s.Connection) && (s.HeardB != evidence.No || !asked(s)) {
			return check.Inconclusive(at, msg.T("a wildcard subscriber without credentials was not there from the beginning to the end"), msg.T("run again"), ref)
		}
	}
	return check.Pass(at, msg.T("wildcard subscribers did not receive what {b} published and its own subscriber received", "b", string(d.B)), ref)
}

// asked reports whether both wildcard filters were answered.
func asked(r mqttpublish.Reader) bool {
	answered := []mqttpublish.Grant{mqttpublish.Granted, mqttpublish.Refused}
	return slices.Contains(answered, r.All) && slices.Contains(answered, r.Below)
}

// heardAt lists what readers were told that belongs to others.
func heardAt(v evidence.View, way mqttconnect.Way) []leak {
	broker := declaration.Probe.From(v).Broker(way.Addr.Port())
	stranger, member := leak{who: "anonymous"}, leak{}
	published, _ := mqttpublish.Probe.Get(v)
	for i, d := range published.Doors {
		if d.Door != way {
			continue
		}
		member.who = string(d.A)
		for j, x := range d.Exchanges {
			stranger.reader(x.Stranger, func(t string) bool { return notPublic(broker, t) }, mqttpublish.Probe.At(v, "/doors/%d/exchanges/%d/wildcard_anonymous", i, j))
			member.reader(x.ReaderA, func(t string) bool { return ofOthers(broker, d.A, t) }, mqttpublish.Probe.At(v, "/doors/%d/exchanges/%d/wildcard_a", i, j))
		}
	}
	return append([]leak{stranger, member}, readAt(v, way, broker)...)
}

// reader adds what one reader of an exchange of test messages was told.
func (h *leak) reader(r mqttpublish.Reader, bad func(topic string) bool, ref evidence.Ref) {
	i := slices.IndexFunc(r.Heard, func(t mqttpublish.Topic) bool { return bad(string(t.Name)) })
	if i < 0 && r.HeardB != evidence.Yes {
		return
	}
	if i >= 0 && h.times == 0 {
		h.topic = r.Heard[i].Name
	}
	h.times++
	h.refs = append(h.refs, ref)
}

// readAt lists what was read without any test message.
func readAt(v evidence.View, way mqttconnect.Way, broker declaration.MQTT) []leak {
	var list []leak
	read, _ := mqttread.Probe.Get(v)
	for i, r := range read.Readings {
		if r.Way != way || r.Reader == mqttread.ReadsAll {
			continue
		}
		h := leak{who: "anonymous"}
		bad := func(topic string) bool { return notPublic(broker, topic) }
		if r.Reader == mqttread.Member {
			h.who = string(r.Credential)
			bad = func(topic string) bool { return ofOthers(broker, r.Credential, topic) }
		}
		for j, l := range r.Looks {
			k := slices.IndexFunc(l.Messages, func(m mqttread.Message) bool { return bad(string(m.Topic)) })
			if k < 0 {
				continue
			}
			if h.times++; h.times == 1 {
				h.topic = l.Messages[k].Topic
			}
			h.refs = append(h.refs, mqttread.Probe.At(v, "/readings/%d/looks/%d/messages/%d/topic", i, j, k))
		}
		list = append(list, h)
	}
	return list
}
