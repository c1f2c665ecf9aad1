// Package udpservices finds out which protocols answer over UDP, by asking each
// port the question of each protocol. Silence proves nothing.
package udpservices

import (
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
)

// Protocol is what an answer showed.
type Protocol string

// The protocols that are asked for.
const (
	Unidentified Protocol = "unidentified" // no answer was understood
	CoAP         Protocol = "coap"         // RFC 7252, in clear
	DTLS         Protocol = "dtls"         // and inside it whatever
)

// State is how a port took what it was asked.
type State string

// The states.
const (
	Answered State = "answered"  // a datagram came back
	Closed   State = "closed"    // the device said by ICMP that nobody listens
	Silent   State = "silent"    // nothing came to any of the tries
	Mixed    State = "mixed"     // rounds, or questions, differ
	NotAsked State = "not-asked" // another question was understood before
)

// Evidence holds one entry for each port that was asked, address by address, in
// the order of the ports.
type Evidence struct {
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is one UDP port.
type Endpoint struct {
	Addr netip.AddrPort `json:"addr"`
	// Protocol is what answered its own question in two fresh exchanges.
	Protocol Protocol `json:"protocol"`
	State    State    `json:"state"`
	Asked    []Asked  `json:"asked"` // one entry for each question, in a fixed order
	// Control counts TCP connections to the same address, accepted or refused,
	// between and after the tries of silent questions. Only where there were
	// some, and none was lost, is silence "not answered".
	Control Control `json:"control"`
}

// Asked is one question.
type Asked struct {
	Question Protocol       `json:"question"`
	Tries    int            `json:"tries"`  // datagrams sent in all
	Seen     int            `json:"seen"`   // rounds in which the answer was understood, of 2
	State    State          `json:"state"`  // how the port took this question
	Answer   evidence.Bytes `json:"answer"` // the first one
	Span     evidence.Span  `json:"span"`
}

// Control counts control exchanges.
type Control struct {
	Asked    int `json:"asked"`
	Answered int `json:"answered"`
}

// Quiet reports whether the port was asked everything and answered nothing
// while nothing was lost, or said itself that nobody listens.
func (e Endpoint) Quiet() bool {
	heard := e.Control.Asked > 0 && e.Control.Asked == e.Control.Answered
	return e.State == Closed || (e.State == Silent || e.State == Mixed) && heard && !e.flaps()
}

// flaps reports whether rounds of one question differ.
func (e Endpoint) flaps() bool {
	for _, a := range e.Asked {
		if a.State == Mixed {
			return true
		}
	}
	return false
}

// Of returns the endpoints that speak p, with their places in e.
func (e Evidence) Of(p Protocol) map[int]Endpoint {
	found := map[int]Endpoint{}
	for i, s := range e.Endpoints {
		if s.Protocol == p {
			found[i] = s
		}
	}
	return found
}
