package checks

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/udpservices"
)

// coapSurface is what a check needs that speaks of every CoAP server.
var coapSurface = append([]probe.Any{coapread.Probe, udpservices.Probe}, tcpSurface...)

// coapUnseen returns an item for the surface if something stands in the way of
// saying that there is no other CoAP server, over UDP or TCP.
func coapUnseen(v evidence.View) []check.Item {
	tcp, udp := unseen(v), udpUnclear(v)
	ref := udpservices.Probe.At(v, "/endpoints")
	switch {
	case len(udp) == 0:
		return tcp
	case len(tcp) == 0:
		return []check.Item{check.Inconclusive(evidence.Endpoint{},
			msg.T("UDP ports that neither spoke a known protocol twice nor stayed silent while nothing was lost: {ports}", "ports", listOf(udp)),
			msg.T("say in the device file what listens there, and run again with --pace gentle"), ref)}
	}
	return []check.Item{check.Inconclusive(evidence.Endpoint{},
		msg.T("not every TCP port was settled and identified, and UDP ports neither spoke a known protocol twice nor stayed silent while nothing was lost: {ports}", "ports", listOf(udp)),
		tcp[0].Next, append(tcp[0].Refs, ref)...)}
}

// udpUnclear returns the UDP ports of which it is not known what they speak, or
// that nobody listens.
func udpUnclear(v evidence.View) (left []netip.AddrPort) {
	host := tcpports.Probe.From(v).Host
	for _, e := range udpservices.Probe.From(v).Endpoints {
		if e.Protocol == udpservices.Unidentified && !e.Quiet() && !slices.Contains(host, e.Addr) {
			left = append(left, e.Addr)
		}
	}
	return left
}

// coapSeenAll cites the evidence that the whole surface was looked at.
func coapSeenAll(v evidence.View) []evidence.Ref {
	return append(seenAll(v), udpservices.Probe.At(v, "/endpoints"))
}

// withCoAPSurface adds what stands in the way of saying that there is no other
// door. Where there is none at all, it says so if the whole surface was seen.
func withCoAPSurface(v evidence.View, doors []check.Item) []check.Item {
	gaps := coapUnseen(v)
	if len(doors) > 0 || len(gaps) > 0 {
		return append(gaps, doors...)
	}
	return []check.Item{check.NotApplicable(evidence.Endpoint{}, msg.T("no UDP or TCP port spoke CoAP"), append(coapSeenAll(v), coapread.Probe.At(v, "/visits"))...)}
}

// letIn says what would let somebody in at a door inside encryption.
func letIn(v evidence.View, d coapread.Door) msg.Text {
	holder, ok := holderAt(v, d)
	opened := func(r coapread.Round) bool { return r.Entry.Outcome == coapread.Opened }
	switch {
	case !ok && d.Transport == coapread.DTLS:
		return msg.T("give a log-in with service coap in the device file, its user the PSK identity and its password the key, and name it in coap.credential")
	case ok && !slices.ContainsFunc(holder.Rounds, opened):
		return msg.T("put the CoAP log-in {id} of the device file right", "id", string(holder.Credential))
	}
	return msg.T("list the resources of the server in the device file under coap.resources, and run again")
}

// coapSubject is how a path stands in the name of an endpoint: every path has
// one of its own, and none is hostile.
func coapSubject(path evidence.Bytes) string {
	quoted := strconv.QuoteToASCII(string(path))
	return quoted[1 : len(quoted)-1]
}
