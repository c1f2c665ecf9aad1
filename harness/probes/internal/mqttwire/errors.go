package mqttwire

import (
	"errors"
	"fmt"
)

// What errors of this package are, for errors.Is.
var (
	// ErrMalformed is what every *MalformedError is.
	ErrMalformed = errors.New("not as the standard has it")

	// ErrTooLarge is what every *TooLargeError is.
	ErrTooLarge = errors.New("larger than we read")

	// ErrNotConnected is returned by a Session that no CONNACK has accepted,
	// or that was ended.
	ErrNotConnected = errors.New("session is not connected")
)

// MalformedError says in which way a packet of the broker breaks the standard.
// Its text is ours; it holds nothing that the broker sent but numbers.
type MalformedError struct {
	Type   Type
	Reason string
}

// Error returns the packet's type and the reason.
func (e *MalformedError) Error() string { return fmt.Sprintf("malformed %s: %s", e.Type, e.Reason) }

// Is reports whether target is ErrMalformed.
func (e *MalformedError) Is(target error) bool { return target == ErrMalformed }

func malformed(t Type, format string, args ...any) error {
	return &MalformedError{t, fmt.Sprintf(format, args...)}
}

// What a TooLargeError is about.
const (
	LargePacket  = "packet"  // one packet, in bytes, as its fixed header says
	LargeTotal   = "total"   // all that was received, in bytes
	LargePackets = "packets" // the number of packets
)

// TooLargeError says which limit a broker went over.
type TooLargeError struct {
	What  string // LargePacket, LargeTotal or LargePackets
	Size  int    // what was announced or would have been reached
	Limit int
}

// Error returns the limit and by what it was passed.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s of %d is over the limit of %d", e.What, e.Size, e.Limit)
}

// Is reports whether target is ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// UnexpectedError says that a packet, well formed in itself, came where the
// standard has no place for it.
type UnexpectedError struct {
	Got  Type
	Want Type // what was waited for; zero outside a handshake
}

// Error returns what came and what was waited for.
func (e *UnexpectedError) Error() string {
	if e.Want == 0 {
		return fmt.Sprintf("unexpected %s", e.Got)
	}
	return fmt.Sprintf("unexpected %s instead of %s", e.Got, e.Want)
}

// DisconnectedError says that the broker ended the session in MQTT's own
// words.
type DisconnectedError struct {
	Disconnect Disconnect
}

// Error returns the reason code.
func (e *DisconnectedError) Error() string {
	return fmt.Sprintf("the broker disconnected with reason code 0x%02x", byte(e.Disconnect.Code))
}
