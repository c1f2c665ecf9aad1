package checks

import (
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapmalformed"
)

var coapMalformedSurvived = register(check.Check{
	ID:     "coap.malformed-survived",
	Title:  "The CoAP server survives malformed messages",
	Remedy: "Check every length and option of a message before it is used, and ignore or reject what is no CoAP",
	Needs:  append([]probe.Any{coapmalformed.Probe}, coapSurface...),
	Params: malformedParams{Packets: 40, RecoverS: 30, BanWaitS: 900},
	Decide: decideCoAPMalformedSurvived,
})

func decideCoAPMalformedSurvived(in check.In) []check.Item {
	var items []check.Item
	for i, d := range coapmalformed.Probe.From(in.DUT).Doors {
		items = append(items, assaultedAt(d, check.Params[malformedParams](in), func(field string) evidence.Ref {
			return coapmalformed.Probe.At(in.DUT, "/doors/%d/%s", i, field)
		}))
	}
	if len(items) > 0 {
		return items
	}
	return withCoAPSurface(in.DUT, nil)
}

// assaultedAt fails if the server was gone in two looks, for everybody, or said
// itself twice that it had started again. To ignore what is malformed is right,
// and so is to turn its sender away.
func assaultedAt(d coapmalformed.Door, p malformedParams, ref func(string) evidence.Ref) check.Item {
	at := d.Way.Endpoint()
	gone, first := goneLooks(d.Looks, p)
	again, twice := restarted(d)
	switch {
	case gone >= 2:
		return check.Fail(at, msg.T("after message {message} it did not serve again within {s} s, in {n} looks", "message", string(first.After), "s", p.RecoverS, "n", gone), ref("looks"))
	case twice:
		return check.Fail(at, msg.T("each of the two times that message {message} was sent, its resource {path} showed that it had started again", "message", string(again), "path", coapSubject(d.Witness.Path)), ref("witness"))
	case d.Control == coapmalformed.NoControl:
		return check.Inconclusive(at, msg.T("it answered no good message before the first malformed one ({outcome})", "outcome", string(d.Before)), msg.T("give a CoAP log-in in the device file if the server asks for one, and run again"), ref("before"))
	case len(d.Looks) > 0:
		return notServingAt(at, d, ref)
	}
	return unshakenAt(at, d, p, ref)
}

// restarted returns the first message after which a counter began anew both
// times that it was sent.
func restarted(d coapmalformed.Door) (after coapmalformed.Name, twice bool) {
	if d.Witness.Kind != coapmalformed.Counter {
		return "", false
	}
	seen := map[coapmalformed.Name]bool{}
	for _, drop := range d.Witness.Drops {
		if drop.After != "" && seen[drop.After] {
			return drop.After, true
		}
		seen[drop.After] = true
	}
	return "", false
}

// notServingAt is a server that took long to serve our address again.
func notServingAt(at evidence.Endpoint, d coapmalformed.Door, ref func(string) evidence.Ref) check.Item {
	k := d.Looks[0]
	switch {
	case k.Second == evidence.Yes || k.Witness == evidence.Yes:
		return check.Inconclusive(at, msg.T("after message {message} it served others and turned our address away", "message", string(k.After)),
			msg.T("lift the ban of malformed senders for the test, and run again"), ref("looks"))
	case k.Second == evidence.Unknown:
		return check.Inconclusive(at, msg.T("after message {message} it was silent to our only address", "message", string(k.After)),
			msg.T("run again with a second address of this machine"), ref("looks"))
	}
	return check.Inconclusive(at, msg.T("after message {message} it did not serve in time, and did when it was sent again", "message", string(k.After)), msg.T("run again"), ref("looks"))
}

// unshakenAt passes if the whole list was sent and a witness held.
func unshakenAt(at evidence.Endpoint, d coapmalformed.Door, p malformedParams, ref func(string) evidence.Ref) check.Item {
	sent := 0
	for _, m := range d.Messages {
		if m.Sent == coapmalformed.Whole {
			sent++
		}
	}
	switch {
	case len(d.Witness.Drops) > 0 && d.Witness.Kind == coapmalformed.Counter:
		return check.Inconclusive(at, msg.T("after message {message} its resource {path} began anew, and not when it was sent again", "message", string(d.Witness.Drops[0].After), "path", coapSubject(d.Witness.Path)),
			msg.T("run again"), ref("witness"))
	case len(d.Witness.Drops) > 0:
		return check.Inconclusive(at, msg.T("after message {message} it dropped a session that sent nothing bad, and nothing shows whether it restarted", "message", string(d.Witness.Drops[0].After)),
			msg.T("look at the uptime of the device before and after, and run again"), ref("witness"))
	case d.Witness.Held != evidence.Yes:
		return check.Inconclusive(at, msg.T("it served after every message, and nothing shows that it did not restart meanwhile"),
			msg.T("offer for the test a resource named uptime, or an observable one that changes by itself, and run again"), ref("witness"))
	case sent < p.Packets || sent < d.Corpus:
		return check.Inconclusive(at, msg.T("{n} of {all} messages were sent", "n", sent, "all", max(p.Packets, d.Corpus)), msg.T("run again with --pace gentle"), ref("messages"))
	}
	return check.Pass(at, msg.T("it served after each of {n} malformed messages, and did not start again", "n", sent), ref("messages"), ref("witness"), ref("after"))
}
