// Package credentials tries log-ins that devices are known to leave the factory
// with, as few as the account can bear.
package credentials

import (
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
)

// Evidence holds one entry for each door of an MQTT broker, in the order of
// services.
type Evidence struct {
	List    ListName `json:"list"`
	Version int      `json:"version"` // of the list
	Listed  int      `json:"listed"`  // pairs for MQTT that it holds
	Doors   []Door   `json:"mqtt_doors"`
}

// ListName is the name of a list of pairs.
type ListName string

// Defaults is the list that comes with the program.
const Defaults ListName = "defaults"

// Door is how one door took the pairs. Between the first control and the last
// one, everything took place on fresh connections in this order.
type Door struct {
	Way mqttdoor.Door `json:"door"`
	// Credential is the declared log-in that served as the control, empty if
	// there is none.
	Credential declaration.Name  `json:"credential"`
	Before     mqttdoor.Answer   `json:"login_before"`
	Anonymous  mqttdoor.Answer   `json:"anonymous"`
	Random     []mqttdoor.Answer `json:"random"` // two pairs that nobody has, and a third where these differ
	Tries      []Try             `json:"tries"`  // in the order of the list
	Stopped    Stop              `json:"stopped"`
	After      mqttdoor.Answer   `json:"login_after"`
}

// Try is how one pair of the list was taken.
type Try struct {
	Place int      `json:"place"` // in the list, from 1
	User  UserName `json:"user"`
	// First is the answer, that of the second try where the first one was
	// lost; Again the one of a second, fresh try of a pair that was accepted.
	First mqttdoor.Answer `json:"first"`
	Again mqttdoor.Answer `json:"again"`
	Lost  int             `json:"lost"` // tries that were not answered as a log-in is
}

// UserName is a user of the list, which holds nothing that is secret.
type UserName string

// Stop says why a door was tried no further.
type Stop string

// Why no further pair was tried.
const (
	GoneThrough  Stop = "" // all were
	LetsAllIn    Stop = "anonymous_accepted"
	TakesAnyPair Stop = "random_accepted"
	NoVersion    Stop = "version_not_known" // the broker does not speak this version
	NoAnswer     Stop = "no_answer"         // nobody was answered as a client is
	Locks        Stop = "locked"            // it says that it turns us away for trying
	ControlLost  Stop = "control_lost"      // the declared log-in is no longer let in
	Slower       Stop = "slower"            // it takes longer and longer to refuse
)
