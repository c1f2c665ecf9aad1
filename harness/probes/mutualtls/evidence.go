// Package mutualtls asks each TLS listener for what it serves as a stranger:
// without a client certificate, and with one that the harness made itself. Where
// the device file gives a good one, as a credential of the service
// "client-certificate" whose secret is a PEM file of certificate and key, it is
// shown before and after.
package mutualtls

import (
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// Evidence holds one entry for each listener that speaks TLS at once, in the
// order of services.
type Evidence struct {
	Listeners []Listener `json:"listeners"`
}

// Listener is how one listener took strangers. Only between two tries with a
// good certificate is it a refusal that they were turned away.
type Listener struct {
	Addr     netip.AddrPort    `json:"addr"`
	Protocol services.Protocol `json:"protocol"` // inside TLS, or that the device file names where strangers are not told
	// Credential is the declared certificate that served as the control, empty
	// if there is none.
	Credential declaration.Name `json:"credential"`
	// Tries are, in turn, without a certificate and with a self-made one, twice
	// each, on fresh connections. The first and the last are with the declared
	// certificate, if there is one.
	Tries []Try `json:"tries"`
}

// Try is one handshake, and one harmless request after it.
type Try struct {
	Shown   Shown            `json:"shown"`
	Outcome tlsserver.Ending `json:"outcome"` // of the handshake
	Alert   int              `json:"alert"`   // of the handshake or after it, -1 if none came
	Version tlsserver.Code   `json:"version"`
	// Asked says whether the server asked for a certificate; unknown if it did
	// not come to that.
	Asked evidence.Tri `json:"client_certificate_asked"`
	// Issuer is the name that the self-made certificate claims to be issued by:
	// the first that the server had named, as DER, or empty.
	Issuer evidence.Bytes `json:"claimed_issuer"`
	// Request says whether a request was sent after the handshake; no for
	// protocols of which none is known.
	Request evidence.Tri `json:"request_sent"`
	// After is what the server did then: in TLS 1.3 it is only then that it can
	// refuse. Accepted means that it answered.
	After  tlsserver.Outcome `json:"after"`
	Answer evidence.Bytes    `json:"answer"` // its first bytes
	Span   evidence.Span     `json:"span"`   // of the answer, else of the handshake
}

// Shown is what the client showed of itself.
type Shown string

// What was shown.
const (
	Nothing  Shown = "nothing"
	SelfMade Shown = "self_made"
	Declared Shown = "declared"
)

// Refused reports whether a stranger was turned away: in the handshake, or when
// it had sent its request.
func (t Try) Refused() bool {
	switch t.Outcome {
	case tlsserver.Refusal, tlsserver.HungUp:
		return true
	case tlsserver.Completed:
		return t.After == tlsserver.Alerted || t.After == tlsserver.Closed
	}
	return false
}

// Answered reports whether a stranger was served.
func (t Try) Answered() bool {
	return t.Outcome == tlsserver.Completed && t.After == tlsserver.Accepted
}

// Of returns the tries with which the same was shown.
func (l Listener) Of(s Shown) []Try {
	var all []Try
	for _, t := range l.Tries {
		if t.Shown == s {
			all = append(all, t)
		}
	}
	return all
}
