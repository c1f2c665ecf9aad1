// Package coapwrite finds out who can change a resource of a CoAP server. It
// writes values that the manufacturer declared as harmless, to resources where
// it did so, and puts back what was there.
package coapwrite

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
)

// Evidence holds one entry for each resource that may be written for a test, in
// the order of the device file.
type Evidence struct {
	Resources []Resource `json:"resources"`
}

// Resource is one that may be written.
type Resource struct {
	Path evidence.Bytes `json:"path"`
	// Skipped says why nothing was written, empty if something was.
	Skipped Reason `json:"skipped"`
	// Original is what stood there at first, whole.
	Original evidence.Bytes `json:"original"`
	Format   int            `json:"format"` // its Content-Format, -1 without one
	// ReadBy is who reads it, and at which door.
	ReadBy Actor `json:"read_by"`
	// Controls are writes by the holder of the log-in, before and after all
	// attempts.
	Controls []Attempt `json:"controls"`
	// Attempts are writes by a stranger, two at each door, and a third where
	// these differ.
	Attempts []Attempt `json:"attempts"`
	// Restored says whether the original stood there in the end.
	Restored evidence.Tri   `json:"restored"`
	Last     evidence.Bytes `json:"last"` // what stood there when it was read last
}

// Reason says why nothing was written.
type Reason string

// The reasons.
const (
	Written    Reason = ""
	NotYet     Reason = "not_yet"    // the run ended before
	Unreadable Reason = "unreadable" // what stands there could not be read, so it could not be put back
	TooLong    Reason = "too_long"   // nor if it is longer than is kept
	HasSecret  Reason = "secret"     // nor if it must not be kept
	Changing   Reason = "changing"   // two readings differ: what is there changes by itself
)

// Actor is who does something, and at which door.
type Actor struct {
	Door       coapdoor.Door    `json:"door"`
	Reader     coapread.Reader  `json:"reader"`
	Credential declaration.Name `json:"credential"` // empty for a stranger
}

// Attempt is one write.
type Attempt struct {
	Actor Actor             `json:"actor"`
	Entry coapdoor.Answer   `json:"entry"`
	Value evidence.Bytes    `json:"value"` // what was written
	Put   coapdoor.Exchange `json:"put"`
	// Post was sent where PUT is not allowed (4.05).
	Post coapdoor.Exchange `json:"post"`
	// ReadBack are two readings after it, and Changed says whether both show
	// the value that was written.
	ReadBack []coapdoor.Exchange `json:"read_back"`
	Changed  evidence.Tri        `json:"changed"`
	// Restored says whether the original stood there afterwards, put back if
	// need be by who is named.
	Restored   evidence.Tri `json:"restored"`
	RestoredBy Actor        `json:"restored_by"`
}
