package checks

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/udpservices"
)

var declarationConsistentWithEvidence = register(check.Check{
	ID:     "declaration.consistent-with-evidence",
	Title:  "Nothing that the manufacturer declares is refuted by what was observed",
	Remedy: "Correct the declaration, or the device, and declare the version that was tested",
	Needs:  append([]probe.Any{declaration.Probe}, tcpSurface...),
	Uses:   []probe.Any{udpservices.Probe},
	Decide: decideConsistent,
})

// decideConsistent makes an item of each statement that was compared. A
// statement that the evidence cannot speak to has none.
func decideConsistent(in check.In) []check.Item {
	v := in.DUT
	said := declaration.Probe.From(v)
	if said.Given != evidence.Yes {
		return []check.Item{noList(v)}
	}
	items := slices.Concat(statedPorts(v), statedServices(v), statedFeatures(v))
	if said.Listed == evidence.Yes {
		return append(append(items, undeclaredUDP(v)...), undeclaredPorts(v)...)
	}
	return append(items, noList(v))
}

// statedPorts compares each TCP port of a service with what two looks showed.
func statedPorts(v evidence.View) (items []check.Item) {
	for i, s := range declaration.Probe.From(v).Services {
		for j, port := range s.TCP {
			said := declaration.Probe.At(v, "/services/%d/tcp/%d", i, j)
			switch s.Enabled {
			case evidence.Yes:
				items = append(items, statedOpen(v, port, s.ID, said))
			case evidence.No:
				items = append(items, statedClosed(v, port, s.ID, said))
			}
		}
	}
	return items
}

func statedOpen(v evidence.View, port uint16, id declaration.Name, said evidence.Ref) check.Item {
	addr, state, ref := lookAt(v, port)
	at := evidence.TCP(addr).Subject(string(id))
	switch state {
	case open:
		return check.Pass(at, msg.T("it is declared as enabled, and accepted a connection in both looks"), ref, said)
	case refused:
		return check.Fail(at, msg.T("it is declared as enabled, and refused every connection in both looks"), ref, said)
	case silent:
		return check.Inconclusive(at, msg.T("it is declared as enabled, and was silent, which refutes nothing"),
			msg.T("test from where the device's users connect to it"), ref, said)
	}
	return check.Inconclusive(at, msg.T("it is declared as enabled, and two looks did not settle it"), settle(v), ref, said)
}

func statedClosed(v evidence.View, port uint16, id declaration.Name, said evidence.Ref) check.Item {
	addr, state, ref := lookAt(v, port)
	at := evidence.TCP(addr).Subject(string(id))
	switch state {
	case open:
		return check.Fail(at, msg.T("it is declared as disabled, and accepted a connection in both looks"), ref, said)
	case refused:
		return check.Pass(at, msg.T("it is declared as disabled, and refused every connection in both looks"), ref, said)
	case silent:
		return check.Pass(at, msg.T("it is declared as disabled, and no connection was accepted in either look"), ref, said)
	}
	return check.Inconclusive(at, msg.T("it is declared as disabled, and two looks did not settle it"), settle(v), ref, said)
}

// portState is what two looks showed of a port.
type portState int

const (
	notSettled portState = iota
	refused              // by every address
	silent               // at least at one address, open at none
	open                 // at least at one address
)

// lookAt returns the state of a port, an address that shows it, and where that
// stands. A port that belongs to the machine of an emulated device is in none of
// the lists, and so not settled: the device's own cannot be told from it.
func lookAt(v evidence.View, port uint16) (netip.AddrPort, portState, evidence.Ref) {
	e := tcpports.Probe.From(v)
	for i, p := range openPorts(v) {
		if p.Addr.Port() == port && p.Seen >= 2 {
			return p.Addr, open, tcpports.Probe.At(v, "/open/%d/seen", i)
		}
	}
	state, addr := refused, netip.AddrPortFrom(netip.IPv6Unspecified(), port)
	ref := tcpports.Probe.At(v, "/closed")
	for i, a := range e.Addrs {
		if i == 0 {
			addr = netip.AddrPortFrom(a, port)
		}
		at := netip.AddrPortFrom(a, port)
		switch {
		case within(e.Closed, at):
		case within(e.Silent, at) && heard(e, a):
			state, ref = silent, tcpports.Probe.At(v, "/silent")
		default:
			return addr, notSettled, tcpports.Probe.At(v, "/open")
		}
	}
	if len(e.Addrs) == 0 {
		state = notSettled
	}
	return addr, state, ref
}

