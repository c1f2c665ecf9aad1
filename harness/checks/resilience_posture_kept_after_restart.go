package checks

import (
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/powercycle"
	"github.com/assay-iot/assay/harness/probes/tcpports"
)

var resiliencePostureKeptAfterRestart = register(check.Check{
	ID:     "resilience.posture-kept-after-restart",
	Title:  "After a power cut the device is back as it was",
	Remedy: "Keep credentials, access rules, keys and the choice of services where a power cut does not reach them, and start with them in force",
	Needs:  append([]probe.Any{powercycle.Probe}, tcpSurface...),
	Params: restartParams{RecoverS: 300},
	Decide: decidePostureKept,
})

type restartParams struct {
	RecoverS int `yaml:"recover_s"` // within which the device has to be back
}

func decidePostureKept(in check.In) []check.Item {
	e, p := powercycle.Probe.From(in.DUT), check.Params[restartParams](in)
	r := restart{e, func(pointer string, args ...any) evidence.Ref { return powercycle.Probe.At(in.DUT, pointer, args...) }}
	items := append(r.gone(p), r.newPorts()...)
	if len(e.Before) >= 2 && len(e.After) >= 2 {
		for i := range e.Before[0].Endpoints {
			items = append(items, r.endpoint(i))
		}
	}
	return append(items, r.whole(in.DUT, p))
}

// A restart is what was seen of one.
type restart struct {
	powercycle.Evidence
	ref func(pointer string, args ...any) evidence.Ref
}

