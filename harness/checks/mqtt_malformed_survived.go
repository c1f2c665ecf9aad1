package checks

import (
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/mqttmalformed"
)

var mqttMalformedSurvived = register(check.Check{
	ID:     "mqtt.malformed-survived",
	Title:  "The MQTT broker survives malformed packets",
	Remedy: "Check every length and field of a packet before it is used, and close the connection of who sent a bad one, and no other",
	Needs:  append([]probe.Any{mqttmalformed.Probe}, tcpSurface...),
	Params: malformedParams{Packets: 40, RecoverS: 30, BanWaitS: 900},
	Decide: decideMalformedSurvived,
})

func decideMalformedSurvived(in check.In) []check.Item {
	var items []check.Item
	for i, l := range mqttmalformed.Probe.From(in.DUT).Listeners {
		items = append(items, malformedAt(l, check.Params[malformedParams](in), func(field string) evidence.Ref {
			return mqttmalformed.Probe.At(in.DUT, "/listeners/%d/%s", i, field)
		}))
	}
	return orNoBroker(in.DUT, items)
}

// malformedAt fails if the broker was gone in two looks, for everybody. To
// close a connection on which something bad came is right, and so is to turn
// its sender away.
func malformedAt(l mqttmalformed.Listener, p malformedParams, ref func(string) evidence.Ref) check.Item {
	at := evidence.TCP(l.Addr)
	switch gone, first := goneLooks(l.Looks, p); {
	case gone >= 2:
		return check.Fail(at, msg.T("after packet {packet} it did not serve again within {s} s, in {n} looks", "packet", string(first.After), "s", p.RecoverS, "n", gone), ref("looks"))
	case l.Control == mqttmalformed.NoControl:
		return check.Inconclusive(at, msg.T("it answered no good packet before the first malformed one ({outcome})", "outcome", string(l.Before.Outcome)), msg.T("give an MQTT log-in in the device file, and run again"), ref("before"))
	case len(l.Looks) > 0:
		return notBackAt(at, l, ref)
	case len(l.Witness.Drops) > 0:
		return check.Inconclusive(at, msg.T("after packet {packet} it dropped a session that sent nothing bad, and nothing shows whether it restarted", "packet", string(l.Witness.Drops[0].After)),
			msg.T("look at the uptime of the device before and after, and run again"), ref("witness"))
	case l.Witness.Held != evidence.Yes:
		return check.Inconclusive(at, msg.T("no session that was held open shows that it did not restart"), msg.T("give an MQTT log-in in the device file, and run again"), ref("witness"))
	}
	return sentAt(at, l, p, ref)
}

// notBackAt is a broker that took long to serve our address again.
func notBackAt(at evidence.Endpoint, l mqttmalformed.Listener, ref func(string) evidence.Ref) check.Item {
	k := l.Looks[0]
	switch {
	case k.Second == evidence.Yes || k.Witness == evidence.Yes:
		return check.Inconclusive(at, msg.T("after packet {packet} it served others and turned our address away", "packet", string(k.After)),
			msg.T("lift the ban of malformed senders for the test, and run again"), ref("looks"))
	case k.Second == evidence.Unknown:
		return check.Inconclusive(at, msg.T("after packet {packet} it was silent to our only address", "packet", string(k.After)),
			msg.T("run again with a second address of this machine"), ref("looks"))
	}
	return check.Inconclusive(at, msg.T("after packet {packet} it did not serve in time, and did when it was sent again", "packet", string(k.After)), msg.T("run again"), ref("looks"))
}

// sentAt passes if the whole corpus was sent.
func sentAt(at evidence.Endpoint, l mqttmalformed.Listener, p malformedParams, ref func(string) evidence.Ref) check.Item {
	sent, unknown, barred := 0, 0, 0
	for _, q := range l.Packets {
		switch q.Sent {
		case mqttmalformed.Whole:
			sent++
		case mqttmalformed.NoVersion:
			unknown++
		case mqttmalformed.NotLetIn:
			barred++
		}
	}
	switch {
	case barred > 0:
		return check.Inconclusive(at, msg.T("{n} of {all} packets need a client that is let in", "n", barred, "all", p.Packets), msg.T("give an MQTT log-in in the device file, and run again"), ref("packets"))
	case sent == 0 || sent+unknown < p.Packets:
		return check.Inconclusive(at, msg.T("{n} of {all} packets were sent", "n", sent, "all", p.Packets), msg.T("run again with --pace gentle"), ref("packets"))
	}
	return check.Pass(at, msg.T("it served a good client after each of {n} malformed packets, and kept the session of another one", "n", sent), ref("packets"), ref("witness"), ref("after"))
}
