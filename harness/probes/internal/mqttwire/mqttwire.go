// Package mqttwire is the client's half of MQTT 3.1.1 and MQTT 5 on the wire,
// made for brokers that are not to be trusted. It encodes what a client sends,
// decodes strictly what a broker sends, and never sets memory aside for bytes
// that have not arrived. It opens no connection, reads no clock and starts no
// goroutine: the caller hands in the connection and sets its deadline.
//
// Names are those of the standard: OASIS MQTT Version 3.1.1 and Version 5.0.
// Every string in a decoded packet is the broker's own and not fit to be shown
// as it is.
package mqttwire

import "fmt"

// Version is the protocol level that a CONNECT names.
type Version byte

// The versions that are spoken here.
const (
	V311 Version = 4 // MQTT 3.1.1
	V5   Version = 5 // MQTT 5
)

// String returns the name of the version as people write it.
func (v Version) String() string {
	switch v {
	case V311:
		return "3.1.1"
	case V5:
		return "5"
	}
	return fmt.Sprintf("level %d", byte(v))
}

// Type is the type of a control packet, the upper half of its first byte.
type Type byte

// The types of control packets: MQTT 5, 2.1.2.
const (
	CONNECT     Type = 1
	CONNACK     Type = 2
	PUBLISH     Type = 3
	PUBACK      Type = 4
	PUBREC      Type = 5
	PUBREL      Type = 6
	PUBCOMP     Type = 7
	SUBSCRIBE   Type = 8
	SUBACK      Type = 9
	UNSUBSCRIBE Type = 10
	UNSUBACK    Type = 11
	PINGREQ     Type = 12
	PINGRESP    Type = 13
	DISCONNECT  Type = 14
	AUTH        Type = 15 // MQTT 5 only
)

var typeNames = [16]string{
	"reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String returns the name that the standard gives the type.
func (t Type) String() string { return typeNames[t&0x0f] }

// flags returns the lower half of the first byte that every packet of the
// type must have; PUBLISH alone has flags that vary.
func (t Type) flags() byte {
	switch t {
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE:
		return 0x02
	}
	return 0
}

// Span is a stretch of bytes in a packet or in one direction of a connection.
// The zero Span is empty.
type Span struct {
	Offset int64
	Length int64
}

// Limits bound what one connection may make us read. A zero field means its
// default.
type Limits struct {
	PacketBytes int // a packet, fixed header included: DefaultPacketBytes
	TotalBytes  int // all that is received: DefaultTotalBytes
	Packets     int // packets received in a Session: DefaultPackets
}

// Limits that hold unless others are given.
const (
	// DefaultPacketBytes bounds one packet. The large public MQTT services
	// take messages of 128 to 256 KiB at most; a small device sends far less.
	DefaultPacketBytes = 256 << 10

	// DefaultTotalBytes bounds one connection, as every exchange of a probe
	// is bounded.
	DefaultTotalBytes = 1 << 20

	// DefaultPackets bounds the packets of one Session, each of which may
	// make it answer. A megabyte holds half a million of the shortest ones.
	DefaultPackets = 4096
)

func (l Limits) orDefault() Limits {
	if l.PacketBytes <= 0 {
		l.PacketBytes = DefaultPacketBytes
	}
	if l.TotalBytes <= 0 {
		l.TotalBytes = DefaultTotalBytes
	}
	if l.Packets <= 0 {
		l.Packets = DefaultPackets
	}
	return l
}
