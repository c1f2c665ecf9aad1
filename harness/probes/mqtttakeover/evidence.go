// Package mqtttakeover finds out whether a stranger can drop the session of an
// MQTT client by using its client identifier. The only session that it drops is
// its own.
package mqtttakeover

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
	// A and B are two log-ins of the device file, empty where there are not
	// as many.
	A declaration.Name `json:"a"`
	B declaration.Name `json:"b"`
	// Rounds have a client identifier of their own each. There is one where
	// nobody but A took the session over, two where somebody did, and a third
	// where these differ. There is none without A.
	Rounds []Round `json:"rounds"`
}

// Round is one in which A held a session and others came with its client
// identifier, one after the other. Where A's session was dropped, A came back
// before the next one.
type Round struct {
	A mqttdoor.Answer `json:"a"` // of the first session
	// BElsewhere is how B was let in with an identifier of its own.
	BElsewhere mqttdoor.Answer `json:"b_elsewhere"`
	B          Attempt         `json:"b"`
	Random     Attempt         `json:"random"` // a user and a password that nobody has
	Anonymous  Attempt         `json:"anonymous"`
	Own        Attempt         `json:"own"` // A itself, whom a broker has to let take over
}

// Attempt is how one client with A's identifier was taken.
type Attempt struct {
	Connection mqttdoor.Answer `json:"connection"`
	// Held says whether A's session, which answered a ping just before,
	// answered one just after. No is a session that was ended.
	Held evidence.Tri  `json:"held"`
	Span evidence.Span `json:"span"` // of all that A's session received
}
