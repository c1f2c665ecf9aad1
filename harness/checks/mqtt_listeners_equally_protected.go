package checks

import (
	"bytes"
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/mqttread"
)

var mqttListenersEquallyProtected = register(check.Check{
	ID:     "mqtt.listeners-equally-protected",
	Title:  "No listener of an MQTT broker and no version of the protocol is a weaker door than another",
	Remedy: "Give every listener and every version of MQTT the same rules: the same log-ins, and TLS on all of them",
	Needs:  append([]probe.Any{mqttconnect.Probe}, tcpSurface...),
	Uses:   []probe.Any{mqttread.Probe},
	Decide: decideListenersEquallyProtected,
})

func decideListenersEquallyProtected(in check.In) []check.Item {
	var doors []entry
	for _, e := range entries(in.DUT) {
		if !e.unspoken() {
			doors = append(doors, e)
		}
	}
	items := unseen(in.DUT)
	for _, e := range doors {
		if item := comparedAt(e, doors); item != nil {
			items = append(items, *item)
		}
	}
	if len(items) > 0 {
		return items
	}
	refs := append(seenAll(in.DUT), mqttconnect.Probe.At(in.DUT, "/doors"))
	switch len(doors) {
	case 0:
		return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no TCP port spoke MQTT"), refs...)}
	case 1:
		return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("there is one listener, in one version of MQTT"), refs...)}
	}
	return []check.Item{check.Pass(evidence.Endpoint{}, msg.T("{n} doors took clients without credentials and random pairs alike, and all are in clear or all inside TLS", "n", len(doors)), refs...)}
}

// comparedAt returns an item if a door is weaker than another, or if that is not
// known.
func comparedAt(e entry, doors []entry) *check.Item {
	var apart *check.Item
	for _, other := range doors {
		why, field := weaker(e, other)
		if field == "" {
			continue
		}
		refs := []evidence.Ref{e.ref(field), other.ref(field)}
		proof, same := oneBroker(e, other)
		if same {
			item := check.Fail(e.Way.Endpoint(), why, append(refs, proof...)...)
			return &item
		}
		item := check.Inconclusive(e.Way.Endpoint(), msg.T("it is weaker than {other}, and nothing shows that both lead to one broker", "other", other.Way.Endpoint().Name),
			msg.T("give a log-in that both take in the device file, or look by hand whether a message sent to one arrives at the other"), refs...)
		apart = &item
	}
	switch {
	case apart != nil:
		return apart
	case len(doors) > 1 && e.admits(e.Anonymous) == unclear:
		item := e.unsure(e.Anonymous, "anonymous")
		return &item
	case len(doors) > 1 && e.admits(e.Random) == unclear:
		item := e.unsure(e.Random, "random")
		return &item
	}
	return nil
}

// weaker says in which way e takes what other refuses, and the field that shows
// it; empty if it does not.
func weaker(e, other entry) (msg.Text, string) {
	name := other.Way.Endpoint().Name
	switch {
	case e.admits(e.Anonymous) == letsIn && other.admits(other.Anonymous) == keepsOut:
		return msg.T("it let in clients without credentials, which {other} refused", "other", name), "anonymous"
	case e.admits(e.Random) == letsIn && other.admits(other.Random) == keepsOut:
		return msg.T("it let in random pairs of user and password, which {other} refused", "other", name), "random"
	case e.Way.TLS == evidence.No && other.Way.TLS == evidence.Yes:
		return msg.T("it is in clear, and {other} is inside TLS", "other", name), "door"
	}
	return msg.Text{}, ""
}

// oneBroker shows that two doors lead to the same broker: they are one listener,
// they know the same log-in and not any other, or they keep the same message.
func oneBroker(a, b entry) ([]evidence.Ref, bool) {
	chosen := func(e entry) bool { return e.Served() && e.admits(e.Random) == keepsOut }
	switch {
	case a.Way.Addr == b.Way.Addr:
		return nil, true
	case a.Credential != "" && a.Credential == b.Credential && chosen(a) && chosen(b):
		return append(a.controls(), b.controls()...), true
	}
	return sameMessage(a, b)
}

// telling is the length in bytes from which two equal messages are no chance.
const telling = 16

// sameMessage cites a message that both brokers keep.
func sameMessage(a, b entry) ([]evidence.Ref, bool) {
	for _, mine := range keptAt(a) {
		for _, other := range keptAt(b) {
			if bytes.Equal(mine.Topic, other.Topic) && bytes.Equal(mine.Payload, other.Payload) && mine.Length == other.Length {
				return []evidence.Ref{mine.ref, other.ref}, true
			}
		}
	}
	return nil, false
}

type keptMessage struct {
	mqttread.Message
	ref evidence.Ref
}

// keptAt returns the messages that a door's broker keeps and that are long
// enough to be told from others.
func keptAt(e entry) []keptMessage {
	var list []keptMessage
	for _, r := range readingsAt(e.view, e.Way) {
		for i, l := range r.Looks {
			for j, m := range l.Messages {
				if m.Retained == evidence.Yes && m.Length >= telling && len(m.About) == 0 && !slices.ContainsFunc(list, func(k keptMessage) bool { return bytes.Equal(k.Topic, m.Topic) }) {
					list = append(list, keptMessage{m, r.ref("looks/%d/messages/%d/payload", i, j)})
				}
			}
		}
	}
	return list
}
