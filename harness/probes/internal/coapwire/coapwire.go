// Package coapwire writes and reads CoAP as a probe needs it: over UDP (RFC
// 7252), over TCP and WebSocket (RFC 8323), and the listing of resources (RFC
// 6690). What it reads is hostile, so that everything is capped, and an error
// says what is wrong with what came. Nothing is ever put right in passing.
package coapwire

import (
	"fmt"
	"strings"
)

// Version is that of CoAP in every datagram (RFC 7252, 3).
const Version = 1

// Caps of what is read and written.
const (
	MaxToken   = 8        // bytes (RFC 7252, 3)
	MaxMessage = 64 << 10 // bytes of a whole message, over whatever transport
	MaxOptions = 64       // options of one message: few have ten
	MaxValue   = 1034     // bytes of an option: Proxy-Uri, the longest, has at most 1034
)

// Type is the kind of a datagram. TCP has none.
type Type uint8

// The types (RFC 7252, 3).
const (
	Confirmable     Type = 0
	NonConfirmable  Type = 1
	Acknowledgement Type = 2
	Reset           Type = 3
)

var typeNames = [...]string{"CON", "NON", "ACK", "RST"}

// String names the type.
func (t Type) String() string { return typeNames[t&3] }

// Code says what is asked or answered: a class of three bits and a detail of
// five.
type Code uint8

// The codes that a probe sends, or looks for (RFC 7252, 12.1; 7959, 8132, 8323).
const (
	Empty  Code = 0
	GET    Code = 1
	POST   Code = 2
	PUT    Code = 3
	DELETE Code = 4
	FETCH  Code = 5

	Created  Code = 2<<5 | 1
	Deleted  Code = 2<<5 | 2
	Valid    Code = 2<<5 | 3
	Changed  Code = 2<<5 | 4
	Content  Code = 2<<5 | 5
	Continue Code = 2<<5 | 31

	BadRequest         Code = 4 << 5
	Unauthorized       Code = 4<<5 | 1
	BadOption          Code = 4<<5 | 2
	Forbidden          Code = 4<<5 | 3
	NotFound           Code = 4<<5 | 4
	MethodNotAllowed   Code = 4<<5 | 5
	NotAcceptable      Code = 4<<5 | 6
	Incomplete         Code = 4<<5 | 8
	PreconditionFailed Code = 4<<5 | 12
	EntityTooLarge     Code = 4<<5 | 13
	UnsupportedFormat  Code = 4<<5 | 15

	InternalError  Code = 5 << 5
	NotImplemented Code = 5<<5 | 1

	CSM     Code = 7<<5 | 1
	Ping    Code = 7<<5 | 2
	Pong    Code = 7<<5 | 3
	Release Code = 7<<5 | 4
	Abort   Code = 7<<5 | 5
)

// Class is the first part of a code: 0 asks, 2, 4 and 5 answer, 7 signals.
func (c Code) Class() int { return int(c >> 5) }

// Detail is the second part.
func (c Code) Detail() int { return int(c & 0x1f) }

// String writes the code as the standards do, such as 2.05.
func (c Code) String() string { return fmt.Sprintf("%d.%02d", c.Class(), c.Detail()) }

// Request reports whether the code asks for something.
func (c Code) Request() bool { return c.Class() == 0 && c != Empty }

// Response reports whether the code answers.
func (c Code) Response() bool { return c.Class() == 2 || c.Class() == 4 || c.Class() == 5 }

// Signal reports whether the code is about the connection (RFC 8323, 5).
func (c Code) Signal() bool { return c.Class() == 7 }

// A Message is one of CoAP. Type and ID mean nothing over TCP and WebSocket.
type Message struct {
	Type    Type
	Code    Code
	ID      uint16
	Token   []byte
	Options []Option // by number, ascending; those of one number in their order
	Payload []byte   // nil and empty are the same: there is no empty payload
}

// String says what the message is, without anything of its content that the
// other side chose.
func (m Message) String() string {
	return fmt.Sprintf("%s %s, %d options, %d bytes of payload", m.Type, m.Code, len(m.Options), len(m.Payload))
}

// Path returns the path that the message asks for, beginning with a slash.
func (m Message) Path() string {
	var path strings.Builder
	for _, o := range m.Options {
		if o.Number == URIPath {
			path.WriteByte('/')
			path.Write(o.Value)
		}
	}
	if path.Len() == 0 {
		return "/"
	}
	return path.String()
}
