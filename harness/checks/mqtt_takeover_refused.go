package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/mqtttakeover"
)

var mqttTakeoverRefused = register(check.Check{
	ID:     "mqtt.takeover-refused",
	Title:  "No stranger drops a session of an MQTT broker by using its client identifier",
	Remedy: "Bind each client identifier to the identity that uses it, and refuse it to everybody else",
	Needs:  append([]probe.Any{mqtttakeover.Probe}, tcpSurface...),
	Decide: decideTakeoverRefused,
})

func decideTakeoverRefused(in check.In) []check.Item {
	var items []check.Item
	for i, d := range mqtttakeover.Probe.From(in.DUT).Doors {
		items = append(items, takeoverAt(d, mqtttakeover.Probe.At(in.DUT, "/doors/%d/rounds", i)))
	}
	return orNoBroker(in.DUT, items)
}

// intruder is one who came with the client identifier of another.
type intruder struct {
	who string // "anonymous", "random", or the name of a log-in
	of  func(mqtttakeover.Round) mqtttakeover.Attempt
}

func intruders(d mqtttakeover.Doorway) []intruder {
	return []intruder{
		{"anonymous", func(r mqtttakeover.Round) mqtttakeover.Attempt { return r.Anonymous }},
		{"random", func(r mqtttakeover.Round) mqtttakeover.Attempt { return r.Random }},
		{string(d.B), func(r mqtttakeover.Round) mqtttakeover.Attempt { return r.B }},
	}
}

// takeoverAt fails if anybody but A dropped A's session in two rounds, and
// passes only if A itself could have.
func takeoverAt(d mqtttakeover.Doorway, ref evidence.Ref) check.Item {
	at, once := d.Door.Endpoint(), ""
	for _, i := range intruders(d) {
		switch n := drops(d, i.of); {
		case n >= 2:
			return check.Fail(at, msg.T("client {who} dropped the session of {a} by using its client identifier, in {n} of {all} rounds", "who", i.who, "a", string(d.A), "n", n, "all", len(d.Rounds)), ref)
		case n == 1:
			once = i.who
		}
	}
	switch {
	case once != "":
		return check.Inconclusive(at, msg.T("client {who} dropped the session of {a} in one of {all} rounds", "who", once, "a", string(d.A), "all", len(d.Rounds)), msg.T("run again"), ref)
	case unspokenTo(d):
		return versionMissing(d.Door, ref)
	}
	if why, next, lacks := takeoverLacks(d); lacks {
		return check.Inconclusive(at, why, next, ref)
	}
	return check.Pass(at, msg.T("the session of {a} outlasted every attempt to take it over but that of {a} itself", "a", string(d.A)), ref)
}

// drops counts the rounds in which a session was dropped.
func drops(d mqtttakeover.Doorway, of func(mqtttakeover.Round) mqtttakeover.Attempt) int {
	n := 0
	for _, r := range d.Rounds {
		if of(r).Held == evidence.No {
			n++
		}
	}
	return n
}

func unspokenTo(d mqtttakeover.Doorway) bool {
	return len(d.Rounds) > 0 && !slices.ContainsFunc(d.Rounds, func(r mqtttakeover.Round) bool { return !r.A.UnknownVersion() })
}

// takeoverLacks says what stands in the way of a pass. Its last result is false
// if nothing does.
func takeoverLacks(d mqtttakeover.Doorway) (why, next msg.Text, lacks bool) {
	good := msg.T("see to it that the log-ins of the device file are good, and run again")
	for _, r := range d.Rounds {
		switch {
		case r.A.Outcome != mqttconnect.Accepted:
			return msg.T("log-in {id} was not let in ({outcome})", "id", string(d.A), "outcome", string(r.A.Outcome)), good, true
		case d.B == "":
			return msg.T("there is no second log-in that could take over"), msg.T("give a second MQTT log-in in the device file"), true
		case r.BElsewhere.Outcome != mqttconnect.Accepted:
			return msg.T("log-in {id} was not let in ({outcome})", "id", string(d.B), "outcome", string(r.BElsewhere.Outcome)), good, true
		case r.Own.Held != evidence.No:
			return msg.T("{a} could not take over its own session, so that a client identifier is of no consequence here", "a", string(d.A)),
				msg.T("look at how the broker treats two clients with one identifier (MQTT 3.1.1, 3.1.4-2)"), true
		}
		for _, i := range intruders(d) {
			if a := i.of(r); a.Held != evidence.Yes {
				return msg.T("it was not seen whether the session of {a} outlasted client {who} ({outcome})", "a", string(d.A), "who", i.who, "outcome", string(a.Connection.Outcome)), msg.T("run again"), true
			}
		}
	}
	if len(d.Rounds) == 0 {
		return msg.T("without a log-in no session was there to be taken over"), msg.T("give two MQTT log-ins in the device file"), true
	}
	return msg.Text{}, msg.Text{}, false
}
