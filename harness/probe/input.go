package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/transport"
)

// Effect is the most that a probe does to the device.
type Effect int

// The effects, the gentlest first.
const (
	Passive    Effect = iota // listens, or reads what we were given
	Active                   // sends what any client could send
	Intrusive                // tries listed credentials, writes, or sends malformed input
	Disruptive               // may restart the device or change what it stores
)

// Effects names the effects in their order.
var effects = [...]string{"passive", "active", "intrusive", "disruptive"}

// String returns the effect's name.
func (e Effect) String() string { return effects[e] }

// ParseEffect returns the effect that has the name s.
func ParseEffect(s string) (Effect, error) {
	for i, name := range effects {
		if name == s {
			return Effect(i), nil
		}
	}
	return Passive, fmt.Errorf("effect %q is none of %q", s, effects)
}

// Kind says when a probe runs. The zero value is no kind at all.
type Kind int

// The kinds, in the order in which they begin.
const (
	Watch     Kind = iota + 1 // from before the first probe until after the last
	Run                       // once, in its turn
	Procedure                 // after every Run, one at a time
)

// A Target is one unit and how it may be approached.
type Target struct {
	Unit  string
	Addrs []netip.Addr
	Ports []uint16 // ascending
	Pace  transport.Pace
	// PerSecond is the most new connections a second, 0 for no limit.
	PerSecond int
	// Open is the number of open TCP endpoints, or the most that probes look
	// at (MaxOpen) as long as it is not known.
	Open int
	// Known are endpoints that the declaration or the operator named, at most
	// MaxOpen, for watches, which begin before any port is looked at.
	Known []netip.AddrPort
	// UDP are the ports that are asked over UDP, ascending: those that the
	// declaration or the operator named, and the standard ones.
	UDP []uint16
	// Second is another address of ours from which the device may be asked,
	// the zero value if there is none.
	Second netip.Addr
	// Exclude are endpoints that belong to the host that runs an emulated
	// device, not to the device.
	Exclude []netip.AddrPort
	// Roles are servers at addresses of this machine that the device was set to
	// connect to, for watches that play them.
	Roles []Role
}

// A Role is a server that the harness plays for a device.
type Role struct {
	Name       string // such as "lwm2m-server", as an endpoint is called
	URI        string // as it was declared
	Addr       netip.AddrPort
	Credential string        // ID of the log-in that the device shows, or empty
	Retry      time.Duration // after which the device tries again, 0 if not known
}

// MaxOpen bounds how many open TCP endpoints of a unit are looked into. A
// device that opens more is a trap for scanners; what is left out is named as
// missing.
const MaxOpen = 32

// Endpoints returns the TCP endpoints of t, address by address.
func (t Target) Endpoints() []netip.AddrPort {
	var all []netip.AddrPort
	for _, a := range t.Addrs {
		for _, p := range t.Ports {
			all = append(all, netip.AddrPortFrom(a, p))
		}
	}
	return all
}

// Input is all that a probe may use.
type Input struct {
	Target   Target
	Net      transport.Dialer
	Bench    Bench // nil where a device cannot connect to us
	Logins   Logins
	Journal  Journal
	Operator Operator      // nil if nobody is there
	Evidence evidence.View // of the probes in Needs
	Capture  Capture       // opens the capture member; nil where there is no right to capture
	Given    *Given        // for passive probes only, nil for all others
	Declared []Credential  // which log-ins the device file names, without secrets
	// Stop ends the run, with the reason, for a watch that sees that going on
	// makes no sense: the device was swapped, or has stopped answering.
	Stop func(error)
	// Mask overwrites every secret of the run in what a device sent, before it
	// goes on record; nil if the run has none.
	Mask func([]byte)
	// Resume is what a procedure had journalled before the run was killed.
	Resume Progress
}

// Given is what the operator handed in, for passive probes to put on record.
type Given struct {
	Device  *device.File // nil if only an address was given
	Anchors [][]byte     // PEM blocks of --trust
	Now     time.Time    // start of collection, UTC
	Clock   ClockSource
}

// ClockSource says how good the clock of the machine is.
type ClockSource struct {
	Name  string        // "synchronised", "unsynchronised", "stated" or "unknown"
	Error time.Duration // estimated, 0 if not known
}

// A Login is a user and a password, used and never recorded.
type Login struct{ ID, User, Password string }

// Logins finds the credentials that the device file gives for a service.
type Logins interface {
	For(service string) []Login
	// List returns the listed default pairs for a service, vendor's first.
	List(service string) []Login
}

// A Credential is a log-in without its secret.
type Credential struct{ ID, Service, User string }

// A Journal keeps what a procedure is about to do and what it has done.
type Journal interface {
	// Before returns once the line is on disk.
	Before(unit, probe, step string) error
	// Done keeps the evidence as it stands after a step.
	Done(unit, probe, step string, evidence json.RawMessage) error
	// Undone notes that a step was put back.
	Undone(unit, probe, step string) error
}

// Progress is how far a procedure came before the run was killed. The zero
// value is a procedure that has not begun.
type Progress struct {
	Begun    []string // steps that were announced
	Finished []string // of these, the ones that were done
	Undone   []string // of these, the ones that were put back
	Evidence json.RawMessage
}

// An Operator is who, or what, can act on the device by hand during a run: a
// person at the terminal, or the lab that runs an emulated device.
type Operator interface {
	// Power switches the device's power off or on and returns once that is
	// done. To switch on what is on changes nothing.
	Power(ctx context.Context, on bool) error
}

// A Bench is where the unit under test connects to of its own accord.
type Bench interface {
	// ListenUDP hears what the unit, and nobody else, sends to an address of this
	// machine, from at most peers ports. Lane tells apart what one port sends in
	// several protocols. That the address is none of ours is an error.
	ListenUDP(ctx context.Context, local netip.AddrPort, peers int, lane func(datagram []byte) int) (transport.Listener, error)
}

// A Capture opens what a capture is written to.
type Capture interface {
	// Interface is the network interface that leads to the device.
	Interface() string
	// Create opens the capture member of the bundle.
	Create() (evidence.Member, WriteCloser, error)
	// Ours reports whether a local port belongs to a connection of the run.
	Ours(local, remote netip.AddrPort) bool
	// Mask overwrites every secret of the run in b.
	Mask(b []byte)
}

// WriteCloser is io.WriteCloser.
type WriteCloser interface {
	Write([]byte) (int, error)
	Close() error
}

// Partial is the error of a probe that saw less than it was asked to see. The
// evidence that comes with it is kept, and can prove a fail but never a pass.
type Partial struct {
	Missing []string // what was not seen, in our own words
	Cause   error
}

// Error says what is missing and why.
func (p *Partial) Error() string {
	return fmt.Sprintf("not seen: %s: %v", strings.Join(p.Missing, ", "), p.Cause)
}

// Unwrap returns the cause.
func (p *Partial) Unwrap() error { return p.Cause }

func isPartial(err error) bool {
	_, ok := errors.AsType[*Partial](err)
	return ok
}
