package checks

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
)

// tcpSurface is what a check needs that speaks of every TCP service.
var tcpSurface = []probe.Any{tcpports.Probe, services.Probe}

// unsettled returns an item for the surface if two looks did not settle every
// TCP port. Like every item on the surface it has no endpoint, and there is at
// most one of them in a decision.
func unsettled(v evidence.View) []check.Item {
	left := tcpports.Probe.From(v).Left()
	if left == 0 {
		return nil
	}
	return []check.Item{check.Inconclusive(evidence.Endpoint{},
		msg.T("TCP ports not settled: {left}", "left", left), settle(v), tcpports.Probe.At(v, "/closed"))}
}

// settle says how to settle the ports that are left: try them all, or more
// slowly.
func settle(v evidence.View) msg.Text {
	if tcpports.Probe.From(v).Tried < tcpports.All {
		return msg.T("run again with --ports all")
	}
	return msg.T("run again with --pace gentle, and let nothing stand between the device and this machine")
}

// unseen returns an item for the surface if something stands in the way of
// saying that nothing else is there: ports not settled, or open ports that
// nobody identified.
func unseen(v evidence.View) []check.Item {
	return unseenBut(v, func(services.Service) bool { return false })
}

// unseenBut is unseen for a check whose own question was put to the ports that
// counts accepts, so that they need not be identified.
func unseenBut(v evidence.View, counts func(services.Service) bool) []check.Item {
	open, refs := unidentified(v, counts)
	if len(open) == 0 {
		return unsettled(v)
	}
	why := msg.T("open TCP ports that did not speak a known protocol twice: {ports}", "ports", listOf(open))
	next := msg.T("say in the device file what listens there, and run again")
	if left := tcpports.Probe.From(v).Left(); left != 0 {
		why = msg.T("TCP ports not settled: {left}; open ones that did not speak a known protocol twice: {ports}", "left", left, "ports", listOf(open))
		next = settle(v)
		refs = append(refs, tcpports.Probe.At(v, "/closed"))
	}
	return []check.Item{check.Inconclusive(evidence.Endpoint{}, why, next, refs...)}
}

// unidentified returns the open ports of the device on which no dialogue of a
// known protocol took place twice. TLS around something that nobody understood
// is not enough: anything may be inside.
func unidentified(v evidence.View, counts func(services.Service) bool) (open []netip.AddrPort, refs []evidence.Ref) {
	spoke := services.Probe.From(v).Services
	for i, p := range openPorts(v) {
		at := slices.IndexFunc(spoke, func(s services.Service) bool { return s.Addr == p.Addr })
		switch {
		case at < 0:
			open, refs = append(open, p.Addr), append(refs, tcpports.Probe.At(v, "/open/%d/addr", i))
		case !identified(spoke[at]) && !counts(spoke[at]):
			open, refs = append(open, p.Addr), append(refs, services.Probe.At(v, "/services/%d/protocol", at))
		}
	}
	return open, refs
}

func identified(s services.Service) bool {
	return s.Seen >= 2 && s.Protocol != services.Unidentified && s.Protocol != services.OtherTLS
}

// openPorts returns the ports of the device that accepted a connection, by
// their places in the evidence and in that order. Those of the machine that
// runs an emulated device are not among them.
func openPorts(v evidence.View) func(yield func(int, tcpports.Port) bool) {
	e := tcpports.Probe.From(v)
	return func(yield func(int, tcpports.Port) bool) {
		for i, p := range e.Open {
			if !slices.Contains(e.Host, p.Addr) && !yield(i, p) {
				return
			}
		}
	}
}

// seenAll cites the evidence that the whole surface was looked at.
func seenAll(v evidence.View) []evidence.Ref {
	return []evidence.Ref{tcpports.Probe.At(v, "/open"), tcpports.Probe.At(v, "/closed"),
		tcpports.Probe.At(v, "/silent"), services.Probe.At(v, "/services")}
}

// A listener is a port of the device on which a protocol was spoken, in at
// least one dialogue.
type listener struct {
	services.Service
	view  evidence.View
	place int // in the evidence
}

// ref cites a field of the listener.
func (l listener) ref(field string) evidence.Ref {
	return services.Probe.At(l.view, "/services/%d/%s", l.place, field)
}

// listeners returns the listeners of a protocol, in the order of the evidence.
func listeners(v evidence.View, p services.Protocol) []listener {
	var found []listener
	host := tcpports.Probe.From(v).Host
	for i, s := range services.Probe.From(v).Services {
		if s.Protocol == p && !slices.Contains(host, s.Addr) {
			found = append(found, listener{s, v, i})
		}
	}
	return found
}

// maxListed bounds how many ports a text names: a trap for scanners opens all.
const maxListed = 20

// listOf writes endpoints for a text.
func listOf(addrs []netip.AddrPort) string {
	var names []string
	for _, a := range addrs[:min(len(addrs), maxListed)] {
		names = append(names, a.String())
	}
	if more := len(addrs) - len(names); more > 0 {
		names = append(names, "+"+strconv.Itoa(more))
	}
	return strings.Join(names, ", ")
}
