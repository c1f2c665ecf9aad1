package udpservices

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe asks each UDP port the question of each protocol.
var Probe = &probe.Probe[Evidence]{
	Name:    "udp-services",
	Version: 1,
	Doc:     "which protocols answer over UDP",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{tcpports.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// patience: an answer that needs longer than this is asked for again, three
	// times in all. A device that sleeps between radio slots needs a second.
	patience = 1500 * time.Millisecond
	// benchPatience: on a bench nothing stands between us and the device.
	benchPatience = 300 * time.Millisecond
	// controlPatience includes that the system sends the first packet again.
	controlPatience = 3 * time.Second
	// tries is how often a question is asked in a round: one lost datagram, or
	// two, say nothing.
	tries = 3
	// rounds is how often an answer has to be seen.
	rounds = 2
	// controls are the control exchanges around the tries of a silent question:
	// before, between and after.
	controls = tries + 1
	// benchPorts is how many ports are asked side by side.
	benchPorts = 8
)

func bound(t probe.Target) probe.Bound {
	ports := len(t.Addrs) * len(t.UDP)
	asked := ports * len(questions)
	sent := asked * (rounds*tries + controls)
	var pause time.Duration
	if t.PerSecond > 0 {
		pause = time.Second / time.Duration(t.PerSecond)
	}
	return probe.Bound{
		Time:        time.Duration(asked)*(rounds*tries*patience+controls*controlPatience) + time.Duration(sent)*pause + time.Second,
		Connections: asked * (rounds + controls),
	}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	a := &asker{ctx: ctx, net: in.Net, patience: patience, controls: controlsOf(tcpports.Probe.From(in.Evidence))}
	width := 1
	if transport.LimitsOf(in.Target.Pace).AtOnce > 1 {
		a.patience, width = benchPatience, benchPorts
	}
	name := func(a netip.AddrPort) string { return evidence.UDP(a).Name }
	found, err := probe.EachOf(ctx, width, endpoints(in.Target), name, a.look)
	return Evidence{found}, err
}

// endpoints are what is asked, address by address.
func endpoints(t probe.Target) []netip.AddrPort {
	var all []netip.AddrPort
	for _, addr := range t.Addrs {
		for _, port := range t.UDP {
			all = append(all, netip.AddrPortFrom(addr, port))
		}
	}
	return all
}

// Ports are the standard ports of all questions, ascending.
func Ports() []uint16 {
	var ports []uint16
	for _, q := range questions {
		ports = append(ports, q.ports...)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// controlsOf returns for each address a TCP port that answers a knock: one that
// is open, or else one that refuses.
func controlsOf(e tcpports.Evidence) map[netip.Addr]netip.AddrPort {
	found := map[netip.Addr]netip.AddrPort{}
	for _, r := range e.Closed {
		if _, ok := found[r.Addr]; !ok {
			found[r.Addr] = netip.AddrPortFrom(r.Addr, r.First)
		}
	}
	for i := range e.Open {
		if p := e.Open[len(e.Open)-1-i]; p.Seen == rounds {
			found[p.Addr.Addr()] = p.Addr
		}
	}
	return found
}

// A question is what one protocol is asked.
type question struct {
	protocol Protocol
	ports    []uint16 // on which it is asked first, and without being told
	// ask returns a fresh datagram and what tells whether another one answers
	// it.
	ask func() (datagram []byte, answers func([]byte) bool)
}

// questions are all questions, in the order in which they are asked.
var questions = []question{coapQuestion, dtlsQuestion}

// likelyFirst returns the questions with those first that belong to a port.
func likelyFirst(port uint16) []question {
	list := slices.Clone(questions)
	hint := func(q question) int {
		if slices.Contains(q.ports, port) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b question) int { return hint(a) - hint(b) })
	return list
}

// byOrder sorts what was asked as the questions stand.
func byOrder(all []Asked) {
	place := func(a Asked) int {
		return slices.IndexFunc(questions, func(q question) bool { return q.protocol == a.Question })
	}
	slices.SortFunc(all, func(a, b Asked) int { return place(a) - place(b) })
}

// unasked says why a protocol was not asked for: another one was understood.
func unasked(q question) Asked { return Asked{Question: q.protocol, State: NotAsked} }

// String names q in an error.
func (q question) String() string { return fmt.Sprintf("the question of %q", q.protocol) }
