// Package coapmalformed sends a fixed list of malformed messages to CoAP servers
// and looks whether they go on serving others.
package coapmalformed

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/comeback"
)

// The words of CoAP servers and of what is sent, for those who read the evidence.
type (
	Way     = coapdoor.Door
	Outcome = coapdoor.Outcome
	Look    = comeback.Look
	Name    = comeback.Name
)

// Evidence holds one entry for each door that coap-read visited, in its order.
type Evidence struct {
	Corpus int    `json:"corpus"` // version of the list of messages
	Doors  []Door `json:"doors"`
}

// Door is how one door took the messages.
type Door struct {
	Way Way `json:"way"`
	// Control is what was asked before the first message and after each one.
	Control  Control   `json:"control"`
	Before   Outcome   `json:"before"` // of the control before the first message
	After    Outcome   `json:"after"`  // and at the end
	Corpus   int       `json:"corpus"` // messages that exist for this kind of door
	Messages []Message `json:"messages"`
	Witness  Witness   `json:"witness"`
	// Looks are what was seen where the control did not come back in time.
	// There are none where it always did.
	Looks []Look `json:"looks"`
}

// Control is the good exchange that shows that the server still serves.
type Control string

// The controls.
const (
	NoControl Control = "none"    // nothing was answered from the start
	Listing   Control = "listing" // a GET of /.well-known/core brings any response
	Ping      Control = "ping"    // an empty message is rejected
)

// Message is one of the list.
type Message struct {
	Name     Name     `json:"name"`
	Sent     Sent     `json:"sent"`
	Reaction Reaction `json:"reaction"`
	// Back is how long after the reaction the control was good again.
	Back time.Duration `json:"back_ns"`
	Span evidence.Span `json:"span"` // of what the server answered
}

// Sent says whether a message was sent.
type Sent string

// Whether a message was sent.
const (
	Whole   Sent = "sent"
	NotSent Sent = "not_sent" // the door was not opened
)

// Reaction is what the server did at once.
type Reaction string

// The reactions.
const (
	None     Reaction = ""
	Answered Reaction = "answered" // with anything
	Closed   Reaction = "closed"
	Ignored  Reaction = "ignored" // nothing came for a moment, which is right
)

// Witness is what shows that the server did not start again meanwhile.
type Witness struct {
	Kind WitnessKind    `json:"kind"`
	Path evidence.Bytes `json:"path"` // of the resource that is observed, or counts
	// Held says whether the session that was opened first still answered at the
	// end, the observation still brought something, or the counter went on.
	Held  evidence.Tri `json:"held"`
	Drops []Drop       `json:"drops"`
}

// WitnessKind says what a witness is.
type WitnessKind string

// The kinds.
const (
	NoWitness WitnessKind = "none"
	// Idle is a session over TCP, or inside DTLS, on which nothing bad is sent.
	Idle WitnessKind = "session"
	// Counter is a resource that says how long the server has been running, or
	// how often it started.
	Counter WitnessKind = "counter"
	// Observed is an observation of a resource that sends by itself.
	Observed WitnessKind = "observation"
)

// Drop is the end of a session that the server should have kept, or a counter
// that began anew.
type Drop struct {
	After Name          `json:"after"` // the message before it
	Span  evidence.Span `json:"span"`
}
