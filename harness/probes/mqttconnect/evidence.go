// Package mqttconnect finds out whom each door of an MQTT broker lets in.
package mqttconnect

import (
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
)

// Evidence holds one entry for each door, in the order of services: first those
// of MQTT itself, then those of MQTT over WebSocket that were found.
type Evidence struct {
	Doors []Door `json:"doors"`
	// Web says of each HTTP listener whether MQTT was found behind it, in the
	// order of services.
	Web []Web `json:"web"`
}

// Web is what an HTTP listener answered to the wish to speak MQTT over
// WebSocket.
type Web struct {
	Addr  netip.AddrPort `json:"addr"`
	TLS   evidence.Tri   `json:"tls"`
	Paths []Asked        `json:"paths"` // the usual ones, until MQTT was found at one
	// MQTT says whether a CONNECT was answered by a CONNACK at one of the paths.
	// No is said only if HTTP answered at all of them.
	MQTT evidence.Tri `json:"mqtt"`
}

// Asked is one path, and how the listener took the wish: once if HTTP answered,
// else twice.
type Asked struct {
	Path     Path          `json:"path"`
	Upgrades []Upgrade     `json:"upgrades"`
	Span     evidence.Span `json:"span"` // of the last answer
}

// Door is how one door answered, each time on a fresh connection and in this
// order: a good log-in, clients without credentials, random pairs, the good
// log-in again.
type Door struct {
	Way Way `json:"door"`
	// Credential is the log-in of the device file that served as the control,
	// empty if there is none.
	Credential declaration.Name `json:"credential"`
	Before     Answer           `json:"login_before"`
	Anonymous  []Answer         `json:"anonymous"` // two, and a third where these differ
	Random     []Answer         `json:"random"`    // likewise, each a pair of its own
	After      Answer           `json:"login_after"`
}

// Way, Answer, Outcome, Version and Reason are those of all MQTT probes.
type (
	Way     = mqttdoor.Door
	Answer  = mqttdoor.Answer
	Outcome = mqttdoor.Outcome
	Version = mqttdoor.Version
	Reason  = mqttdoor.Reason
	Path    = mqttdoor.Path
	Upgrade = mqttdoor.Upgrade
)

// The versions.
const (
	V311 = mqttdoor.V311
	V5   = mqttdoor.V5
)

// The outcomes of a try.
const (
	NotTried   = mqttdoor.NotTried
	Accepted   = mqttdoor.Accepted
	Refused    = mqttdoor.Refused
	OtherCode  = mqttdoor.OtherCode
	Closed     = mqttdoor.Closed
	Declined   = mqttdoor.Declined
	Silent     = mqttdoor.Silent
	Malformed  = mqttdoor.Malformed
	TLSRefused = mqttdoor.TLSRefused
)

// Why a try did not take place.
const (
	NoCredential  = mqttdoor.NoCredential
	BudgetSpent   = mqttdoor.BudgetSpent
	RefusedBefore = mqttdoor.RefusedBefore
	NotNeeded     = mqttdoor.NotNeeded
)

// Standing returns what the doors showed of a log-in of the device file: an
// account that one of them refused is never tried again.
func (e Evidence) Standing(credential string) mqttdoor.Standing {
	standing := mqttdoor.Untold
	for _, d := range e.Doors {
		if string(d.Credential) != credential {
			continue
		}
		for _, a := range []Answer{d.Before, d.After} {
			switch {
			case a.Outcome == Refused:
				return mqttdoor.Spoilt
			case a.Outcome == Accepted:
				standing = mqttdoor.Proven
			}
		}
	}
	return standing
}

// Count returns how many of the answers had one of the outcomes.
func Count(answers []Answer, outcomes ...Outcome) int {
	n := 0
	for _, a := range answers {
		for _, o := range outcomes {
			if a.Outcome == o {
				n++
			}
		}
	}
	return n
}

// Served reports whether the control was let in before and after: only then is
// a connection that was hung up in between a refusal.
func (d Door) Served() bool { return d.Before.Outcome == Accepted && d.After.Outcome == Accepted }
