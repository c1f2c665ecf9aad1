// Package coapread finds out what a CoAP server tells a stranger and the holder
// of the declared log-in: it reads the listing and asks for every resource at
// every door. It writes nothing.
package coapread

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest"
)

// Evidence holds what each reader was told at each door.
type Evidence struct {
	Patterns int `json:"secret_patterns"` // version of the set by which secrets were recognised
	// Resources are what is asked for: the listing itself, then what the device
	// file declares, then what the listings name, each once. Every reader asks
	// every door for all of them.
	Resources []Resource `json:"resources"`
	// Web are the HTTP listeners that were asked for CoAP over WebSocket.
	Web    []Web   `json:"web"`
	Visits []Visit `json:"visits"` // door by door, the stranger before the holder
}

// Found is a secret in a payload.
type Found = coapguest.Found

// Core is the path of the listing (RFC 6690).
const Core = "/.well-known/core"

// Resource is one that is asked for.
type Resource struct {
	Path     evidence.Bytes `json:"path"` // absolute, with query
	Declared evidence.Tri   `json:"declared"`
	Listed   evidence.Tri   `json:"listed"` // by whatever door, to whomever
	// Observable says whether a listing marks it so.
	Observable evidence.Tri   `json:"observable"`
	Type       evidence.Bytes `json:"rt"`
}

// Web is how an HTTP listener took a client of CoAP over WebSocket. Only where
// it was opened there is a visit.
type Web struct {
	Door  Door   `json:"door"`
	Entry Answer `json:"entry"`
}

// Reader is who reads.
type Reader string

// The readers. The holder has the log-in that the device file names for the
// server; it reads at doors inside DTLS alone, as no other takes a log-in.
const (
	Stranger Reader = "stranger"
	Holder   Reader = "holder"
)

// Visit is what one reader was told at one door.
type Visit struct {
	Door       Door             `json:"door"`
	Reader     Reader           `json:"reader"`
	Credential declaration.Name `json:"credential"` // empty for a stranger
	Listing    Listing          `json:"listing"`    // as it was read in the first round, before all else
	// Rounds are two fresh exchanges, or one where a reader was met with
	// silence, or a log-in was of no use. In each of them all readers ask for one
	// resource, one after the other, before any asks for the next one.
	Rounds []Round `json:"rounds"`
}

// Round is one exchange of a visit.
type Round struct {
	Entry Answer `json:"entry"` // how the door took the reader at first
	// Reads are in the order of the resources, one for each. There is none
	// where the reader was not let in, and fewer where time ran out.
	Reads []Read `json:"reads"`
	// Before and After are empty messages, which every server answers, around
	// all reads. After is not sent where nothing was answered.
	Before Exchange `json:"control_before"`
	After  Exchange `json:"control_after"`
}

// Listing is how the listing was read.
type Listing struct {
	Exchange Exchange     `json:"exchange"` // without its payload
	Parsed   evidence.Tri `json:"parsed"`   // whether all of it could be read
	Links    int          `json:"links"`    // on the device itself
	Outside  int          `json:"outside"`  // that lead elsewhere, which nobody follows
	LwM2M    evidence.Tri `json:"lwm2m"`
}

// Read is how a resource was read.
type Read struct {
	// Get is read to the end, but for the listing. Over UDP it asked for an
	// acknowledgement. Of its payload the first 256 bytes are kept, secrets as
	// stars.
	Get    Asked `json:"get"`
	Length int   `json:"length_bytes"` // of the whole payload
	// Non asked without wanting an acknowledgement, of a stranger over UDP in
	// clear alone, for the first answer only and without keeping its payload.
	Non Asked `json:"non"`
	// Secrets are those in the payload, in order, at most 16.
	Secrets []Found `json:"secrets"`
	// Named counts names of secrets in the payload, whatever stands there.
	Named int `json:"named"`
}

// Tells reports whether a response brought something.
func (r Read) Tells() bool { return r.Get.Exchange.Success() && r.Length > 0 }

// Standing says what this probe learned of a declared log-in, for those that
// come after it.
func (e Evidence) Standing(id string) coapdoor.Standing {
	standing := coapdoor.Untold
	for _, v := range e.Visits {
		if v.Reader != Holder || string(v.Credential) != id {
			continue
		}
		for _, r := range v.Rounds {
			switch {
			case r.Entry.Outcome == coapdoor.Refused:
				return coapdoor.Spoilt
			case r.Entry.Outcome == coapdoor.Opened:
				standing = coapdoor.Proven
			}
		}
	}
	return standing
}

// Doors returns the doors that were visited, each once, in order.
func (e Evidence) Doors() []Door {
	var doors []Door
	for _, v := range e.Visits {
		if v.Reader == Stranger {
			doors = append(doors, v.Door)
		}
	}
	return doors
}
