// Package coapobserve finds out to whom a CoAP server sends notifications (RFC
// 7641). Every registration is given back.
package coapobserve

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
)

// Evidence holds one entry for each reader at each door, in the order of
// coap-read.
type Evidence struct {
	Visits []Visit `json:"visits"`
}

// Visit is what one reader could observe at one door.
type Visit struct {
	Door       coapdoor.Door    `json:"door"`
	Reader     coapread.Reader  `json:"reader"`
	Credential declaration.Name `json:"credential"` // empty for a stranger
	// Rounds are two fresh exchanges, in which all readers wait at the same
	// time.
	Rounds []Round `json:"rounds"`
}

// Round is one exchange.
type Round struct {
	Entry     coapdoor.Answer `json:"entry"`
	Resources []Watched       `json:"resources"` // those that are declared or marked as observable
}

// Watched is what came of one registration.
type Watched struct {
	Path     evidence.Bytes    `json:"path"`
	Register coapdoor.Exchange `json:"register"` // its payload is not kept
	// Registered says whether the answer carried the Observe option.
	Registered evidence.Tri `json:"registered"`
	// Notifications counts what came after the first answer, until it was
	// given back; First is the first of them, without its payload.
	Notifications int                   `json:"notifications"`
	First         coapdoor.Notification `json:"first"`
	Waited        time.Duration         `json:"waited_ns"` // for the first notification
	Cancel        coapdoor.Exchange     `json:"cancel"`
}
