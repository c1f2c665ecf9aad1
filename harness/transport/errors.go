package transport

import "errors"

// What Dial and a Conn return when something other than the device is the
// cause, to which Did gives no act; ErrSelf alone speaks of the device.
var (
	// ErrScope refuses an address that this run must not touch.
	ErrScope = errors.New("the address is outside the scope of this run")
	// ErrBudget says that the run may not spend any more of something.
	ErrBudget = errors.New("the budget of this run is spent")
	// ErrTooMuch ends an exchange in which more came than one may hold.
	ErrTooMuch = errors.New("more was received than one exchange may hold")
	// ErrWaited says that the ctx of Dial ended before the pace or another
	// connection left a turn.
	ErrWaited = errors.New("no turn came in time")
	// ErrUnresponsive stops the run: the device bears it no longer.
	ErrUnresponsive = errors.New("device became unresponsive")
	// ErrSelf is what dialing returns when the system connected a port to
	// itself, as it may on loopback. Nothing listens there.
	ErrSelf = errors.New("the connection leads to itself")
)
