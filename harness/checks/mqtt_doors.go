package checks

import (
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/mqttpublish"
)

// orNoBroker returns the items of the doors of brokers. Where there is none, it
// says so if the whole surface was looked at.
func orNoBroker(v evidence.View, doors []check.Item) []check.Item {
	if len(doors) > 0 {
		return doors
	}
	if gaps := unseen(v); len(gaps) > 0 {
		return gaps
	}
	return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no TCP port spoke MQTT"), seenAll(v)...)}
}

// keptOut reports whether a client was turned away. A connection that was
// closed is a refusal only beside one that was accepted.
func keptOut(a mqttconnect.Answer) bool {
	return slices.Contains([]mqttconnect.Outcome{mqttconnect.Refused, mqttconnect.Closed, mqttconnect.TLSRefused}, a.Outcome)
}

// versionMissing is the item of a door that does not exist: the broker does not
// speak the version.
func versionMissing(way mqttconnect.Way, refs ...evidence.Ref) check.Item {
	return check.NotApplicable(way.Endpoint(), msg.T("it does not speak MQTT {version}", "version", string(way.Version)), refs...)
}

// selects says whether a topic filter selects a topic. A wildcard in the first
// level selects no topic that begins with "$" (MQTT 3.1.1, 4.7.2).
func selects(filter declaration.Text, topic string) bool {
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(string(filter), "$") {
		return false
	}
	levels, want := strings.Split(topic, "/"), strings.Split(string(filter), "/")
	for i, w := range want {
		switch {
		case w == "#":
			return true
		case i >= len(levels):
			return false
		case w != "+" && w != levels[i]:
			return false
		}
	}
	return len(levels) == len(want)
}

func anySelects(filters []declaration.Text, topic string) bool {
	return slices.ContainsFunc(filters, func(f declaration.Text) bool { return selects(f, topic) })
}

// ofOthers says whether the device file gives a topic to others than the holder
// of a log-in.
func ofOthers(broker declaration.MQTT, holder declaration.Name, topic string) bool {
	if holder == broker.ReadsAll || anySelects(broker.PublicTopics, topic) {
		return false
	}
	others := false
	for _, i := range broker.Identities {
		switch mine := anySelects(i.Topics, topic); {
		case mine && i.Credential == holder:
			return false
		case mine:
			others = true
		}
	}
	return others
}

// notPublic says whether a stranger has no business with a topic. What the
// broker says of itself is another check's.
func notPublic(broker declaration.MQTT, topic string) bool {
	return !strings.HasPrefix(topic, "$") && !anySelects(broker.PublicTopics, topic)
}

// lacking says why the exchanges at a door decide nothing, and what would. Its
// last result is false if they do.
func lacking(d mqttpublish.Doorway) (why, next msg.Text, lacks bool) {
	if len(d.Exchanges) == 0 {
		return msg.T("no two identities of the broker could exchange test messages"),
			msg.T("give two MQTT identities in the device file, each with a log-in, its topics and a canary prefix"), true
	}
	for _, x := range d.Exchanges {
		switch a, b := x.A.Connection, x.B.Connection; {
		case b.Outcome != mqttconnect.Accepted:
			return msg.T("log-in {id} was not let in ({outcome})", "id", string(d.B), "outcome", string(b.Outcome)), msg.T("see to it that the log-ins of the device file are good, and run again"), true
		case a.Outcome != mqttconnect.Accepted && a.Reason != mqttconnect.NotNeeded:
			return msg.T("log-in {id} was not let in ({outcome})", "id", string(d.A), "outcome", string(a.Outcome)), msg.T("see to it that the log-ins of the device file are good, and run again"), true
		case !x.Held():
			return msg.T("a message did not reach the one to whom its topic belongs"),
				msg.T("see to it that each identity of the device file may read and write below its canary prefix, and run again"), true
		}
	}
	if len(d.Exchanges) < 2 {
		return msg.T("only one exchange took place"), msg.T("run again"), true
	}
	return msg.Text{}, msg.Text{}, false
}

// unspoken reports whether the broker does not speak the version of the door.
func unspoken(d mqttpublish.Doorway) bool {
	return len(d.Exchanges) > 0 && !slices.ContainsFunc(d.Exchanges, func(x mqttpublish.Exchange) bool { return !x.B.Connection.UnknownVersion() })
}
