package checks

import (
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/credentials"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
)

var credentialsMQTTDefaultsRefused = register(check.Check{
	ID:     "credentials.mqtt-defaults-refused",
	Title:  "No tried pair of the list of factory log-ins connects to an MQTT broker",
	Remedy: "Ship no log-in that other units have as well: let the user set one, or give each unit its own",
	Needs:  append([]probe.Any{credentials.Probe}, tcpSurface...),
	Params: defaultsParams{List: string(credentials.Defaults), MaxPairs: 12, MinTried: 2},
	Decide: decideMQTTDefaultsRefused,
})

// defaultsParams are those of every check of a list.
type defaultsParams struct {
	List     string `yaml:"list"`
	MaxPairs int    `yaml:"max_pairs"` // of the list, from its beginning, that count
	MinTried int    `yaml:"min_tried"` // pairs that have to be answered
}

func decideMQTTDefaultsRefused(in check.In) []check.Item {
	var items []check.Item
	e, p := credentials.Probe.From(in.DUT), check.Params[defaultsParams](in)
	for i, d := range e.Doors {
		items = append(items, defaultsAt(d, e, p, func(field string) evidence.Ref {
			return credentials.Probe.At(in.DUT, "/mqtt_doors/%d/%s", i, field)
		}))
	}
	return orNoBroker(in.DUT, items)
}

// defaultsAt judges one door. A pair proves something only where a random one
// and none at all are refused.
func defaultsAt(d credentials.Door, e credentials.Evidence, p defaultsParams, ref func(string) evidence.Ref) check.Item {
	at, t := d.Way.Endpoint(), tally(d, p)
	inside := mqttconnect.Count(d.Random, mqttconnect.Accepted)
	switch {
	case d.Anonymous.Outcome == mqttconnect.Accepted:
		return check.Inconclusive(at, msg.T("a client without credentials was accepted too, so that no pair means anything"), msg.T("see check mqtt.anonymous-refused, and run again once it passes"), ref("anonymous"))
	case inside > 0:
		return check.Inconclusive(at, msg.T("a random pair was accepted too ({n} of {all}), so that no pair means anything", "n", inside, "all", len(d.Random)), msg.T("see check credentials.random-refused, and run again once it passes"), ref("random"))
	case d.Stopped == credentials.NoVersion:
		return versionMissing(d.Way, ref("random"))
	case !refusedAll(d):
		return check.Inconclusive(at, msg.T("how it refuses a client was not seen: random pairs {random}, no credentials {none}", "random", outcomes(d.Random), "none", string(d.Anonymous.Outcome)), msg.T("run again"), ref("random"), ref("anonymous"))
	case t.twice > 0:
		return check.Fail(at, msg.T("the listed pair of user {user} was accepted twice, and random ones were refused", "user", string(t.user)), ref("tries"), ref("random"), ref("anonymous"))
	case t.once > 0:
		return check.Inconclusive(at, msg.T("the listed pair of user {user} was accepted in one of two tries", "user", string(t.user)), msg.T("run again"), ref("tries"))
	}
	return refusedList(at, d, e, p, t, ref)
}

// refusedList passes if enough pairs were answered and all of these refused.
func refusedList(at evidence.Endpoint, d credentials.Door, e credentials.Evidence, p defaultsParams, t tallied, ref func(string) evidence.Ref) check.Item {
	switch {
	case p.List != string(e.List):
		return check.Inconclusive(at, msg.T("list {list} was not tried", "list", p.List), msg.T("name list {list} in the profile", "list", string(e.List)), ref("tries"))
	case d.Before.Outcome != mqttconnect.Accepted || d.After.Outcome != mqttconnect.Accepted:
		return check.Inconclusive(at, msg.T("{n} of {all} pairs were refused, and no good log-in before and after showed that anybody is let in", "n", t.refused, "all", e.Listed), msg.T("give a good MQTT log-in in the device file"), ref("login_before"), ref("login_after"))
	case d.Stopped != credentials.GoneThrough:
		return check.Inconclusive(at, msg.T("it was tried no further after {n} pairs ({why})", "n", t.refused, "why", string(d.Stopped)), msg.T("unlock what is locked, and run again later"), ref("stopped"))
	case t.lost > 0:
		return check.Inconclusive(at, msg.T("{n} of {all} pairs got no answer of a log-in", "n", t.lost, "all", e.Listed), msg.T("run again"), ref("tries"))
	case t.refused < p.MinTried:
		return check.Inconclusive(at, msg.T("{n} of {all} pairs were tried, at least {min} are needed", "n", t.refused, "all", e.Listed, "min", p.MinTried), msg.T("run again: the budget of log-ins is per run"), ref("tries"))
	}
	return check.Pass(at, msg.T("{n} of {all} pairs were tried, all were answered and all refused", "n", t.refused, "all", e.Listed),
		ref("tries"), ref("random"), ref("login_before"), ref("login_after"))
}

// tallied counts how the pairs were taken.
type tallied struct {
	refused, twice, once, lost int
	user                       credentials.UserName // of the first one that was accepted
}

func tally(d credentials.Door, p defaultsParams) tallied {
	var t tallied
	for _, try := range d.Tries {
		in := try.First.Outcome == mqttconnect.Accepted
		switch {
		case try.Place > p.MaxPairs || try.First.Outcome == mqttconnect.NotTried && try.Lost == 0:
		case in && try.Again.Outcome == mqttconnect.Accepted:
			if t.twice++; t.twice == 1 {
				t.user = try.User
			}
		case in:
			if t.once++; t.twice == 0 {
				t.user = try.User
			}
		case keptOut(try.First):
			t.refused++
		default:
			t.lost++
		}
	}
	return t
}

// refusedAll reports whether random pairs and a stranger were turned away.
func refusedAll(d credentials.Door) bool {
	for _, a := range d.Random {
		if !keptOut(a) {
			return false
		}
	}
	return len(d.Random) >= 2 && keptOut(d.Anonymous)
}

func outcomes(answers []mqttconnect.Answer) string {
	s := ""
	for i, a := range answers {
		if i > 0 {
			s += ", "
		}
		s += string(a.Outcome)
	}
	return s
}
