package checks

import (
	"net/netip"
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/udpservices"
)

var exposureUDPPortsDeclared = register(check.Check{
	ID:     "exposure.udp-ports-declared",
	Title:  "No undeclared UDP service answers its own protocol's question",
	Remedy: "Close the port, or declare what it is for",
	Needs:  []probe.Any{udpservices.Probe, declaration.Probe},
	Decide: decideUDPPortsDeclared,
})

func decideUDPPortsDeclared(in check.In) []check.Item {
	v := in.DUT
	said := declaration.Probe.From(v)
	if said.Listed != evidence.Yes {
		return []check.Item{noUDPList(v)}
	}
	var items []check.Item
	for i, e := range udpservices.Probe.From(v).Endpoints {
		items = append(items, udpDeclared(v, e, udpservices.Probe.At(v, "/endpoints/%d/protocol", i))...)
	}
	return append(items, restOfUDP(v))
}

// noUDPList lists what answered where the manufacturer lists nothing to hold it
// against.
func noUDPList(v evidence.View) check.Item {
	var found []netip.AddrPort
	for _, e := range udpservices.Probe.From(v).Endpoints {
		if e.State == udpservices.Answered {
			found = append(found, e.Addr)
		}
	}
	refs := []evidence.Ref{udpservices.Probe.At(v, "/endpoints"), declaration.Probe.At(v, "/services_listed")}
	if len(found) == 0 {
		return check.Inconclusive(evidence.Endpoint{}, msg.T("no list of services is declared; no UDP port answered"),
			msg.T("declare the services in the device file under ixit.soft_serv, or an empty list if there are none"), refs...)
	}
	return check.Inconclusive(evidence.Endpoint{}, msg.T("no list of services is declared; UDP ports that answered: {ports}", "ports", listOf(found)),
		msg.T("declare in the device file, under ixit.soft_serv, which of them are meant to be open"), refs...)
}

// udpDeclared makes an item of a port that answered, or that should have.
func udpDeclared(v evidence.View, e udpservices.Endpoint, seen evidence.Ref) []check.Item {
	at := evidence.UDP(e.Addr)
	status, row := declaredUDP(v, e.Addr.Port())
	understood := e.Protocol != udpservices.Unidentified
	switch {
	case understood && row == nil:
		return []check.Item{check.Fail(at, msg.T("it answered the question of {protocol} twice and is not declared", "protocol", e.Protocol), seen, declaration.Probe.At(v, "/services"))}
	case understood && status == evidence.No:
		return []check.Item{check.Fail(at, msg.T("it answered the question of {protocol} twice, and is declared for a disabled service only", "protocol", e.Protocol), seen, *row)}
	case understood && status == evidence.Yes:
		return []check.Item{check.Pass(at, msg.T("it answered the question of {protocol} twice and is declared", "protocol", e.Protocol), seen, *row)}
	case understood:
		return []check.Item{check.Inconclusive(at, msg.T("it answered the question of {protocol} twice, and its service is declared neither as enabled nor as disabled", "protocol", e.Protocol),
			msg.T("add the status of the service to the device file"), seen, *row)}
	case e.State == udpservices.Answered && status != evidence.Yes:
		return []check.Item{check.Inconclusive(at, msg.T("it answered, in words of no protocol that was asked for"), msg.T("find out what listens there, and declare it or close it"), seen)}
	case e.State == udpservices.Answered:
		return []check.Item{check.Pass(at, msg.T("it answered and is declared"), seen, *row)}
	case status == evidence.Yes:
		return []check.Item{check.Inconclusive(at, msg.T("it is declared as enabled, and answered no question"), msg.T("see to it that the service runs, and run again; for a protocol that was not asked for, look at a capture"), seen, *row)}
	}
	return nil
}

// declaredUDP is declaredStatus for a UDP port.
func declaredUDP(v evidence.View, port uint16) (status evidence.Tri, row *evidence.Ref) {
	for _, wanted := range []evidence.Tri{evidence.Yes, evidence.Unknown, evidence.No} {
		for i, s := range declaration.Probe.From(v).Services {
			if at := slices.Index(s.UDP, port); at >= 0 && s.Enabled == wanted {
				ref := declaration.Probe.At(v, "/services/%d/udp/%d", i, at)
				return wanted, &ref
			}
		}
	}
	return evidence.Unknown, nil
}

// restOfUDP speaks of all ports that did not answer: whether silence means
// anything depends on what else was answered.
func restOfUDP(v evidence.View) check.Item {
	all := udpservices.Probe.From(v).Endpoints
	ref := udpservices.Probe.At(v, "/endpoints")
	var open []netip.AddrPort
	for _, e := range all {
		if e.State != udpservices.Answered && !e.Quiet() {
			open = append(open, e.Addr)
		}
	}
	switch {
	case len(all) == 0:
		return check.Inconclusive(evidence.Endpoint{}, msg.T("no UDP port was asked"), msg.T("run again"), ref)
	case len(open) > 0:
		return check.Inconclusive(evidence.Endpoint{}, msg.T("UDP ports that were silent while nothing else showed that questions arrive: {ports}", "ports", listOf(open)),
			msg.T("run again with --pace gentle, and let nothing stand between the device and this machine"), ref)
	}
	return check.Pass(evidence.Endpoint{}, msg.T("no other of {asked} UDP ports answered the questions of {protocols} protocols", "asked", len(all), "protocols", len(all[0].Asked)),
		ref, declaration.Probe.At(v, "/services"))
}
