package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
)

// An entry is how one door of a broker takes clients, with its place in the
// evidence.
type entry struct {
	mqttconnect.Door
	view  evidence.View
	place int
}

// entries returns the doors of all brokers, in the order of the evidence.
func entries(v evidence.View) []entry {
	var all []entry
	for i, d := range mqttconnect.Probe.From(v).Doors {
		all = append(all, entry{d, v, i})
	}
	return all
}

// ref cites a field of the door.
func (e entry) ref(field string) evidence.Ref {
	return mqttconnect.Probe.At(e.view, "/doors/%d/%s", e.place, field)
}

// controls cites the good log-ins.
func (e entry) controls() []evidence.Ref {
	return []evidence.Ref{e.ref("login_before"), e.ref("login_after")}
}

// withSurface adds what stands in the way of saying that there is no other door.
func withSurface(v evidence.View, doors []check.Item) []check.Item {
	if len(doors) == 0 {
		return orNoBroker(v, nil)
	}
	return append(unseen(v), doors...)
}

// admission is how a door takes one kind of client.
type admission int

const (
	unclear  admission = iota // the answers show neither, or contradict each other
	letsIn                    // at least twice
	keepsOut                  // each time, between two good log-ins
)

// admits reads the answers to one kind of client. A flaw that shows in two of
// three tries is there.
func (e entry) admits(answers []mqttconnect.Answer) admission {
	switch {
	case mqttconnect.Count(answers, mqttconnect.Accepted) >= 2:
		return letsIn
	case turnedAway(answers) && e.Served():
		return keepsOut
	}
	return unclear
}

// turnedAway reports whether every one of at least two clients was turned away.
func turnedAway(answers []mqttconnect.Answer) bool {
	return len(answers) >= 2 && !slices.ContainsFunc(answers, func(a mqttconnect.Answer) bool { return !keptOut(a) })
}

// unspoken reports whether the door does not exist: whoever knocked was told
// that the version is not spoken.
func (e entry) unspoken() bool {
	strangers := slices.Concat(e.Anonymous, e.Random)
	known := func(a mqttconnect.Answer) bool { return !a.UnknownVersion() }
	return len(strangers) > 0 && !slices.ContainsFunc(strangers, known) &&
		(e.Before.UnknownVersion() || e.Before.Outcome == mqttconnect.NotTried)
}

// unsure is the item of a door whose answers to a kind of client, found in a
// field, show nothing.
func (e entry) unsure(answers []mqttconnect.Answer, field string) check.Item {
	at, refs := e.Way.Endpoint(), append([]evidence.Ref{e.ref(field)}, e.controls()...)
	if !turnedAway(answers) {
		return check.Inconclusive(at, msg.T("{n} connections were taken differently or not understood: {outcomes}", "n", len(answers), "outcomes", outcomes(answers)), msg.T("run again"), refs...)
	}
	return check.Inconclusive(at, msg.T("it turned away {n} connections, and no good log-in before and after showed that it serves anyone (before: {before}, after: {after})",
		"n", len(answers), "before", control(e.Before), "after", control(e.After)), e.mend(), refs...)
}

// control says how a good log-in was taken, or why it was not tried.
func control(a mqttconnect.Answer) string {
	if a.Outcome == mqttconnect.NotTried {
		return string(a.Reason)
	}
	return string(a.Outcome)
}

// mend says what would make the control hold.
func (e entry) mend() msg.Text {
	for _, a := range []mqttconnect.Answer{e.Before, e.After} {
		switch {
		case a.Reason == mqttconnect.NoCredential:
			return msg.T("give an MQTT log-in in the device file")
		case a.Reason == mqttconnect.BudgetSpent:
			return msg.T("run again: the budget of log-ins is per run")
		case a.Outcome == mqttconnect.Refused, a.Reason == mqttconnect.RefusedBefore:
			return msg.T("put the MQTT log-in {id} of the device file right", "id", string(e.Credential))
		}
	}
	return msg.T("run again")
}
