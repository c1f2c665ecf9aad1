package checks

import (
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
)

var exposureTelnetAbsent = register(check.Check{
	ID:     "exposure.telnet-absent",
	Title:  "The device speaks Telnet on no TCP port",
	Remedy: "Remove the Telnet server from the product image; offer SSH with keys if a console is needed",
	Needs:  append([]probe.Any{declaration.Probe}, tcpSurface...),
	Decide: decideTelnetAbsent,
})

func decideTelnetAbsent(in check.In) []check.Item {
	said := declaration.Probe.From(in.DUT)
	items := unseenBut(in.DUT, func(s services.Service) bool { return isDeclaredOther(said, s) && saidOtherwise(s) })
	for _, l := range listeners(in.DUT, services.Telnet) {
		items = append(items, telnetAt(l))
	}
	if len(items) > 0 {
		return items
	}
	return []check.Item{check.Pass(evidence.Endpoint{}, msg.T("no open port spoke Telnet"),
		append(seenAll(in.DUT), declaration.Probe.At(in.DUT, "/services"))...)}
}

// telnetAt judges by the dialogue alone: 23 may speak HTTPS, and 2323 Telnet.
func telnetAt(l listener) check.Item {
	at := evidence.TCP(l.Addr)
	if l.Seen < 2 {
		return check.Inconclusive(at, msg.T("a Telnet dialogue took place in 1 of 2 tries"), msg.T("run again"), l.ref("protocol"))
	}
	return check.Fail(at, msg.T("a Telnet dialogue took place twice, and began with {answer}", "answer", l.Answer), l.ref("protocol"), l.ref("answer"))
}

// saidOtherwise reports whether the port answered Telnet's own question with
// something else, or hung up on it, twice. Silence is no answer.
func saidOtherwise(s services.Service) bool {
	return s.Telnet == services.Babble || s.Telnet == services.HungUp
}

// spoken are the protocols that a dialogue would have shown.
var spoken = []services.Protocol{services.CoAP, services.HTTP, services.MQTT, services.SSH, services.Telnet}

// isDeclaredOther reports whether the manufacturer names a protocol for the
// port that no dialogue of ours knows.
func isDeclaredOther(said declaration.Evidence, s services.Service) bool {
	return slices.ContainsFunc(said.Services, func(d declaration.Service) bool {
		return d.Enabled == evidence.Yes && d.Protocol != "" &&
			!slices.Contains(spoken, services.Protocol(d.Protocol)) && slices.Contains(d.TCP, s.Addr.Port())
	})
}
