package checks

import (
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/mqttpublish"
	"github.com/assay-iot/assay/harness/probes/mqttread"
)

var mqttSysTopicsHidden = register(check.Check{
	ID:     "mqtt.sys-topics-hidden",
	Title:  "What an MQTT broker says of itself below $SYS names no clients to strangers",
	Remedy: "Let only administrators subscribe below $SYS, or switch these topics off",
	Needs:  append([]probe.Any{mqttconnect.Probe}, tcpSurface...),
	OneOf:  []probe.Any{mqttread.Probe, mqttpublish.Probe},
	Params: sysParams{WaitS: 15},
	Decide: decideSysTopicsHidden,
})

type sysParams struct {
	WaitS int `yaml:"wait_s"` // seconds in which nothing may come below $SYS
}

func decideSysTopicsHidden(in check.In) []check.Item {
	var items []check.Item
	wait := seconds(check.Params[sysParams](in).WaitS)
	for _, e := range entries(in.DUT) {
		items = append(items, sysAt(e, readingsAt(in.DUT, e.Way), wait))
	}
	return withSurface(in.DUT, items)
}

// sysAt fails on clients that anybody was told of who is not declared to read
// everything, and passes only on what a stranger was not told.
func sysAt(e entry, readings []reading, wait time.Duration) check.Item {
	var once *check.Item
	counters := false
	for _, r := range readings {
		if r.Reader == mqttread.ReadsAll {
			continue
		}
		item, twice := clientsIn(r)
		if twice {
			return *item
		}
		if item != nil {
			once = item
		}
		counters = counters || len(sysMessages(r)) > 0
	}
	item := strangerAt(e, readings, wait)
	switch {
	case once != nil:
		return *once
	case counters:
		return check.Advise(item, msg.T("counters or the version of the broker can be read below $SYS"))
	}
	return item
}

// clientsIn returns an item on the first message that tells of clients, and
// whether one was seen in two exchanges.
func clientsIn(r reading) (found *check.Item, twice bool) {
	who := string(r.Credential)
	if r.Reader == mqttread.Stranger {
		who = "anonymous"
	}
	for i, l := range r.Looks {
		j := slices.IndexFunc(l.Messages, mqttread.Message.NamesClients)
		if j < 0 {
			continue
		}
		at, topic, ref := r.Way.Endpoint(), l.Messages[j].Topic, r.ref("looks/%d/messages/%d/about", i, j)
		if r.Again(i, mqttread.Message.NamesClients) {
			item := check.Fail(at, msg.T("client {who} was told of clients of the broker in two exchanges, at topic {topic}", "who", who, "topic", topic), ref)
			return &item, true
		}
		item := check.Inconclusive(at, msg.T("client {who} was told of clients of the broker in one exchange only, at topic {topic}", "who", who, "topic", topic), msg.T("run again"), ref)
		found = &item
	}
	return found, false
}

// sysMessages are those below $SYS.
func sysMessages(r reading) []mqttread.Message {
	var list []mqttread.Message
	for _, l := range r.Looks {
		for _, m := range l.Messages {
			if len(m.About) > 0 {
				list = append(list, m)
			}
		}
	}
	return list
}

// strangerAt judges what a client without credentials was told.
func strangerAt(e entry, readings []reading, wait time.Duration) check.Item {
	at := e.Way.Endpoint()
	i := slices.IndexFunc(readings, func(r reading) bool { return r.Reader == mqttread.Stranger })
	switch {
	case e.unspoken():
		return versionMissing(e.Way, e.ref("anonymous"))
	case i < 0 || len(readings[i].Looks) == 0:
		return check.Inconclusive(at, msg.T("nobody without credentials looked"), msg.T("run again"), e.ref("anonymous"))
	}
	r := readings[i]
	switch state := e.admits(e.Anonymous); {
	case r.Looks[0].Ended == mqttread.NotLetIn && state == keepsOut && keptOut(r.Looks[0].Connection):
		return check.Pass(at, msg.T("it refused clients without credentials, between two good log-ins"), append(e.controls(), e.ref("anonymous"), r.ref("looks/0/connection"))...)
	case r.Looks[0].Ended == mqttread.NotLetIn && state != letsIn:
		return e.unsure(e.Anonymous, "anonymous")
	}
	return subscribedAt(r, wait)
}

// subscribedAt judges by a stranger that was let in.
func subscribedAt(r reading, wait time.Duration) check.Item {
	at, silent := r.Way.Endpoint(), true
	for i, l := range r.Looks {
		ref := r.ref("looks/%d/subscriptions", i)
		switch grant := l.Of(mqttread.Sys).Grant; {
		case l.Ended != mqttread.Left:
			return check.Inconclusive(at, msg.T("a session without credentials did not last ({ended})", "ended", string(l.Ended)), msg.T("run again"), r.ref("looks/%d/ended", i))
		case grant == mqttread.Refused, grant == mqttread.HungUp: // and the session, or one after it, went on in good order
		case grant != mqttread.Granted:
			return check.Inconclusive(at, msg.T("how it takes a subscription below $SYS was not seen ({grant})", "grant", string(grant)), msg.T("run again"), ref)
		case len(sysMessages(r)) > 0:
			return check.Inconclusive(at, msg.T("a client without credentials read below $SYS, and what it read named no client"),
				msg.T("withhold $SYS from clients without credentials, or judge by hand what it says while other clients come and go"), ref)
		case l.Waited < wait:
			return check.Inconclusive(at, msg.T("messages below $SYS were waited for {waited}, less than {wait}", "waited", l.Waited.Round(time.Second), "wait", wait), msg.T("give a shorter wait_s in the profile"), r.ref("looks/%d/waited_ns", i))
		default:
			silent = false
		}
	}
	if silent {
		return check.Pass(at, msg.T("it refused a subscription below $SYS to a client without credentials"), r.ref("looks/0/subscriptions"))
	}
	return canaryAt(r)
}

// canaryAt passes on silence only where a client without credentials received a
// test message: then it would have been told.
func canaryAt(r reading) check.Item {
	at, ref := r.Way.Endpoint(), r.ref("looks/0/waited_ns")
	e, _ := mqttpublish.Probe.Get(r.view)
	for i, d := range e.Doors {
		heard := func(x mqttpublish.Exchange) bool { return x.Stranger.HeardB == evidence.Yes }
		if d.Door == r.Way && len(d.Exchanges) >= 2 && !slices.ContainsFunc(d.Exchanges, func(x mqttpublish.Exchange) bool { return !heard(x) }) {
			return check.Pass(at, msg.T("a client without credentials was told nothing below $SYS, and such a client received test messages"), ref, mqttpublish.Probe.At(r.view, "/doors/%d/exchanges", i))
		}
	}
	return check.Inconclusive(at, msg.T("a client without credentials may subscribe below $SYS and was told nothing, and no test message showed that it would have been"),
		msg.T("allow test messages with --effect intrusive"), ref)
}
