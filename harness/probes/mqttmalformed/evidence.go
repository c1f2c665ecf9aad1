// Package mqttmalformed sends a fixed list of malformed packets to MQTT brokers
// and looks whether they go on serving others.
package mqttmalformed

import (
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/comeback"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
)

// Evidence holds one entry for each MQTT listener, in the order of services.
type Evidence struct {
	Corpus    int        `json:"corpus"` // version of the list of packets
	Listeners []Listener `json:"listeners"`
}

// Listener is how one listener took the packets.
type Listener struct {
	Addr netip.AddrPort `json:"addr"`
	TLS  evidence.Tri   `json:"tls"`
	// Control is what was asked before the first packet and after each one.
	Control Control         `json:"control"`
	Before  mqttdoor.Answer `json:"before"` // the control before the first packet
	After   mqttdoor.Answer `json:"after"`  // and at the end
	Packets []Packet        `json:"packets"`
	Witness Witness         `json:"witness"`
	// Looks are what was seen where the control did not come back in time.
	// There are none where it always did.
	Looks []Look `json:"looks"`
}

// Control is the good exchange that shows that the broker still serves.
type Control string

// The controls.
const (
	NoControl Control = "none"      // nothing was answered from the start
	LogIn     Control = "log_in"    // a declared log-in is let in
	Anonymous Control = "anonymous" // a CONNECT without credentials is answered by any CONNACK
)

// Packet is one of the list.
type Packet struct {
	Name     Name             `json:"name"`
	Version  mqttdoor.Version `json:"version"` // of the connection that it was sent on
	Sent     Sent             `json:"sent"`
	Reaction Reaction         `json:"reaction"`
	// Back is how long after the reaction the control was good again.
	Back time.Duration `json:"back_ns"`
	Span evidence.Span `json:"span"` // of what the broker answered
}

// Name is the name of a packet.
type Name = comeback.Name

// Sent says whether a packet was sent.
type Sent string

// Whether a packet was sent.
const (
	Whole     Sent = "sent"
	NotSent   Sent = "not_sent"          // the listener took no connection, or the run of packets was over
	NotLetIn  Sent = "not_let_in"        // it follows a good CONNECT, and none was accepted
	NoVersion Sent = "version_not_known" // it follows a CONNECT of a version that the broker does not know
	NoBudget  Sent = "budget_spent"      // it counts as a log-in, of which none was left
)

// Reaction is what the broker did at once.
type Reaction string

// The reactions.
const (
	None     Reaction = ""
	Answered Reaction = "answered" // with anything
	Closed   Reaction = "closed"
	Ignored  Reaction = "ignored" // nothing came for a moment
)

// Witness is a session that was held open by pings while the packets were sent.
type Witness struct {
	Connection mqttdoor.Answer `json:"connection"`
	// Held says whether the session that was opened first answered at the end.
	Held  evidence.Tri `json:"held"`
	Drops []Drop       `json:"drops"`
}

// Drop is the end of a session that the broker should have kept. Another one
// took its place.
type Drop struct {
	After Name          `json:"after"` // the packet before it
	Span  evidence.Span `json:"span"`  // of all that the session received
}

// Look is one in which the control was asked again and again.
type Look = comeback.Look