func within(ranges []tcpports.Range, at netip.AddrPort) bool {
	return slices.ContainsFunc(ranges, func(r tcpports.Range) bool {
		return r.Addr == at.Addr() && r.First <= at.Port() && at.Port() <= r.Last
	})
}

// heard reports whether no control of an address was lost, so that silence
// means something.
func heard(e tcpports.Evidence, a netip.Addr) bool {
	return slices.ContainsFunc(e.Controls, func(c tcpports.Control) bool {
		return c.Addr == a && c.Asked > 0 && c.Asked == c.Answered
	})
}

// statedServices compares protocol and TLS of each enabled service with what
// answered on its ports.
func statedServices(v evidence.View) (items []check.Item) {
	for k, s := range services.Probe.From(v).Services {
		for i, d := range declaration.Probe.From(v).Services {
			if d.Enabled != evidence.Yes || !slices.Contains(d.TCP, s.Addr.Port()) || slices.Contains(tcpports.Probe.From(v).Host, s.Addr) {
				continue
			}
			refs := func(field string) []evidence.Ref {
				return []evidence.Ref{services.Probe.At(v, "/services/%d/%s", k, field), declaration.Probe.At(v, "/services/%d/%s", i, field)}
			}
			items = append(items, statedProtocol(d, s, refs("protocol"))...)
			items = append(items, statedTLS(d, s, refs("tls"))...)
		}
	}
	return items
}

// statedProtocol compares only protocols that a dialogue of ours can show:
// what else is declared may run inside one of them.
func statedProtocol(d declaration.Service, s services.Service, refs []evidence.Ref) []check.Item {
	at := evidence.TCP(s.Addr).Subject(string(d.ID) + "/protocol")
	declared := services.Protocol(d.Protocol)
	switch {
	case !slices.Contains(spoken, declared):
		return nil
	case !identified(s):
		return []check.Item{check.Inconclusive(at, msg.T("it is declared to speak {declared}, and no known protocol was spoken twice", "declared", declared),
			msg.T("run again; look for what keeps the service from answering"), refs...)}
	case s.Protocol == declared:
		return []check.Item{check.Pass(at, msg.T("it is declared to speak {declared}, and did twice", "declared", declared), refs...)}
	case s.Protocol == services.HTTP && declared == services.MQTT:
		return []check.Item{check.Inconclusive(at, msg.T("it is declared to speak mqtt, and spoke http twice, inside which MQTT may run as a WebSocket"),
			msg.T("declare http as its protocol if MQTT is spoken over WebSocket there"), refs...)}
	}
	return []check.Item{check.Fail(at, msg.T("it is declared to speak {declared}, and spoke {spoken} twice", "declared", declared, "spoken", s.Protocol), refs...)}
}

func statedTLS(d declaration.Service, s services.Service, refs []evidence.Ref) []check.Item {
	at := evidence.TCP(s.Addr).Subject(string(d.ID) + "/tls")
	switch {
	case d.TLS == evidence.Unknown || s.TLS == evidence.Unknown:
		return nil
	case s.Seen < 2:
		return []check.Item{check.Inconclusive(at, msg.T("it answered in 1 of 2 dialogues"), msg.T("run again"), refs...)}
	case d.TLS == s.TLS && s.TLS == evidence.Yes:
		return []check.Item{check.Pass(at, msg.T("it is declared to use TLS, and did twice"), refs...)}
	case d.TLS == s.TLS:
		return []check.Item{check.Pass(at, msg.T("it is declared to use no TLS, and used none twice"), refs...)}
	case s.TLS == evidence.Yes:
		return []check.Item{check.Fail(at, msg.T("it is declared to use no TLS, and used it twice"), refs...)}
	}
	return []check.Item{check.Fail(at, msg.T("it is declared to use TLS, and spoke without it twice"), refs...)}
}

