package mqttwire

import "slices"

// Code is a reason code of MQTT 5, or a return code of MQTT 3.1.1.
type Code byte

// Return codes of an MQTT 3.1.1 CONNACK.
const (
	ConnectionAccepted          Code = 0
	UnacceptableProtocolVersion Code = 1
	IdentifierRejected          Code = 2
	ServerUnavailable           Code = 3
	BadUserNameOrPassword311    Code = 4
	NotAuthorized311            Code = 5
)

// SubscribeFailure is the return code of an MQTT 3.1.1 SUBACK for a filter
// that was not granted.
const SubscribeFailure Code = 0x80

// Reason codes of MQTT 5 by which probes tell things apart: MQTT 5, 2.4. The
// others are decoded as well.
const (
	Success                    Code = 0x00
	GrantedQoS1                Code = 0x01
	GrantedQoS2                Code = 0x02
	NoMatchingSubscribers      Code = 0x10
	NoSubscriptionExisted      Code = 0x11
	MalformedPacket            Code = 0x81
	ProtocolError              Code = 0x82
	UnsupportedProtocolVersion Code = 0x84
	ClientIdentifierNotValid   Code = 0x85
	BadUserNameOrPassword      Code = 0x86
	NotAuthorized              Code = 0x87
	ServerUnavailable5         Code = 0x88
	Banned                     Code = 0x8a
	SessionTakenOver           Code = 0x8e
	PacketIdentifierNotFound   Code = 0x92
	QuotaExceeded              Code = 0x97
	ConnectionRateExceeded     Code = 0x9f
)

// Failed reports whether a reason code of MQTT 5 says that the operation
// failed. It holds for an MQTT 3.1.1 SUBACK as well, not for its CONNACK.
func (c Code) Failed() bool { return c >= 0x80 }

// codes5 holds the reason codes that a server may send, by packet. Normal
// disconnection is among those of DISCONNECT, because 2.4 allows it.
var codes5 = map[Type][]Code{
	CONNACK: {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c,
		0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f},
	PUBACK:   {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	PUBREC:   {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
	PUBREL:   {0x00, 0x92},
	PUBCOMP:  {0x00, 0x92},
	SUBACK:   {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2},
	UNSUBACK: {0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91},
	DISCONNECT: {0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94,
		0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2},
	AUTH: {0x00, 0x18},
}

// codes311 holds the return codes of MQTT 3.1.1, by packet.
var codes311 = map[Type][]Code{
	CONNACK: {0, 1, 2, 3, 4, 5},
	SUBACK:  {0x00, 0x01, 0x02, 0x80},
}

// Listed reports whether the standard lets a server send the code in a packet
// of this type.
func (c Code) Listed(v Version, t Type) bool {
	if v == V311 {
		return slices.Contains(codes311[t], c)
	}
	return slices.Contains(codes5[t], c)
}

// code takes a reason or return code. One that is not listed is refused where
// it answers what we asked for. In a PUBACK, PUBREC, PUBREL, PUBCOMP or
// DISCONNECT it is kept: brokers in use acknowledge with the QoS for a code,
// and failure is told from success by the upper bit alone.
func (d *decoder) code(v Version) Code {
	c := Code(d.byte("reason code"))
	if d.err == nil && !c.Listed(v, d.typ) && !d.anyCode() {
		d.fail("code 0x%02x has no place in it", byte(c))
	}
	return c
}

func (d *decoder) anyCode() bool { return d.typ >= PUBACK && d.typ <= PUBCOMP || d.typ == DISCONNECT }
