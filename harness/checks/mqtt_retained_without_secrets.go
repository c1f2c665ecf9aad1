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

var mqttRetainedWithoutSecrets = register(check.Check{
	ID:     "mqtt.retained-without-secrets",
	Title:  "No message that an MQTT broker keeps carries a secret",
	Remedy: "Send secrets to the one client that needs them and without the retain flag, and clear what is retained now",
	Needs:  append([]probe.Any{mqttread.Probe, mqttconnect.Probe}, tcpSurface...),
	Decide: decideRetainedWithoutSecrets,
})

func decideRetainedWithoutSecrets(in check.In) []check.Item {
	var items []check.Item
	for _, e := range entries(in.DUT) {
		items = append(items, retainedAt(e, readingsAt(in.DUT, e.Way)))
	}
	return withSurface(in.DUT, items)
}

// A reading is what one reader was told at a door, with its place in the
// evidence.
type reading struct {
	mqttread.Reading
	view  evidence.View
	place int
}

// readingsAt returns what was read at a door.
func readingsAt(v evidence.View, way mqttconnect.Way) []reading {
	var all []reading
	e, _ := mqttread.Probe.Get(v)
	for i, r := range e.Readings {
		if r.Way == way {
			all = append(all, reading{r, v, i})
		}
	}
	return all
}

// ref cites a field of the reading.
func (r reading) ref(field string, args ...any) evidence.Ref {
	return mqttread.Probe.At(r.view, "/readings/%d/"+field, append([]any{r.place}, args...)...)
}

// retainedAt fails on a secret that anybody was told, and passes only on the
// word of who may read everything.
func retainedAt(e entry, readings []reading) check.Item {
	var once *check.Item
	for _, r := range readings {
		item, twice := secretIn(r)
		if twice {
			return *item
		}
		if item != nil {
			once = item
		}
	}
	i := slices.IndexFunc(readings, func(r reading) bool { return r.Reader == mqttread.ReadsAll })
	switch {
	case once != nil:
		return *once
	case e.unspoken():
		return versionMissing(e.Way, e.ref("anonymous"))
	case i < 0:
		return check.Inconclusive(e.Way.Endpoint(), msg.T("no secret was seen, and nobody who may read every topic looked"),
			msg.T("name an MQTT log-in that may read every topic as reads_all in the device file, and give its password"), refsOf(readings, "reader")...)
	}
	return allReadBy(readings[i])
}

func refsOf(readings []reading, field string) []evidence.Ref {
	var refs []evidence.Ref
	for _, r := range readings {
		refs = append(refs, r.ref(field))
	}
	return refs
}

// secretIn returns an item on the first retained message with a secret, and
// whether it was seen in two exchanges.
func secretIn(r reading) (found *check.Item, twice bool) {
	for i, l := range r.Looks {
		for j, m := range l.Messages {
			if m.Retained != evidence.Yes || len(m.Secrets) == 0 {
				continue
			}
			at, class, ref := r.Way.Endpoint(), m.Secrets[0].Secret.Class, r.ref("looks/%d/messages/%d/secrets/0", i, j)
			again := func(o mqttread.Message) bool {
				return o.Retained == evidence.Yes && bytes.Equal(o.Topic, m.Topic) && len(o.Secrets) > 0 && o.Secrets[0].Secret.Class == class
			}
			if r.Again(i, again) {
				item := check.Fail(at, msg.T("the retained message at topic {topic} carried a secret of class {class}, in two exchanges", "topic", m.Topic, "class", string(class)), ref)
				return &item, true
			}
			item := check.Inconclusive(at, msg.T("a retained message at topic {topic} carried a secret of class {class}, in one exchange only", "topic", m.Topic, "class", string(class)), msg.T("run again"), ref)
			found = &item
		}
	}
	return found, false
}

// allReadBy judges by what a reader was told that may read everything.
func allReadBy(r reading) check.Item {
	at, kept, named := r.Way.Endpoint(), 0, 0
	for i, l := range r.Looks {
		switch {
		case l.Ended == mqttread.NotLetIn:
			return check.Inconclusive(at, msg.T("log-in {id}, which may read every topic, was not let in ({outcome})", "id", string(r.Credential), "outcome", control(l.Connection)),
				msg.T("put the MQTT log-in {id} of the device file right", "id", string(r.Credential)), r.ref("looks/%d/connection", i))
		case l.Of(mqttread.All).Grant != mqttread.Granted:
			return check.Inconclusive(at, msg.T("log-in {id} may not subscribe to every topic ({grant})", "id", string(r.Credential), "grant", string(l.Of(mqttread.All).Grant)),
				msg.T("name a log-in that may read every topic as reads_all in the device file"), r.ref("looks/%d/subscriptions", i))
		case l.RetainedRead != evidence.Yes || l.Ended != mqttread.Left:
			return check.Inconclusive(at, msg.T("the retained messages were not read to the end ({ended})", "ended", string(l.Ended)), msg.T("run again"), r.ref("looks/%d/retained_read", i))
		}
		kept = max(kept, l.Retained)
		for _, m := range l.Messages {
			if m.Retained == evidence.Yes && m.Named > 0 {
				named++
			}
		}
	}
	switch {
	case len(r.Looks) == 0 || kept > 0 && len(r.Looks) < 2:
		return check.Inconclusive(at, msg.T("what is retained was not read twice"), msg.T("run again"), r.ref("looks"))
	case kept == 0:
		return check.NotApplicable(at, msg.T("log-in {id}, which may read every topic, was told no retained message", "id", string(r.Credential)), r.ref("looks"))
	}
	item := check.Pass(at, msg.T("log-in {id}, which may read every topic, read {n} retained messages to the end, and no secret was among them", "id", string(r.Credential), "n", kept), r.ref("looks"))
	if named > 0 {
		return check.Advise(item, msg.T("retained messages with the name of a secret and no value that counts as one: {n}", "n", named/len(r.Looks)))
	}
	return item
}
