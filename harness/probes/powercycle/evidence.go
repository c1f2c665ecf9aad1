// Package powercycle cuts a device's power and looks whether it comes back as
// it was.
package powercycle

import (
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
)

// Evidence is how a device was before its power was cut and after it was given
// back. What was not reached is empty.
type Evidence struct {
	Before []Look `json:"before"` // two
	Off    Off    `json:"off"`
	Back   Back   `json:"back"`
	After  []Look `json:"after"` // two
	// Opened are ports that accepted a connection afterwards and not before,
	// in order.
	Opened []Opened `json:"opened"`
	Tried  int      `json:"tried"` // ports looked at for that, of 65,535 of each address
}

// Look is one look at every port that was open when the run began.
type Look struct {
	Endpoints []Endpoint `json:"endpoints"` // in the order of tcp-ports
}

// Endpoint is how one port showed itself.
type Endpoint struct {
	Addr    netip.AddrPort `json:"addr"`
	Accepts evidence.Tri   `json:"accepts"`
	// Certificate is the SHA-256 of what the port presented first, empty where
	// TLS is not spoken or was not completed.
	Certificate evidence.Digest `json:"certificate"`
	Doors       []Door          `json:"mqtt_doors"` // none where MQTT is not spoken
}

// Door is whom one door of an MQTT broker let in.
type Door struct {
	Way       mqttdoor.Door   `json:"door"`
	Anonymous mqttdoor.Answer `json:"anonymous"`
	Random    mqttdoor.Answer `json:"random"` // a user and a password that nobody has
}

// Off is whether the device was seen to be off.
type Off struct {
	Quiet    int              `json:"quiet"`    // looks in a row, of 2, in which no port answered
	Answered []netip.AddrPort `json:"answered"` // in the last look
	Waited   time.Duration    `json:"waited_ns"`
}

// Back is whether all ports that accepted before did so again.
type Back struct {
	All    evidence.Tri     `json:"all"`
	Waited time.Duration    `json:"waited_ns"` // since the power was given back
	Gone   []netip.AddrPort `json:"gone"`      // ports that did not, in each of the last two looks
}

// Opened is a port that was not open before.
type Opened struct {
	Addr netip.AddrPort `json:"addr"`
	Seen int            `json:"seen"` // looks in which it was, of 2
}
