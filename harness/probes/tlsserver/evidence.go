// Package tlsserver looks at every listener that speaks TLS: which versions,
// suites and groups it takes, what it shows of itself, and what it asks for.
package tlsserver

import (
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/services"
)

// Evidence holds one entry for each listener, in the order of services, and
// each certificate once, in the order in which they were first served.
type Evidence struct {
	Listeners    []Listener    `json:"listeners"`
	Certificates []Certificate `json:"certificates"`
}

// Listener is what one listener did. Whatever it turned away lies between two
// control hellos, an ordinary modern one each, before all else and after it.
type Listener struct {
	Addr     netip.AddrPort    `json:"addr"`
	Protocol services.Protocol `json:"protocol"` // inside TLS, or that TLS begins in
	Begins   Way               `json:"begins"`
	Before   Try               `json:"control_before"`
	After    Try               `json:"control_after"`
	// Versions holds the five versions, the oldest first.
	Versions []Version `json:"versions"`
	// ForwardOnly are hellos that offer only suites with forward secrecy and a
	// certificate, in the newest version that the server takes; two, and only
	// where none of the suites that it took is one of them.
	ForwardOnly []Try  `json:"forward_only"`
	Groups      Groups `json:"groups"`
	// Hybrids are hellos that offer one hybrid group and no other, with a key
	// share for it.
	Hybrids []Offer `json:"hybrid_groups"`
	// Handshakes are whole ones, each on a fresh connection: without a server
	// name, then with each declared name, twice each, the second with ALPN.
	Handshakes []Handshake `json:"handshakes"`
	Chains     []Chain     `json:"chains"` // each once, as first served
	// Compression is a hello that offers DEFLATE beside none, and
	// Deflate whether it was chosen.
	Compression Try          `json:"compression_try"`
	Deflate     evidence.Tri `json:"deflate_chosen"`
	// SecureRenegotiation says whether the server echoed the indication of
	// RFC 5746 in TLS 1.2 or older; unknown if it takes TLS 1.3 only.
	SecureRenegotiation evidence.Tri    `json:"secure_renegotiation"`
	Renegotiation       []Renegotiation `json:"renegotiation"` // asked for by the client, in TLS 1.2
	// Signatures are the schemes with which the server signed, in the flights of
	// TLS 1.2 that were read and in whole handshakes of TLS 1.3; ascending.
	Signatures []Code `json:"signature_schemes"`
	// Cut says which part of the look was left out, empty if none was.
	Cut Cut `json:"cut"`
}

// Way is how TLS begins on a connection.
type Way string

// The ways. Each STARTTLS follows a dialogue in clear text.
const (
	AtOnce   Way = "tls"
	OverSMTP Way = "starttls-smtp"
	OverFTP  Way = "starttls-ftp"
	OverIMAP Way = "starttls-imap"
	OverPOP3 Way = "starttls-pop3"
	OverXMPP Way = "starttls-xmpp"
	OverLDAP Way = "starttls-ldap"
)

// Cut is why a look is not whole.
type Cut string

// The cuts. The first three mean that what was not seen says nothing.
const (
	Whole       Cut = ""
	NoControl   Cut = "no_control"   // the control hello was not answered, so no other was sent
	WentSilent  Cut = "went_silent"  // several hellos in a row were not answered
	TooMany     Cut = "too_many"     // it took more suites than are asked for
	LostControl Cut = "lost_control" // the control hello was not answered any more at the end
	OutOfTime   Cut = "out_of_time"  // the time for one listener was over
)

// Code is a number of the TLS registries: a version as on the wire, a suite, a
// group, a signature scheme. Zero is none.
type Code uint16

// Name is how the registry calls a code.
type Name string

// Try is one hello on a fresh connection and what became of it.
type Try struct {
	Outcome Outcome `json:"outcome"`
	Alert   int     `json:"alert"`   // its description (RFC 8446, 6), -1 if none came
	Version Code    `json:"version"` // what the server chose
	Suite   Code    `json:"suite"`
	Group   Code    `json:"group"` // of its key share, retry request or key exchange
	// Retry says whether the choice stood in a HelloRetryRequest.
	Retry evidence.Tri `json:"retry"`
	// Flight says whether all came that follows a ServerHello, up to
	// ServerHelloDone; unknown where it was not read, or is encrypted.
	Flight evidence.Tri  `json:"flight"`
	Span   evidence.Span `json:"span"`
}