// gone are the ports that never came back.
func (r restart) gone(p restartParams) []check.Item {
	var items []check.Item
	if r.Back.All != evidence.No || r.Back.Waited < seconds(p.RecoverS) {
		return nil
	}
	for i, addr := range r.Back.Gone {
		items = append(items, check.Fail(evidence.TCP(addr), msg.T("it accepted no connection in the {s} s after the power was given back, nor in a last look", "s", int(r.Back.Waited/time.Second)), r.ref("/back/gone/%d", i), r.ref("/back/waited_ns")))
	}
	return items
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// newPorts are ports that were closed before.
func (r restart) newPorts() []check.Item {
	var items []check.Item
	for i, o := range r.Opened {
		at, ref := evidence.TCP(o.Addr), r.ref("/opened/%d", i)
		if o.Seen < 2 {
			items = append(items, check.Inconclusive(at, msg.T("it accepted a connection after the power cut in 1 of 2 looks, and not before"), msg.T("run again"), ref))
			continue
		}
		items = append(items, check.Fail(at, msg.T("it accepts connections after the power cut, and did not before"), ref))
	}
	return items
}

// endpoint compares one port before and after.
func (r restart) endpoint(i int) check.Item {
	before, after := r.seen(r.Before, i), r.seen(r.After, i)
	at := evidence.TCP(before[0].Addr)
	refs := []evidence.Ref{r.ref("/before/0/endpoints/%d", i), r.ref("/after/0/endpoints/%d", i), r.ref("/after/1/endpoints/%d", i)}
	unclear := func(why msg.Text) check.Item { return check.Inconclusive(at, why, msg.T("run again"), refs...) }
	switch {
	case before.always(evidence.Yes) && after.always(evidence.No):
		return check.Fail(at, msg.T("it accepted connections before the power cut, and none in two looks after it"), refs...)
	case !before.always(evidence.Yes) || !after.always(evidence.Yes):
		return unclear(msg.T("it did not always accept a connection"))
	case before.opened(after) != "":
		return check.Fail(at, msg.T("MQTT client {who} was kept out before the power cut, and let in twice after it", "who", before.opened(after)), refs...)
	case before[0].Certificate != before[1].Certificate || after[0].Certificate != after[1].Certificate:
		return unclear(msg.T("its certificate was not the same in two looks"))
	case before[0].Certificate != after[0].Certificate:
		return check.Inconclusive(at, msg.T("its certificate changed with the power cut"), msg.T("say in the device file whether it makes a new one at each start, and why"), refs...)
	case !before.sameDoors(after):
		return unclear(msg.T("whom its broker lets in was not the same in all looks"))
	}
	if len(before[0].Doors) == 0 {
		return check.Pass(at, msg.T("it accepted connections and presented itself as before"), refs...)
	}
	return check.Pass(at, msg.T("it accepted connections, presented itself and let in or kept out MQTT clients as before"), refs...)
}

// whole is the item of the device: it was off, is back, and no other port is
// open. Whom an open port lets in that nobody identified was not looked at.
func (r restart) whole(v evidence.View, p restartParams) check.Item {
	var none evidence.Endpoint
	switch {
	case len(r.Before) < 2:
		return check.Inconclusive(none, msg.T("the power was not cut: nobody could switch it"), msg.T("run again with a person at the terminal who can, or from the lab"))
	case r.Off.Quiet < 2 || len(r.Before[0].Endpoints) == 0:
		return check.Inconclusive(none, msg.T("nothing shows that the device was off"), msg.T("cut its power wholly, batteries included, and run again"), r.ref("/off"))
	case r.Back.All == evidence.Yes && r.Back.Waited > seconds(p.RecoverS):
		return check.Inconclusive(none, msg.T("it was back after {s} s, later than {limit} s", "s", int(r.Back.Waited/time.Second), "limit", p.RecoverS), msg.T("run again"), r.ref("/back"))
	case r.Back.All != evidence.Yes || len(r.After) < 2:
		return check.Inconclusive(none, msg.T("it was not looked at after the power cut"), msg.T("run again"), r.ref("/back"))
	}
	if gaps := unseen(v); len(gaps) > 0 {
		return gaps[0]
	}
	if r.Tried < tcpports.All {
		return check.Inconclusive(none, msg.T("TCP ports looked at after the power cut: {n} of {all}", "n", r.Tried, "all", tcpports.All), msg.T("run again with --ports all"), r.ref("/tried"))
	}
	return check.Pass(none, msg.T("it was off, and back within {s} s with the same ports", "s", p.RecoverS), r.ref("/off"), r.ref("/back"), r.ref("/opened"))
}

// pair is one port in two looks.
type pair [2]powercycle.Endpoint

func (r restart) seen(looks []powercycle.Look, i int) pair {
	var p pair
	for j := range p {
		if i < len(looks[j].Endpoints) {
			p[j] = looks[j].Endpoints[i]
		}
	}
	return p
}

func (p pair) always(accepts evidence.Tri) bool {
	return p[0].Accepts == accepts && p[1].Accepts == accepts
}

// clients are how the broker took those who have no business there, by who they
// are, in both looks.
func (p pair) clients() map[string][]mqttconnect.Answer {
	m := map[string][]mqttconnect.Answer{}
	for _, look := range p {
		for _, d := range look.Doors {
			v := " " + string(d.Way.Version)
			m["anonymous"+v] = append(m["anonymous"+v], d.Anonymous)
			m["random"+v] = append(m["random"+v], d.Random)
		}
	}
	return m
}

// opened names who was kept out in both looks before and let in in both after.
func (p pair) opened(after pair) string {
	was, is := p.clients(), after.clients()
	var names []string
	for who, before := range was {
		out := len(before) == 2 && keptOut(before[0]) && keptOut(before[1])
		if out && mqttconnect.Count(is[who], mqttconnect.Accepted) == 2 {
			names = append(names, who)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

// sameDoors reports whether everybody was taken alike in all four looks, and
// was answered.
func (p pair) sameDoors(after pair) bool {
	was, is := p.clients(), after.clients()
	for who, before := range was {
		all := append(slices.Clone(before), is[who]...)
		first := all[0]
		same := func(a mqttconnect.Answer) bool { return a.Outcome == first.Outcome && a.Code == first.Code }
		answered := first.Code >= 0 || keptOut(first)
		if len(all) != 4 || !answered || slices.ContainsFunc(all, func(a mqttconnect.Answer) bool { return !same(a) }) {
			return false
		}
	}
	return len(was) == len(is)
}