// undeclaredPorts holds all other ports against the list of services.
func undeclaredPorts(v evidence.View) []check.Item {
	var items []check.Item
	for i, p := range openPorts(v) {
		if _, row := declaredStatus(v, p.Addr.Port()); row == nil && p.Seen >= 2 {
			items = append(items, check.Fail(evidence.TCP(p.Addr), msg.T("no service is declared on it, and it accepted a connection in both looks"),
				tcpports.Probe.At(v, "/open/%d/seen", i), declaration.Probe.At(v, "/services")))
		}
	}
	if left := unsettled(v); left != nil {
		return append(items, left...)
	}
	return append(items, check.Pass(evidence.Endpoint{}, msg.T("no other TCP port accepted a connection in either look"),
		tcpports.Probe.At(v, "/closed"), tcpports.Probe.At(v, "/silent"), declaration.Probe.At(v, "/services")))
}

// undeclaredUDP holds what answered over UDP against the list of services.
func undeclaredUDP(v evidence.View) (items []check.Item) {
	e, _ := udpservices.Probe.Get(v)
	for i, p := range e.Endpoints {
		status, row := declaredUDP(v, p.Addr.Port())
		seen := udpservices.Probe.At(v, "/endpoints/%d/protocol", i)
		switch {
		case p.Protocol == udpservices.Unidentified:
		case row == nil:
			items = append(items, check.Fail(evidence.UDP(p.Addr), msg.T("no service is declared on it, and it answered the question of {protocol} twice", "protocol", p.Protocol), seen, declaration.Probe.At(v, "/services")))
		case status == evidence.No:
			items = append(items, check.Fail(evidence.UDP(p.Addr), msg.T("it is declared as disabled, and answered the question of {protocol} twice", "protocol", p.Protocol), seen, *row))
		}
	}
	return items
}

// statedFeatures compares features answered "no". That nothing showed one
// proves nothing, and makes no item.
func statedFeatures(v evidence.View) (items []check.Item) {
	for i, f := range declaration.Probe.From(v).Features {
		shown, known := featureShown[f.Name]
		if f.Supported != evidence.No || !known {
			continue
		}
		if ref, ok := shown(v); ok {
			items = append(items, check.Fail(evidence.Endpoint{}.Subject("feature/"+string(f.Name)),
				msg.T("feature {feature} is answered with no, and was observed", "feature", f.Name), ref, declaration.Probe.At(v, "/features/%d/supported", i)))
		}
	}
	return items
}

// featureShown finds what shows that a feature exists, seen twice.
var featureShown = map[declaration.Name]func(evidence.View) (evidence.Ref, bool){
	"passwords":          passwordAsked,
	"network-interfaces": unusedPort,
}

// passwordAsked finds a prompt for a password.
func passwordAsked(v evidence.View) (evidence.Ref, bool) {
	for _, l := range listeners(v, services.Telnet) {
		if l.Seen >= 2 && bytes.Contains(bytes.ToLower(l.Answer), []byte("password:")) {
			return l.ref("answer"), true
		}
	}
	return evidence.Ref{}, false
}

// unusedPort finds an open port that no enabled service uses, which is what the
// feature asks for. Without a list of services nobody knows.
func unusedPort(v evidence.View) (evidence.Ref, bool) {
	listed := declaration.Probe.From(v).Listed == evidence.Yes
	for i, p := range openPorts(v) {
		status, row := declaredStatus(v, p.Addr.Port())
		if listed && p.Seen >= 2 && (row == nil || status == evidence.No) {
			return tcpports.Probe.At(v, "/open/%d/seen", i), true
		}
	}
	return evidence.Ref{}, false
}
