package checks

import (
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapobserve"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
)

// observePatience is what the check can be told.
type observePatience struct {
	Wait int `yaml:"wait_s"` // for a notification, in seconds
}

var coapObserveAuthenticated = register(check.Check{
	ID:     "coap.observe-authenticated",
	Title:  "No stranger is sent notifications of a resource that is not declared as public",
	Remedy: "Ask for a log-in before an observation is registered, as for reading",
	Needs:  append([]probe.Any{coapobserve.Probe, declaration.Probe}, coapSurface...),
	Params: observePatience{Wait: 60},
	Decide: decideCoAPObserve,
})

func decideCoAPObserve(in check.In) []check.Item {
	wait := time.Duration(check.Params[observePatience](in).Wait) * time.Second
	var items []check.Item
	for i, visit := range coapobserve.Probe.From(in.DUT).Visits {
		if visit.Reader != coapread.Stranger || len(visit.Rounds) == 0 {
			continue
		}
		for j := range visit.Rounds[0].Resources {
			items = append(items, watchedAt(watched{visit, in.DUT, i, j}, wait))
		}
	}
	if len(items) > 0 || len(coapVisits(in.DUT)) == 0 {
		return withCoAPSurface(in.DUT, items)
	}
	return nothingToObserve(in.DUT)
}

// nothingToObserve is what is said where no resource is declared or marked as
// observable.
func nothingToObserve(v evidence.View) []check.Item {
	if gaps := coapUnseen(v); len(gaps) > 0 {
		return gaps
	}
	for _, c := range coapVisits(v) {
		if c.Reader == coapread.Stranger && !c.listed() && !c.shutOut() {
			return []check.Item{check.Inconclusive(evidence.Endpoint{}, msg.T("no resource is known to be observable, and the listing was not read"), msg.T("say in the device file which resources are observable"), c.ref("listing"))}
		}
	}
	return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no resource is declared or listed as observable"), coapread.Probe.At(v, "/resources"), coapobserve.Probe.At(v, "/visits"))}
}

// A watched is one resource that a stranger wanted to observe at one door, with
// its place in the evidence.
type watched struct {
	coapobserve.Visit
	view            evidence.View
	place, resource int
}

// rounds returns what came of it.
func (w watched) rounds() (all []coapobserve.Watched, refs []evidence.Ref) {
	for i, r := range w.Rounds {
		if w.resource < len(r.Resources) {
			all = append(all, r.Resources[w.resource])
			refs = append(refs, coapobserve.Probe.At(w.view, "/visits/%d/rounds/%d/resources/%d/notifications", w.place, i, w.resource))
		}
	}
	return all, refs
}

// watchedAt fails on notifications in two exchanges.
func watchedAt(w watched, wait time.Duration) check.Item {
	all, refs := w.rounds()
	path := all[0].Path
	at := w.Door.Port().Subject(coapSubject(path))
	said, _ := coapSaid(w.view, w.Door).Of(string(path))
	notified, registered := 0, 0
	for _, o := range all {
		if o.Notifications > 0 {
			notified++
		}
		if o.Registered == evidence.Yes {
			registered++
		}
	}
	switch {
	case said.Public == evidence.Yes:
		return check.NotApplicable(at, msg.T("the device file says that anybody may read it"), refs...)
	case notified >= 2 && said.Public == evidence.No:
		return check.Fail(at, msg.T("a stranger was sent notifications, in two exchanges, the first of them {n}", "n", all[0].Notifications), refs...)
	case notified >= 2:
		return check.Inconclusive(at, msg.T("a stranger was sent notifications, and the device file does not say whether it is public"), msg.T("say in the device file whether {path} is public", "path", path), refs...)
	case notified == 1:
		return check.Inconclusive(at, msg.T("a stranger was sent notifications, in one exchange only"), msg.T("run again, and see to it that {path} changes meanwhile", "path", path), refs...)
	case registered > 0:
		return check.Inconclusive(at, msg.T("a stranger was registered, and nothing changed in {waited} (asked for were {wait})", "waited", waitedFor(all), "wait", wait),
			msg.T("run again, and see to it that {path} changes meanwhile", "path", path), refs...)
	}
	return unregistered(w, all, refs, at, wait)
}

// waitedFor is the longest that was waited for a notification, in full seconds.
func waitedFor(all []coapobserve.Watched) time.Duration {
	var longest time.Duration
	for _, o := range all {
		longest = max(longest, o.Waited)
	}
	return longest.Truncate(time.Second)
}

// unregistered passes if the server took a stranger for no observer, twice, and
// sends notifications to the holder of a log-in.
func unregistered(w watched, all []coapobserve.Watched, refs []evidence.Ref, at evidence.Endpoint, wait time.Duration) check.Item {
	for i, o := range all {
		refs = append(refs, coapobserve.Probe.At(w.view, "/visits/%d/rounds/%d/resources/%d/register/outcome", w.place, i, w.resource))
		plain := o.Register.Success() && o.Register.Observe == evidence.No
		if !plain && !declines(o.Register) && !hangsUp(o.Register) && o.Register.Outcome != coapread.Refused {
			return check.Inconclusive(at, msg.T("whether a stranger was registered was not seen ({outcome})", "outcome", string(o.Register.Outcome)), msg.T("run again"), refs...)
		}
	}
	if len(all) < 2 {
		return check.Inconclusive(at, msg.T("a stranger asked once only"), msg.T("run again"), refs...)
	}
	path := all[0].Path
	delivered, asked := toHolder(w.view, path)
	switch {
	case delivered != nil:
		return check.Pass(at, msg.T("a stranger was not registered, in two exchanges, and the holder of a log-in was sent notifications"), append(refs, *delivered)...)
	case asked:
		return check.Inconclusive(at, msg.T("a stranger was not registered, and nobody else was sent notifications in {wait}", "wait", wait), msg.T("run again, and see to it that {path} changes meanwhile", "path", path), refs...)
	}
	return check.Inconclusive(at, msg.T("a stranger was not registered, and no holder of a log-in asked"), msg.T("give a log-in that may observe {path}, with service coap, in coap.credential of the device file", "path", path), refs...)
}

// toHolder cites notifications of a resource to the holder of a log-in, and says
// whether one asked for them.
func toHolder(v evidence.View, path evidence.Bytes) (delivered *evidence.Ref, asked bool) {
	for i, visit := range coapobserve.Probe.From(v).Visits {
		if visit.Reader != coapread.Holder {
			continue
		}
		for j, r := range visit.Rounds {
			for k, o := range r.Resources {
				if string(o.Path) != string(path) {
					continue
				}
				asked = true
				if o.Notifications > 0 {
					ref := coapobserve.Probe.At(v, "/visits/%d/rounds/%d/resources/%d/notifications", i, j, k)
					return &ref, true
				}
			}
		}
	}
	return nil, asked
}
