// Package tcpports finds the TCP ports on which a device accepts connections.
package tcpports

import (
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
)

// Evidence holds every port once, under what two looks showed.
type Evidence struct {
	Addrs  []netip.Addr `json:"addrs"`  // looked at, in the order of the plan
	Tried  int          `json:"tried"`  // ports of each address, of 65,535
	Open   []Port       `json:"open"`   // accepted in at least one look, in order
	Closed []Range      `json:"closed"` // refused in both looks
	Silent []Range      `json:"silent"` // no answer in both looks
	Mixed  []Range      `json:"mixed"`  // refused in one look, silent in the other
	// Controls says for each address whether open ports of it, asked in
	// between, kept answering. Only then does silence mean anything.
	Controls []Control `json:"controls"`
	// Host are open ports of the machine that runs an emulated device: they
	// were open before the device was started.
	Host []netip.AddrPort `json:"host"`
}

// Port is a port that accepted a connection.
type Port struct {
	Addr netip.AddrPort `json:"addr"`
	Seen int            `json:"seen"` // looks in which it did, 1 or 2
	Span evidence.Span  `json:"span"` // empty: a connection without a byte
}

// Range is a run of ports, both ends included.
type Range struct {
	Addr  netip.Addr `json:"addr"`
	First uint16     `json:"first"`
	Last  uint16     `json:"last"`
}

// Control counts connections to open ports of an address between those to
// silent ones.
type Control struct {
	Addr     netip.Addr `json:"addr"`
	Asked    int        `json:"asked"`
	Answered int        `json:"answered"`
}

// All is the number of TCP ports of an address; port 0 cannot be connected to.
const All = 65535

// Left returns how many ports of the addresses are not settled: two looks
// differ, they were silent while the control lost something, or nobody tried.
// Ports of the host are settled: they are not the device's.
func (e Evidence) Left() int {
	left := max(1, len(e.Addrs))*All - len(e.Host)
	for _, p := range e.Open {
		if p.Seen == 2 {
			left--
		}
	}
	for _, r := range e.Closed {
		left -= r.count()
	}
	for _, r := range e.Silent {
		if e.heard(r.Addr) {
			left -= r.count()
		}
	}
	return left
}

func (r Range) count() int { return int(r.Last) - int(r.First) + 1 }

// heard reports whether silence of an address means that a port is filtered.
func (e Evidence) heard(a netip.Addr) bool {
	for _, c := range e.Controls {
		if c.Addr == a {
			return c.Asked > 0 && c.Asked == c.Answered
		}
	}
	return false
}

// OpenAddrs returns the endpoints that accepted a connection, in order.
func (e Evidence) OpenAddrs() []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, p := range e.Open {
		addrs = append(addrs, p.Addr)
	}
	return addrs
}
