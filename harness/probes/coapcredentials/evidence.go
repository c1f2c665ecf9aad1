// Package coapcredentials tries pre-shared keys that stacks and their examples are
// known to come with, as few as an identity can bear.
package coapcredentials

import (
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// Evidence holds one entry for each DTLS listener, in the order of dtls-server.
type Evidence struct {
	List    ListName `json:"list"`
	Version int      `json:"version"` // of the list
	Listed  int      `json:"listed"`  // pairs for CoAP that it holds
	Doors   []Door   `json:"doors"`
}

// ListName is the name of a list of pairs.
type ListName string

// Defaults is the list that comes with the program.
const Defaults ListName = "defaults"

// Door is how one listener took the pairs. Between the first control and the last
// one, everything took place on fresh sockets in this order.
type Door struct {
	Addr netip.AddrPort `json:"addr"`
	// Credential is the declared log-in that served as the control, empty if
	// there is none.
	Credential declaration.Name `json:"credential"`
	Before     Answer           `json:"login_before"`
	Random     []Answer         `json:"random"` // two pairs that nobody has, and a third where these differ
	Tries      []Try            `json:"tries"`  // in the order of the list
	Stopped    Stop             `json:"stopped"`
	After      Answer           `json:"login_after"`
}

// Try is how one pair of the list was taken.
type Try struct {
	Place    int          `json:"place"` // in the list, from 1
	Identity IdentityName `json:"identity"`
	// First is the answer, that of the second try where the first one was lost;
	// Again that of a second, fresh try of a pair that was accepted.
	First Answer `json:"first"`
	Again Answer `json:"again"`
	Lost  int    `json:"lost"` // tries that were answered neither by an alert nor inside
}

// IdentityName is an identity of the list, which holds nothing that is secret.
type IdentityName string

// Answer is how one pair was taken.
type Answer struct {
	Outcome Outcome        `json:"outcome"`
	Alert   int            `json:"alert"` // its description (RFC 8446, 6), -1 if none came in clear
	Suite   tlsserver.Code `json:"suite"` // 0 unless the handshake was completed
	// Inside is what was answered to a request inside the handshake.
	Inside Proof         `json:"inside"`
	Span   evidence.Span `json:"span"`
}

// Outcome is how a pair was taken.
type Outcome string

// The outcomes. Many servers meet a wrong key, or an identity that they do not
// know, by silence, as RFC 6347, 4.1.2.7, allows: nothing follows from that.
const (
	NotTried  Outcome = "not_tried"
	Accepted  Outcome = "accepted"  // the handshake was completed and a request answered inside
	Unproven  Outcome = "unproven"  // it was completed, and nothing answered inside
	Refused   Outcome = "alert"     // the device refused in DTLS's words
	Silent    Outcome = "silent"    // it did not go on in time
	Closed    Outcome = "closed"    // by ICMP: nobody listens any more
	Malformed Outcome = "malformed" // it went on in a way that is not understood
)

// Proof is what was answered inside a handshake.
type Proof string

// The proofs.
const (
	None     Proof = ""
	Pong     Proof = "pong"     // CoAP's answer to a ping
	Response Proof = "response" // a response to a request of the list of resources
)

// Stop says why a door was tried no further.
type Stop string

// Why no further pair was tried.
const (
	GoneThrough  Stop = ""                // all were
	NoKeys       Stop = "no_psk"          // it took no suite with a pre-shared key
	NoSuite      Stop = "no_common_suite" // none with which a whole handshake can be made here
	TakesAnyPair Stop = "random_accepted" // a random pair was let in too
	NobodyThere  Stop = "closed"          // nobody listens there any more
	ControlLost  Stop = "control_lost"    // the declared pair is no longer let in
)
