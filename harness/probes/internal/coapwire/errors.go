package coapwire

import (
	"errors"
	"fmt"
)

// ErrMalformed is what every error about bytes that came wraps.
var ErrMalformed = errors.New("malformed CoAP")

// Fault is what is wrong with a message.
type Fault string

// The faults.
const (
	Truncated       Fault = "it ends in the middle of the header, the token or an option"
	TooLarge        Fault = "it is larger than any message may be"
	OtherVersion    Fault = "its version is not 1"
	TokenLength     Fault = "its token is longer than 8 bytes"
	ReservedCode    Fault = "its code is of a class that nobody may use here"
	NotEmpty        Fault = "an empty message has a token, options or payload"
	WrongType       Fault = "its type and its code do not go together"
	ReservedNibble  Fault = "an option has a reserved length or delta"
	OptionNumber    Fault = "an option has a number above 65535"
	OptionLength    Fault = "an option is longer than any option may be"
	TooManyOptions  Fault = "it has more options than any message needs"
	EmptyPayload    Fault = "nothing follows the mark of the payload"
	FrameLength     Fault = "a message inside WebSocket announces a length"
	UnsortedOptions Fault = "its options are not in order" // to be sent only
)

// MalformedError is a message that is none.
type MalformedError struct {
	Fault  Fault
	Offset int // of what is wrong, in bytes
}

// Error says what is wrong, and where.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("malformed CoAP: %s (byte %d)", e.Fault, e.Offset)
}

// Unwrap makes errors.Is find ErrMalformed.
func (e *MalformedError) Unwrap() error { return ErrMalformed }

func wrong(f Fault, offset int) error { return &MalformedError{f, offset} }