// Outcome is what became of a hello.
type Outcome string

// The outcomes. A hello that was sent in full is refused by an alert or by a
// closed connection.
const (
	NotTried   Outcome = "not_tried"
	Accepted   Outcome = "accepted"    // it chose from what was offered
	NotOffered Outcome = "not_offered" // it chose another version, or what else was not asked for
	Alerted    Outcome = "alert"       // it refused in TLS's words
	Closed     Outcome = "closed"      // it closed or reset the connection
	Silent     Outcome = "silent"      // no answer came in time
	Malformed  Outcome = "malformed"   // what came is no TLS, or more than an answer may be
	Declined   Outcome = "declined"    // it took no connection, or declined to begin TLS
)

// Version is what was seen of one version, offered alone.
type Version struct {
	Code Code `json:"code"`
	Name Name `json:"name"`
	// Tries are hellos with all its suites, until two agree, three at the most.
	Tries []Try `json:"tries"`
	// Seen counts the exchanges, of all, in which the server chose it, and
	// Flights those in which it went on to its ServerHelloDone. In TLS 1.3 that
	// is encrypted; before, no more than two flights are read to the end.
	Seen    int `json:"seen"`
	Flights int `json:"flights"`
	// Suites are those that it took, in the order of its choice: each hello
	// offers what earlier ones left.
	Suites []Suite `json:"suites"`
	// Ends are the hellos that offered what was left at last; the second repeats
	// the first where that was no alert.
	Ends []Try `json:"ends"`
	// Complete says whether what was left was turned away; no if the listing
	// was cut short.
	Complete evidence.Tri `json:"complete"`
	// Chooser says whose order decides.
	Chooser Chooser `json:"chooser"`
	DHBits  int     `json:"dh_bits"` // of the prime in the flight that was read, 0 if none
}

// Chooser is whose order of suites decides.
type Chooser string

// The choosers.
const (
	NobodyKnown Chooser = "unknown" // there was no choice, or it was not seen
	ByServer    Chooser = "server"
	ByClient    Chooser = "client"
)

// Groups are the groups that a server takes, in the order of its choice.
type Groups struct {
	Version  Code         `json:"version"` // in which they were offered, 0 if none could
	Taken    []Group      `json:"taken"`
	Ends     []Try        `json:"ends"` // hellos with what was left
	Complete evidence.Tri `json:"complete"`
}

// Group is one that was taken.
type Group struct {
	Code Code          `json:"code"`
	Name Name          `json:"name"`
	Span evidence.Span `json:"span"`
}

// Offer is hellos that offer one group alone: one if it is taken, two or three
// if not.
type Offer struct {
	Code  Code  `json:"code"`
	Name  Name  `json:"name"`
	Tries []Try `json:"tries"`
}

// Handshake is a whole one.
type Handshake struct {
	ServerName Name         `json:"server_name"` // in SNI, empty for none
	ALPN       evidence.Tri `json:"alpn_offered"`
	Outcome    Ending       `json:"outcome"`
	Alert      int          `json:"alert"` // -1 if none came
	Version    Code         `json:"version"`
	Suite      Code         `json:"suite"`
	Group      Code         `json:"group"`
	// Protocol is what ALPN chose.
	Protocol evidence.Bytes `json:"protocol"`
	Chain    int            `json:"chain"` // its place in Chains, -1 if none was served
	// Asked says whether the server asked for a client certificate, of which
	// there was none; Authorities are the issuers that it named, as DER, ten at
	// the most.
	Asked       evidence.Tri     `json:"client_certificate_asked"`
	Authorities []evidence.Bytes `json:"authorities"`
	// After is what the server did after the handshake where it had asked for a
	// certificate: in TLS 1.3 it is only then that it can refuse.
	After Outcome       `json:"after"`
	Span  evidence.Span `json:"span"`
}

