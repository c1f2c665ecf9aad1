package checks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// tlsSurface is what a check needs that speaks of every TLS listener, whatever
// protocol is inside, and of more if need be.
func tlsSurface(more ...probe.Any) []probe.Any {
	return slices.Concat([]probe.Any{tlsserver.Probe}, tcpSurface, more)
}

// A tlsListener is a listener of the device that was looked at, with its place
// in the evidence.
type tlsListener struct {
	tlsserver.Listener
	view  evidence.View
	place int
}

// tlsListeners returns the listeners of the device, in the order of the
// evidence.
func tlsListeners(v evidence.View) []tlsListener {
	var all []tlsListener
	host := tcpports.Probe.From(v).Host
	for i, l := range tlsserver.Probe.From(v).Listeners {
		if !slices.Contains(host, l.Addr) {
			all = append(all, tlsListener{l, v, i})
		}
	}
	return all
}

func (l tlsListener) at() evidence.Endpoint { return evidence.TCP(l.Addr) }

// ref cites a field of the listener.
func (l tlsListener) ref(format string, args ...any) evidence.Ref {
	return tlsserver.Probe.At(l.view, "/listeners/%d/%s", l.place, fmt.Sprintf(format, args...))
}

// controls cites the hellos between which a refusal counts.
func (l tlsListener) controls() []evidence.Ref {
	return []evidence.Ref{l.ref("control_before"), l.ref("control_after")}
}

// overTLS returns the items of all listeners, and what stands in the way of
// saying that there is no other.
func overTLS(v evidence.View, judge func(tlsListener) []check.Item) []check.Item {
	looked := tlsListeners(v)
	seen := func(s services.Service) bool {
		return slices.ContainsFunc(looked, func(l tlsListener) bool { return l.Addr == s.Addr })
	}
	items := append(unseenBut(v, seen), notLooked(v, seen)...)
	for _, l := range looked {
		items = append(items, judge(l)...)
	}
	if len(items) > 0 {
		return items
	}
	return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no TCP port spoke TLS"), append(seenAll(v), tlsserver.Probe.At(v, "/listeners"))...)}
}

// notLooked returns an item for each port that spoke TLS and was not looked
// into.
func notLooked(v evidence.View, seen func(services.Service) bool) []check.Item {
	var items []check.Item
	host := tcpports.Probe.From(v).Host
	for i, s := range services.Probe.From(v).Services {
		if s.TLS == evidence.Yes && !seen(s) && !slices.Contains(host, s.Addr) {
			items = append(items, check.Inconclusive(evidence.TCP(s.Addr), msg.T("it spoke TLS, and was not looked into"),
				msg.T("run again"), services.Probe.At(v, "/services/%d/tls", i)))
		}
	}
	return items
}

// lacks says why a look shows nothing but what was accepted, and what would
// help. Its last result is false if nothing is lacking.
func (l tlsListener) lacks() (why, next msg.Text, lacking bool) {
	switch {
	case l.Before.Outcome != tlsserver.Accepted:
		return msg.T("no ordinary hello was answered (the last one: {outcome})", "outcome", string(l.Before.Outcome)),
			msg.T("declare in the device file under server_names how clients call the server, and run again at a slower pace"), true
	case l.Cut == tlsserver.WentSilent:
		return msg.T("it stopped answering hellos in the middle of the look"), msg.T("run again with --pace gentle"), true
	case l.After.Outcome != tlsserver.Accepted:
		return msg.T("an ordinary hello that was answered at first was not answered any more at the end ({outcome})", "outcome", string(l.After.Outcome)),
			msg.T("run again with --pace gentle"), true
	}
	return msg.Text{}, msg.Text{}, false
}

// undecided is the item of a listener of which something is lacking, or of which
// the rest of the look leaves open what why says.
func (l tlsListener) undecided(why, next msg.Text, refs ...evidence.Ref) check.Item {
	if reason, remedy, lacking := l.lacks(); lacking {
		why, next = reason, remedy
	}
	return check.Inconclusive(l.at(), why, next, append(refs, l.controls()...)...)
}

// taken returns the versions of which a suite was chosen, with their places.
func (l tlsListener) taken() map[int]tlsserver.Version {
	found := map[int]tlsserver.Version{}
	for i, v := range l.Versions {
		if len(v.Suites) > 0 {
			found[i] = v
		}
	}
	return found
}

// A tlsSuite is a suite that was chosen in one version.
type tlsSuite struct {
	tlsserver.Suite
	version tlsserver.Name
	ref     evidence.Ref
}

// String names the suite for a text.
func (s tlsSuite) String() string { return fmt.Sprintf("%s in %s", s.Name, s.version) }

// suites returns the suites that were chosen and that keep takes, version by
// version, the oldest first.
func (l tlsListener) suites(keep func(tlsserver.Suite) bool) []tlsSuite {
	var found []tlsSuite
	taken := l.taken()
	for _, i := range slices.Sorted(maps.Keys(taken)) {
		for j, s := range taken[i].Suites {
			if keep(s) {
				found = append(found, tlsSuite{s, taken[i].Name, l.ref("versions/%d/suites/%d/seen", i, j)})
			}
		}
	}
	return found
}

// maxSuites bounds how many suites a text names.
const maxSuites = 8

// named writes suites for a text.
func named(suites []tlsSuite) string {
	var names []string
	for _, s := range suites[:min(len(suites), maxSuites)] {
		names = append(names, s.String())
	}
	if more := len(suites) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("+%d", more))
	}
	return strings.Join(names, ", ")
}

// cited returns what shows the suites that a text names.
func cited(suites []tlsSuite) []evidence.Ref {
	var refs []evidence.Ref
	for _, s := range suites[:min(len(suites), maxSuites)] {
		refs = append(refs, s.ref)
	}
	return refs
}

// keyless reports whether the listener was seen to agree on keys by pre-shared
// ones alone, so that there is no certificate.
func (l tlsListener) keyless() bool {
	shared := func(s tlsserver.Suite) bool { return s.Authentication == "PSK" && !s.Certified() }
	all := l.suites(func(tlsserver.Suite) bool { return true })
	return l.Certified() == evidence.No && !slices.ContainsFunc(all, func(s tlsSuite) bool { return !shared(s.Suite) })
}

// rows returns the services that are declared for the listener's port, with
// their places in the declaration.
func (l tlsListener) rows() map[int]declaration.Service {
	found := map[int]declaration.Service{}
	for i, s := range declaration.Probe.From(l.view).Services {
		if slices.Contains(s.TCP, l.Addr.Port()) {
			found[i] = s
		}
	}
	return found
}
