package checks

import (
	"net/netip"
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/tcpports"
)

var exposureTCPPortsDeclared = register(check.Check{
	ID:     "exposure.tcp-ports-declared",
	Title:  "Every open TCP port is declared",
	Remedy: "Close the port, or declare what it is for",
	Needs:  []probe.Any{tcpports.Probe, declaration.Probe},
	Decide: decideTCPPortsDeclared,
})

func decideTCPPortsDeclared(in check.In) []check.Item {
	said := declaration.Probe.From(in.DUT)
	if said.Listed != evidence.Yes {
		return []check.Item{noList(in.DUT)}
	}
	var items []check.Item
	for i, p := range openPorts(in.DUT) {
		items = append(items, portDeclared(in.DUT, p, tcpports.Probe.At(in.DUT, "/open/%d/seen", i)))
	}
	if left := unsettled(in.DUT); left != nil {
		return append(items, left...)
	}
	return append(items, restOfPorts(in.DUT))
}

// noList lists what was seen where the manufacturer lists nothing to hold it
// against.
func noList(v evidence.View) check.Item {
	var open []netip.AddrPort
	for _, p := range openPorts(v) {
		open = append(open, p.Addr)
	}
	refs := []evidence.Ref{tcpports.Probe.At(v, "/open"), declaration.Probe.At(v, "/services_listed")}
	if len(open) == 0 {
		return check.Inconclusive(evidence.Endpoint{}, msg.T("no list of services is declared; no TCP port was seen open"),
			msg.T("declare the services in the device file under ixit.soft_serv, or an empty list if there are none"), refs...)
	}
	return check.Inconclusive(evidence.Endpoint{}, msg.T("no list of services is declared; TCP ports seen open: {ports}", "ports", listOf(open)),
		msg.T("declare in the device file, under ixit.soft_serv, which of them are meant to be open"), refs...)
}

func portDeclared(v evidence.View, p tcpports.Port, seen evidence.Ref) check.Item {
	at := evidence.TCP(p.Addr)
	if p.Seen < 2 {
		return check.Inconclusive(at, msg.T("it accepted a connection in 1 of 2 looks"), msg.T("run again"), seen)
	}
	status, row := declaredStatus(v, p.Addr.Port())
	switch {
	case row == nil:
		return check.Fail(at, msg.T("it accepted a connection in both looks and is not declared"), seen, declaration.Probe.At(v, "/services"))
	case status == evidence.Yes:
		return check.Pass(at, msg.T("it accepted a connection in both looks and is declared"), seen, *row)
	case status == evidence.No:
		return check.Fail(at, msg.T("it accepted a connection in both looks, and is declared for a disabled service only"), seen, *row)
	}
	return check.Inconclusive(at, msg.T("it accepted a connection in both looks, and its service is declared neither as enabled nor as disabled"),
		msg.T("add the status of the service to the device file"), seen, *row)
}

// declaredStatus returns whether a service on the port is declared as enabled,
// by the row that says most for it, and where; nil if no row names the port.
func declaredStatus(v evidence.View, port uint16) (status evidence.Tri, row *evidence.Ref) {
	for _, wanted := range []evidence.Tri{evidence.Yes, evidence.Unknown, evidence.No} {
		for i, s := range declaration.Probe.From(v).Services {
			if at := slices.Index(s.TCP, port); at >= 0 && s.Enabled == wanted {
				ref := declaration.Probe.At(v, "/services/%d/tcp/%d", i, at)
				return wanted, &ref
			}
		}
	}
	return evidence.Unknown, nil
}

// restOfPorts speaks of all ports that did not accept a connection.
func restOfPorts(v evidence.View) check.Item {
	rest := check.Pass(evidence.Endpoint{}, msg.T("no other TCP port accepted a connection in either look"),
		tcpports.Probe.At(v, "/closed"), tcpports.Probe.At(v, "/silent"), declaration.Probe.At(v, "/services"))
	if closed := declaredButClosed(v); len(closed) > 0 {
		return check.Advise(rest, msg.T("declared, and not open: {ports}", "ports", closed))
	}
	return rest
}

// declaredButClosed returns the ports of enabled services on which no address
// accepted a connection, ascending.
func declaredButClosed(v evidence.View) []uint16 {
	var closed []uint16
	for _, s := range declaration.Probe.From(v).Services {
		for _, port := range s.TCP {
			accepts := func(p tcpports.Port) bool { return p.Addr.Port() == port }
			if s.Enabled == evidence.Yes && !slices.ContainsFunc(tcpports.Probe.From(v).Open, accepts) {
				closed = append(closed, port)
			}
		}
	}
	slices.Sort(closed)
	return slices.Compact(closed)
}
