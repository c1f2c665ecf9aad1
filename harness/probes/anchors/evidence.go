// Package anchors records which certificates count as trusted in a run, and
// who says so. Checks never look at the roots of the machine that judges.
package anchors

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// Evidence holds the anchors of --trust, then those of the device file, each in
// the order given.
type Evidence struct {
	Anchors []Anchor          `json:"anchors"`
	Roots   Roots             `json:"roots"`
	Pins    []evidence.Digest `json:"pins"` // SHA-256 of certificates, as the device file has them
	// TestCA is the manufacturer's test CA, whose key signs what the harness
	// shows to a device that it plays a server for.
	TestCA TestCA `json:"test_ca"`
}

// Roots are the public authorities that the program of the run brought along,
// which nobody has to name. They are kept whole, not by name and hash: a later
// program brings another set, and whoever judges must need nothing but the
// record. A record of version 1 has none, which is count 0.
type Roots struct {
	Name   Text            `json:"name"`
	Date   time.Time       `json:"date"` // on which the set was published
	Count  int             `json:"count"`
	SHA256 evidence.Digest `json:"sha256"` // of DER
	// DER is one certificate behind the other. One field for all takes a third
	// less room than a list, and every bundle carries it.
	DER evidence.Bytes `json:"der"`
}

// Text is in our own words.
type Text string

// Anchor is a certificate that is to be trusted.
type Anchor struct {
	Source      Source          `json:"source"`
	Subject     evidence.Bytes  `json:"subject"` // as RFC 2253 writes it; whoever made the certificate chose it
	SHA256      evidence.Digest `json:"sha256"`  // of the certificate
	NotAfter    time.Time       `json:"not_after"`
	Certificate evidence.Bytes  `json:"certificate"` // DER
}

// Source says who named an anchor.
type Source string

// The sources.
const (
	Operator   Source = "operator"    // --trust
	DeviceFile Source = "device-file" // trust.anchors
)

// TestCA says whether a maker's test CA is at hand. Its key is never recorded.
type TestCA struct {
	Key    evidence.Tri    `json:"key"`    // whether its key was given
	SHA256 evidence.Digest `json:"sha256"` // of its certificate, or empty
}