// Ending is how a whole handshake ended.
type Ending string

// The endings.
const (
	Completed  Ending = "completed"  // the server proved to hold its key
	Refusal    Ending = "alert"      // it sent an alert
	HungUp     Ending = "closed"     // it closed or reset the connection
	Stalled    Ending = "silent"     // it did not go on in time
	NotOurs    Ending = "not_common" // it goes on in a way that a whole handshake here cannot: no version or suite in common, a key too large, a broken message
	NotReached Ending = "declined"   // it took no connection, or declined to begin TLS
	NotBegun   Ending = "not_tried"
)

// Chain is a certificate message.
type Chain struct {
	// Places are those of its certificates in Evidence.Certificates, the
	// server's own first; at most ten.
	Places []int `json:"places"`
	// Served is how many the message held in all.
	Served int `json:"served"`
	// Proven says whether a handshake with it was completed, by which the server
	// proved to hold the key.
	Proven evidence.Tri  `json:"possession_proven"`
	Seen   int           `json:"seen"` // exchanges in which it was served
	Span   evidence.Span `json:"span"` // of the exchange in which it was served first
}

// Certificate is one that was served. What DER does not say, or says in a way
// that is not understood, is empty or unknown.
type Certificate struct {
	SHA256 evidence.Digest `json:"sha256"`
	// DER is empty if there was no room left for it.
	DER    evidence.Bytes `json:"der"`
	Length int            `json:"length_bytes"`
	Parsed evidence.Tri   `json:"parsed"` // whether all the rest was read
	// Subject and Issuer are as RFC 2253 writes them.
	Subject   evidence.Bytes `json:"subject"`
	Issuer    evidence.Bytes `json:"issuer"`
	Serial    evidence.Bytes `json:"serial"`
	NotBefore time.Time      `json:"not_before"`
	NotAfter  time.Time      `json:"not_after"`
	// Names are the names and addresses that it is for, a hundred at the most,
	// names first; NamesInAll counts them all.
	Names      []evidence.Bytes `json:"dns_names"`
	Addresses  []netip.Addr     `json:"addresses"`
	NamesInAll int              `json:"names_in_all"`
	Key        Key              `json:"key"`
	Signature  Signature        `json:"signature"`
	// SelfSigned says whether its own key signed it; unknown if that cannot be
	// worked out.
	SelfSigned evidence.Tri `json:"self_signed"`
	CA         evidence.Tri `json:"ca"`
}

// Key is a public key.
type Key struct {
	Kind   KeyKind         `json:"kind"`
	Curve  Name            `json:"curve"` // of EC keys
	Bits   int             `json:"bits"`  // of the modulus or the field, 0 if not known
	SHA256 evidence.Digest `json:"spki_sha256"`
}

// KeyKind is the kind of a key.
type KeyKind string

// The kinds.
const (
	RSA     KeyKind = "RSA"
	DSA     KeyKind = "DSA"
	EC      KeyKind = "EC"
	Ed25519 KeyKind = "Ed25519"
	Ed448   KeyKind = "Ed448"
	Other   KeyKind = "other" // Other is a key that is not known here
)

// Signature is how a certificate is signed.
type Signature struct {
	OID  Name `json:"oid"`
	Name Name `json:"name"` // empty if not known here
	Hash Hash `json:"hash"`
}

// Hash is the hash function of a signature.
type Hash string

// The hash functions. The schemes of Edwards curves have theirs built in.
const (
	MD2         Hash = "MD2"
	MD5         Hash = "MD5"
	SHA1        Hash = "SHA-1"
	SHA256      Hash = "SHA-256"
	SHA384      Hash = "SHA-384"
	SHA512      Hash = "SHA-512"
	BuiltIn     Hash = "built-in"
	UnknownHash Hash = "unknown"
)

// Renegotiation is a handshake that the client began inside another one.
type Renegotiation struct {
	Outcome Outcome       `json:"outcome"` // accepted if a ServerHello came
	Alert   int           `json:"alert"`   // -1 if none came
	Span    evidence.Span `json:"span"`
}
