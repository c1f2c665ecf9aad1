// Package capture records the frames of a device from before the first probe
// until after the last.
package capture

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// Evidence says what the capture in the bundle holds and what it may lack.
type Evidence struct {
	Vantage   Vantage   `json:"vantage"`
	Interface Interface `json:"interface"`
	Started   time.Time `json:"started"` // UTC; nothing before it is in the capture
	Ended     time.Time `json:"ended"`   // UTC
	// Frames are all that were kept. Payloads of the run's own connections
	// are not among it.
	Frames evidence.Frames `json:"frames"`
	// FromDevice counts the frames that an address of the device sent, those
	// of our own connections included.
	FromDevice int64 `json:"from_device"`
	Own        int64 `json:"own"`     // frames of the run's own connections
	Dropped    int64 `json:"dropped"` // frames that the system lost
	// Doubled counts the second copies of frames that loopback shows, which
	// were left out.
	Doubled int64 `json:"doubled"`
}

// Interface is the name of a network interface of this machine.
type Interface string

// Vantage is where a capture was taken.
type Vantage string

// The vantages. Only from Bench and Mirror all is seen that a device sends.
const (
	Bench   Vantage = "bench"   // the device's only link leads through the interface
	Mirror  Vantage = "mirror"  // a switch copies all frames of the device to it
	Host    Vantage = "host"    // loopback of the machine that runs the device
	Unknown Vantage = "unknown" // a switched port, perhaps: broadcast and our own traffic
)

// Placed is a probe.Capture whose vantage the operator stated.
type Placed interface {
	Vantage() Vantage
}
