// Package mqttread finds out what an MQTT broker tells those whom it lets in: a
// stranger, the holder of a log-in, and who may read everything.
package mqttread

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
)

// Evidence holds the readings door by door, in the order of mqtt-connect, and at
// each door in the order of the readers below.
type Evidence struct {
	Patterns int       `json:"secret_patterns"` // version of the set by which secrets were recognised
	Readings []Reading `json:"readings"`
}

// Reading is what one reader was told at one door.
type Reading struct {
	Way    Way    `json:"door"`
	Reader Reader `json:"reader"`
	// Credential is the log-in of the device file that was used, empty for a
	// stranger.
	Credential declaration.Name `json:"credential"`
	// Looks are fresh exchanges: one, and a second where the first brought a
	// message.
	Looks []Look `json:"looks"`
}

// Way and Answer are those of all MQTT probes.
type (
	Way    = mqttdoor.Door
	Answer = mqttdoor.Answer
)

// Reader is who reads.
type Reader string

// The readers. A log-in that may read everything is one that the device file
// declares as such; a member has any other.
const (
	Stranger Reader = "stranger"
	Member   Reader = "member"
	ReadsAll Reader = "reads_all"
)

// Look is one exchange. It takes more than one connection where the broker hangs
// up on a subscription: the filters after it are then asked for anew.
type Look struct {
	Connection    Answer         `json:"connection"`    // the first one
	Subscriptions []Subscription `json:"subscriptions"` // "#", "+/#" and "$SYS/#"
	// Waited is how long messages were waited for after the last subscription.
	Waited time.Duration `json:"waited_ns"`
	// RetainedRead says whether every retained message was read that "#"
	// selects: it was granted, nothing more came for a while, and pings before
	// and after that were answered.
	RetainedRead evidence.Tri `json:"retained_read"`
	Ended        Ending       `json:"ended"`
	Received     int          `json:"received"` // messages, repeated ones included
	Retained     int          `json:"retained"` // different messages that the broker had kept
	// Messages are different ones in the order in which they came: the first 64
	// and, beyond, at most 64 with secrets or with clients in them. Unkept
	// counts the others.
	Messages []Message `json:"messages"`
	Unkept   int       `json:"unkept"`
}

// Filter is a topic filter.
type Filter string

// The filters, in the order in which they are asked for. The first two select
// no topic that begins with "$".
const (
	All   Filter = "#"
	Below Filter = "+/#"
	Sys   Filter = "$SYS/#"
)

// Subscription is how the broker took a SUBSCRIBE.
type Subscription struct {
	Filter Filter        `json:"filter"`
	Grant  Grant         `json:"grant"`
	Code   int           `json:"code"` // of the SUBACK, -1 without one
	Span   evidence.Span `json:"span"`
}

// Grant is how a subscription was taken.
type Grant string

// How a subscription was taken.
const (
	NotAsked  Grant = "not_asked" // there was no connection on which to ask
	Granted   Grant = "granted"
	Refused   Grant = "refused"
	HungUp    Grant = "closed"
	NoAnswer  Grant = "silent"
	Malformed Grant = "malformed"
)

// Ending is how a look ended.
type Ending string

// The endings. Only after Left does it mean anything that nothing came.
const (
	NotLetIn Ending = "not_let_in"
	Left     Ending = "left"      // we said good-bye
	Cut      Ending = "closed"    // the broker hung up
	Mute     Ending = "silent"    // the broker no longer answered
	Babble   Ending = "malformed" // what came was no MQTT
	TooMuch  Ending = "too_much"  // more came than one exchange may hold
)

// Message is one that the broker sent.
type Message struct {
	Topic    evidence.Bytes `json:"topic"`
	Payload  evidence.Bytes `json:"payload"` // the first 1024 bytes, secrets as stars
	Length   int            `json:"length_bytes"`
	Retained evidence.Tri   `json:"retained"`
	Times    int            `json:"times"` // in this look
	// Secrets are those in the payload, in order, at most 16.
	Secrets []Found `json:"secrets"`
	// Named counts names of secrets in the payload, whatever stands there.
	Named int           `json:"named"`
	About []About       `json:"about"` // what it says of the broker, if its topic is below $SYS
	Span  evidence.Span `json:"span"`
}

// Found is a secret in a payload.
type Found struct {
	Name   evidence.Bytes  `json:"name"` // under which it stood; empty if it speaks for itself
	Secret evidence.Secret `json:"secret"`
}

// About is what a message below $SYS is about.
type About string

// What it is about, in the order in which it is listed.
const (
	ClientID    About = "client_id"
	UserName    About = "user_name"
	PeerAddress About = "peer_address"
	Version     About = "version"
	Counter     About = "counter"
	SomeOther   About = "other"
)

// NamesClients reports whether m tells of clients of the broker.
func (m Message) NamesClients() bool {
	for _, a := range m.About {
		if a == ClientID || a == UserName || a == PeerAddress {
			return true
		}
	}
	return false
}

// Of returns how a filter was taken.
func (l Look) Of(f Filter) Subscription {
	for _, s := range l.Subscriptions {
		if s.Filter == f {
			return s
		}
	}
	return Subscription{Filter: f, Grant: NotAsked, Code: -1}
}

// Again reports whether another look brought a message that same holds for.
func (r Reading) Again(look int, same func(Message) bool) bool {
	for i, l := range r.Looks {
		for _, m := range l.Messages {
			if i != look && same(m) {
				return true
			}
		}
	}
	return false
}
