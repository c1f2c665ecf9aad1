// Package mqttpublish finds out whom a message of an MQTT broker reaches: it
// sends canaries, which are messages of our own below topics that the
// manufacturer set aside for tests, and looks who receives them.
package mqttpublish

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
)

// Evidence holds one entry for each door of a broker, in the order of services.
type Evidence struct {
	Doors []Doorway `json:"doors"`
}

// Doorway is what took place at one door.
type Doorway struct {
	Door mqttdoor.Door `json:"door"`
	// A and B are the first two identities of the device file that have a
	// log-in and a place for canaries; empty where there are not as many.
	A declaration.Name `json:"a"`
	B declaration.Name `json:"b"`
	// Exchanges are two fresh ones, and a third where these differ. There is
	// none without A and B.
	Exchanges []Exchange `json:"exchanges"`
}

// Exchange is one in which A and B, each subscribed to a topic of its own,
// published to these, and others listened.
type Exchange struct {
	B Client `json:"b"`
	A Client `json:"a"`
	// ReaderA is another client of A, subscribed to everything, Stranger one
	// without credentials, who publishes as well.
	ReaderA  Reader `json:"wildcard_a"`
	Stranger Reader `json:"wildcard_anonymous"`

	// The canaries, in the order in which they were sent. Arrived speaks of
	// the subscriber that the topic belongs to.
	BToB        Canary `json:"b_to_b"`
	AToA        Canary `json:"a_to_a"`
	AToB        Canary `json:"a_to_b"`
	StrangerToB Canary `json:"anonymous_to_b"`
	BToBAgain   Canary `json:"b_to_b_again"`
}

// Held reports whether every message arrived that had to: only then does it
// mean anything that another one did not.
func (e Exchange) Held() bool {
	return e.BToB.Arrived == evidence.Yes && e.AToA.Arrived == evidence.Yes && e.BToBAgain.Arrived == evidence.Yes
}

// Client is how an identity was let in and could subscribe to its own topic.
type Client struct {
	Connection mqttdoor.Answer `json:"connection"`
	Own        Grant           `json:"own_topic"`
}

// Reader is a client that subscribed to everything.
type Reader struct {
	Connection mqttdoor.Answer `json:"connection"`
	Own        Grant           `json:"own_topic"` // not asked of a stranger, who has none
	All        Grant           `json:"all"`       // the filter "#"
	Below      Grant           `json:"below"`     // the filter "+/#"
	// Alive says whether it was there until the end: it received A's canary
	// if it is A's, and answered a ping.
	Alive evidence.Tri `json:"alive"`
	// HeardB says whether it received what B published. No is said only if it
	// was alive and the canaries that had to arrive did.
	HeardB evidence.Tri `json:"heard_b"`
	Heard  []Topic      `json:"heard"` // in the order of the first message, at most 64
	Count  int          `json:"count"` // messages in all
}

// Topic is what came in under one topic. What the messages said is not kept.
type Topic struct {
	Name     evidence.Bytes `json:"name"`
	Count    int            `json:"count"`
	Retained evidence.Tri   `json:"retained"` // whether the first one had been kept by the broker
	Span     evidence.Span  `json:"span"`     // of the first one
}

// Canary is one message of ours. None is retained.
type Canary struct {
	Sent    Sent          `json:"sent"`
	Code    int           `json:"code"` // of the acknowledgement in version 5, else -1
	Arrived evidence.Tri  `json:"arrived"`
	Span    evidence.Span `json:"span"` // of the message as it arrived, else of the acknowledgement
}

// Sent is how the broker took a message. An acknowledgement is no delivery.
type Sent string

// How a message was taken.
const (
	NotSent      Sent = "not_sent"
	Acknowledged Sent = "acknowledged"
	Turned       Sent = "refused" // acknowledged with a failure
	HungUp       Sent = "closed"
	NoAnswer     Sent = "silent"
	Babble       Sent = "malformed"
)

// Grant is how the broker took a subscription.
type Grant string

// How a subscription was taken.
const (
	NotAsked Grant = "not_asked"
	Granted  Grant = "granted"
	Refused  Grant = "refused"
	Closed   Grant = "closed" // it hung up
	Silent   Grant = "silent"
	Unclear  Grant = "malformed"
)
