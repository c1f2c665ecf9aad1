package checks

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/probes/udpservices"
)

// dtlsSurface is what a check needs that speaks of every DTLS listener, and more.
func dtlsSurface(more ...probe.Any) []probe.Any {
	return append([]probe.Any{dtlsserver.Probe, udpservices.Probe, tcpports.Probe}, more...)
}

// A dtlsListener is what one listener did, with its place in the evidence.
type dtlsListener struct {
	dtlsserver.Listener
	view  evidence.View
	place int
}

func (l dtlsListener) at() evidence.Endpoint { return evidence.UDP(l.Addr) }

// ref cites a field of the listener.
func (l dtlsListener) ref(format string, args ...any) evidence.Ref {
	return dtlsserver.Probe.At(l.view, "/listeners/%d/"+format, append([]any{l.place}, args...)...)
}

// controls cites the hellos between which all others lie.
func (l dtlsListener) controls() []evidence.Ref {
	return []evidence.Ref{l.ref("control_before"), l.ref("control_after")}
}

// overDTLS returns the items of every DTLS listener, and one for those that were
// not looked at. Where there is none at all, it says so if every UDP port is
// settled.
func overDTLS(v evidence.View, judge func(dtlsListener) []check.Item) []check.Item {
	var items []check.Item
	for i, l := range dtlsserver.Probe.From(v).Listeners {
		if !slices.Contains(tcpports.Probe.From(v).Host, l.Addr) {
			items = append(items, judge(dtlsListener{l, v, i})...)
		}
	}
	if missed := dtlsMissed(v); len(missed) > 0 {
		return append(items, check.Inconclusive(evidence.Endpoint{}, msg.T("DTLS listeners that were not looked at: {ports}", "ports", listOf(missed)),
			msg.T("run again, with fewer of them at once"), udpservices.Probe.At(v, "/endpoints")))
	}
	if len(items) > 0 {
		return items
	}
	all := udpservices.Probe.At(v, "/endpoints")
	switch unclear := udpUnclear(v); {
	case len(unclear) > 0:
		return []check.Item{check.Inconclusive(evidence.Endpoint{},
			msg.T("no UDP port spoke DTLS, and of some it is not known what they speak: {ports}", "ports", listOf(unclear)),
			msg.T("say in the device file what listens there, and run again with --pace gentle"), all)}
	case len(udpservices.Probe.From(v).Endpoints) == 0:
		return []check.Item{check.Inconclusive(evidence.Endpoint{}, msg.T("no UDP port was asked"), msg.T("run again"), all)}
	}
	return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no UDP port spoke DTLS"), all, dtlsserver.Probe.At(v, "/listeners"))}
}

// dtlsMissed returns the ports that speak DTLS and are not in the evidence.
func dtlsMissed(v evidence.View) (missed []netip.AddrPort) {
	looked := dtlsserver.Probe.From(v).Listeners
	host := tcpports.Probe.From(v).Host
	for _, e := range udpservices.Probe.From(v).Endpoints {
		seen := slices.ContainsFunc(looked, func(l dtlsserver.Listener) bool { return l.Addr == e.Addr })
		if e.Protocol == udpservices.DTLS && !seen && !slices.Contains(host, e.Addr) {
			missed = append(missed, e.Addr)
		}
	}
	return missed
}

// lacks is the item of a listener whose look is not whole, if it is not.
func (l dtlsListener) lacks() (check.Item, bool) {
	next := msg.T("run again with --pace gentle")
	switch {
	case l.Cut == dtlsserver.NoControl:
		return check.Inconclusive(l.at(), msg.T("it took none of the hellos that were offered in any version"),
			msg.T("see what the server is set to take, and whether it asks for a server name"), l.ref("cut")), true
	case l.Cut == dtlsserver.TooMany:
		return check.Inconclusive(l.at(), msg.T("it took so many suites that not all were asked for"), msg.T("switch off the suites that are not needed"), l.ref("cut")), true
	case l.Cut != dtlsserver.Whole:
		return check.Inconclusive(l.at(), msg.T("the look was broken off ({why})", "why", string(l.Cut)), next, l.ref("cut")), true
	case !l.Served():
		return check.Inconclusive(l.at(), msg.T("the control hello was not taken before and after: {before}, {after}", "before", string(l.Before.Outcome), "after", string(l.After.Outcome)), next, l.controls()...), true
	case !l.Enumerated():
		return check.Inconclusive(l.at(), msg.T("the list of its suites is not complete: {ends}", "ends", l.openEnds()), next, l.ref("versions")), true
	}
	return check.Item{}, false
}

// openEnds says which offers ended otherwise than by being turned away.
func (l dtlsListener) openEnds() string {
	var all []string
	for _, v := range l.Versions {
		for _, o := range v.Offers {
			if len(o.Ends) > 0 && !o.Complete() {
				all = append(all, string(v.Name)+" "+string(o.Kind)+": "+string(o.Ends[len(o.Ends)-1].Outcome))
			}
		}
	}
	return strings.Join(all, ", ")
}

// suites returns the suites that were taken and have one of the traits, and where
// they stand.
func (l dtlsListener) suites(traits ...tlsserver.Trait) []tlsSuite {
	var found []tlsSuite
	for i, v := range l.Versions {
		for j, o := range v.Offers {
			for k, s := range o.Suites {
				if s.HasAny(traits) {
					found = append(found, tlsSuite{Suite: s, version: v.Name, ref: l.ref("versions/%d/offers/%d/suites/%d/seen", i, j, k)})
				}
			}
		}
	}
	return found
}
