// Package dtlsserver looks at every UDP port that speaks DTLS: which versions and
// suites it takes, what it shows of itself, and whether it wants a cookie first.
package dtlsserver

import (
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// Evidence holds one entry for each listener, in the order of the addresses and
// ports, and each certificate once, in the order in which they were first served.
type Evidence struct {
	Listeners    []Listener              `json:"listeners"`
	Certificates []tlsserver.Certificate `json:"certificates"`
}

// Listener is what one listener did. Whatever it turned away or left unanswered
// lies between two control hellos.
type Listener struct {
	Addr netip.AddrPort `json:"addr"`
	// Control is the hello that the listener was first seen to take, offering
	// one suite alone. Without one nothing else was asked.
	Control Offered `json:"control"`
	Before  Try     `json:"control_before"`
	After   Try     `json:"control_after"`
	// Versions holds the three versions, the oldest first.
	Versions []Version `json:"versions"`
	// Cookie says whether a hello without a cookie was answered by a request for
	// one and nothing else, in all exchanges; unknown if they differ.
	Cookie evidence.Tri `json:"cookie_demanded"`
	// First is the answer to a hello without a cookie that was the largest
	// compared with it.
	First  Size   `json:"first_answer"`
	Flight Flight `json:"largest_flight"`
	Modes  []Mode `json:"modes"` // how it shows who it is: PSK, certificate, raw public key
	// Hints are the PSK identity hints that it sent, each once.
	Hints  []Hint            `json:"psk_hints"`
	Chains []tlsserver.Chain `json:"chains"` // each once, as first served
	// Keys are the raw public keys that it sent, each once.
	Keys []RawKey `json:"raw_public_keys"`
	// Asked says whether the server asked for a client certificate where it
	// showed one of its own; unknown if it showed none.
	Asked evidence.Tri `json:"client_certificate_asked"`
	// Signatures and Groups are those of the key exchanges in the flights that
	// were read, ascending.
	Signatures []tlsserver.Code `json:"signature_schemes"`
	Groups     []tlsserver.Code `json:"groups"`
	// Handshakes are whole ones: with each kind of proof that there was a way to
	// give.
	Handshakes []Handshake `json:"handshakes"`
	// Cut says which part of the look was left out, empty if none was.
	Cut Cut `json:"cut"`
}

// Offered is one suite in one version, both 0 for none.
type Offered struct {
	Version tlsserver.Code `json:"version"`
	Suite   tlsserver.Code `json:"suite"`
	// Kind is what the server was asked to show.
	Kind Kind `json:"kind"`
}

// Cut is why a look is not whole.
type Cut string

// The cuts. What was not seen then says nothing.
const (
	Whole       Cut = ""
	NoControl   Cut = "no_control"   // no hello was taken
	LostControl Cut = "lost_control" // the control hello was not taken any more
	TooMany     Cut = "too_many"     // it took more suites than are asked for
	TooSlow     Cut = "too_slow"     // it took longer than one listener may
)

// Try is one hello, sent again on fresh sockets as long as nothing came, and what
// became of it.
type Try struct {
	Outcome Outcome        `json:"outcome"`
	Alert   int            `json:"alert"`   // its description (RFC 8446, 6), -1 if none came
	Version tlsserver.Code `json:"version"` // what the server chose
	Suite   tlsserver.Code `json:"suite"`
	// Retry says whether the choice stood in a HelloRetryRequest.
	Retry evidence.Tri `json:"retry"`
	// Cookie says whether a cookie was asked for before.
	Cookie evidence.Tri `json:"cookie_demanded"`
	// Rounds is on how many fresh sockets the hello was sent. Between two of
	// them stands a control hello, of which Controls counts.
	Rounds   int           `json:"rounds"`
	Controls Controls      `json:"controls_between"`
	Span     evidence.Span `json:"span"` // of the last round
}

// Controls counts control hellos, and those of them that were taken at once, with
// nothing lost.
type Controls struct {
	Asked    int `json:"asked"`
	Answered int `json:"answered_at_once"`
}

// Outcome is what became of a hello.
type Outcome string

// The outcomes.
const (
	NotTried   Outcome = "not_tried"
	Accepted   Outcome = "accepted"    // it chose from what was offered, and its whole flight came
	HalfFlight Outcome = "half_flight" // it chose, and the rest of its flight did not come
	Older      Outcome = "older"       // it chose an older version, as servers do that do not take this one
	OtherType  Outcome = "other_type"  // it showed an X.509 certificate where only a raw public key was offered
	NotOffered Outcome = "not_offered" // it chose what was not offered
	Alerted    Outcome = "alert"       // it refused in DTLS's words
	Closed     Outcome = "closed"      // by ICMP: nobody listens any more
	Silent     Outcome = "silent"      // no answer came in time, in any round
	CookieLoop Outcome = "cookie_loop" // it asked for one cookie after the other
	Malformed  Outcome = "malformed"   // what came is no flight of DTLS
	TooMuch    Outcome = "too_much"    // more came than a flight may hold
)

// Version is what was seen of one version, offered alone.
type Version struct {
	Code tlsserver.Code `json:"code"` // as it stands on the wire
	Name tlsserver.Name `json:"name"`
	// Seen counts the exchanges, of all, in which the server chose it and sent
	// its flight.
	Seen int `json:"seen"`
	// Offers are its suites, kind by kind.
	Offers []Offer `json:"offers"`
}

// Kind is how suites have the server show who it is.
type Kind string

// The kinds.
const (
	PSK         Kind = "psk"            // pre-shared keys, and nothing else
	Certificate Kind = "certificate"    // X.509, also beside a pre-shared key
	RawKey7250  Kind = "raw-public-key" // RFC 7250
	Doubtful    Kind = "doubtful"       // NULL, anonymous, export, RC4 and what else is asked for twice
	Modern      Kind = "1.3"            // the suites of 1.3, which leave it open
)

// Offer is a list of suites that was offered in one version, each hello with what
// the earlier ones had left.
type Offer struct {
	Kind    Kind `json:"kind"`
	Offered int  `json:"offered"` // how many suites at first
	// Suites are those that it took, in the order of its choice. Seen counts the
	// exchanges in which each was chosen.
	Suites []tlsserver.Suite `json:"suites"`
	// Ends are the hellos that offered what was left at last; the second repeats
	// the first.
	Ends []Try `json:"ends"`
}

// Mode is a way to show who one is, with the exchanges in which the server took
// it.
type Mode struct {
	Kind Kind `json:"kind"`
	Seen int  `json:"seen"`
}

// Hint is a PSK identity hint: RFC 4279, 5.2.
type Hint struct {
	Text evidence.Bytes `json:"text"`
	Span evidence.Span  `json:"span"`
}

// RawKey is a raw public key.
type RawKey struct {
	SPKI evidence.Bytes `json:"spki"`
	Key  tlsserver.Key  `json:"key"`
	Seen int            `json:"seen"`
	Span evidence.Span  `json:"span"`
}

// Size is what a hello without a cookie cost both sides, in bytes of UDP payload.
type Size struct {
	Sent     int `json:"sent_bytes"`
	Received int `json:"received_bytes"` // before anything more was sent
}

// Flight is how the largest flight came.
type Flight struct {
	Datagrams int `json:"datagrams"`
	Fragments int `json:"fragments"`
	Bytes     int `json:"bytes"`
}

// Handshake is a whole one, made with a library.
type Handshake struct {
	Kind Kind `json:"kind"`
	// Credential is the log-in of the device file that it was made with, empty
	// for none.
	Credential declaration.Name `json:"credential"`
	Outcome    Ending           `json:"outcome"`
	Alert      int              `json:"alert"` // -1 if none came
	Suite      tlsserver.Code   `json:"suite"`
	Span       evidence.Span    `json:"span"`
}

// Ending is how a whole handshake ended.
type Ending string

// The endings.
const (
	Completed   Ending = "completed" // both sides proved what they know
	Refusal     Ending = "alert"     // the server sent an alert
	Stalled     Ending = "silent"    // it did not go on in time, or not in a way that the library follows
	Gone        Ending = "closed"    // by ICMP: nobody listens any more
	BudgetSpent Ending = "budget_spent"
)
