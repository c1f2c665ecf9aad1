package mqttwire

import (
	"fmt"
	"math"
	"slices"
)

// PropertyID is the identifier of an MQTT 5 property.
type PropertyID byte

// The properties outside a will: MQTT 5, 2.2.2.2.
const (
	PayloadFormatIndicator          PropertyID = 0x01
	MessageExpiryInterval           PropertyID = 0x02
	ContentType                     PropertyID = 0x03
	ResponseTopic                   PropertyID = 0x08
	CorrelationData                 PropertyID = 0x09
	SubscriptionIdentifier          PropertyID = 0x0b
	SessionExpiryInterval           PropertyID = 0x11
	AssignedClientIdentifier        PropertyID = 0x12
	ServerKeepAlive                 PropertyID = 0x13
	AuthenticationMethod            PropertyID = 0x15
	AuthenticationData              PropertyID = 0x16
	RequestProblemInformation       PropertyID = 0x17
	RequestResponseInformation      PropertyID = 0x19
	ResponseInformation             PropertyID = 0x1a
	ServerReference                 PropertyID = 0x1c
	ReasonString                    PropertyID = 0x1f
	ReceiveMaximum                  PropertyID = 0x21
	TopicAliasMaximum               PropertyID = 0x22
	TopicAlias                      PropertyID = 0x23
	MaximumQoS                      PropertyID = 0x24
	RetainAvailable                 PropertyID = 0x25
	UserProperty                    PropertyID = 0x26
	MaximumPacketSize               PropertyID = 0x27
	WildcardSubscriptionAvailable   PropertyID = 0x28
	SubscriptionIdentifierAvailable PropertyID = 0x29
	SharedSubscriptionAvailable     PropertyID = 0x2a
)

// Property is one MQTT 5 property.
type Property struct {
	ID     PropertyID
	Number uint32 // of a property that holds a number
	Text   string // of one that holds a string or binary data; a user property's value
	Name   string // a user property's name
}

// Properties are the properties of one packet, in the order on the wire.
type Properties []Property

// Number returns the number that a property holds, if it is there.
func (p Properties) Number(id PropertyID) (uint32, bool) {
	i := p.index(id)
	if i < 0 {
		return 0, false
	}
	return p[i].Number, true
}

// Text returns the string or binary data that a property holds, if it is
// there.
func (p Properties) Text(id PropertyID) (string, bool) {
	i := p.index(id)
	if i < 0 {
		return "", false
	}
	return p[i].Text, true
}

// User returns the user properties, which may share names.
func (p Properties) User() []Property {
	return slices.DeleteFunc(slices.Clone(p), func(q Property) bool { return q.ID != UserProperty })
}

func (p Properties) index(id PropertyID) int {
	return slices.IndexFunc(p, func(q Property) bool { return q.ID == id })
}

// kind is how the value of a property is written: numbers first, up to
// variable.
type kind byte

const (
	oneByte kind = iota
	twoBytes
	fourBytes
	variable
	utf8String
	binaryData
	stringPair
)

// rule is what the standard says of one property: MQTT 5, 2.2.2.2 and the
// clauses of the packets.
type rule struct {
	kind   kind
	in     []Type // packets in which it may stand
	min    uint32 // of a number
	max    uint32
	repeat Type // the packet in which it may stand more than once
}

var (
	acks      = []Type{PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK}
	anywhere  = append([]Type{CONNECT, CONNACK, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH}, acks...)
	explained = append([]Type{CONNACK, DISCONNECT, AUTH}, acks...)
)

var rules = map[PropertyID]rule{
	PayloadFormatIndicator:          {kind: oneByte, in: []Type{PUBLISH}, max: 1},
	MessageExpiryInterval:           {kind: fourBytes, in: []Type{PUBLISH}, max: math.MaxUint32},
	ContentType:                     {kind: utf8String, in: []Type{PUBLISH}},
	ResponseTopic:                   {kind: utf8String, in: []Type{PUBLISH}},
	CorrelationData:                 {kind: binaryData, in: []Type{PUBLISH}},
	SubscriptionIdentifier:          {kind: variable, in: []Type{PUBLISH, SUBSCRIBE}, min: 1, max: maxVarint, repeat: PUBLISH},
	SessionExpiryInterval:           {kind: fourBytes, in: []Type{CONNECT, CONNACK, DISCONNECT}, max: math.MaxUint32},
	AssignedClientIdentifier:        {kind: utf8String, in: []Type{CONNACK}},
	ServerKeepAlive:                 {kind: twoBytes, in: []Type{CONNACK}, max: math.MaxUint16},
	AuthenticationMethod:            {kind: utf8String, in: []Type{CONNECT, CONNACK, AUTH}},
	AuthenticationData:              {kind: binaryData, in: []Type{CONNECT, CONNACK, AUTH}},
	RequestProblemInformation:       {kind: oneByte, in: []Type{CONNECT}, max: 1},
	RequestResponseInformation:      {kind: oneByte, in: []Type{CONNECT}, max: 1},
	ResponseInformation:             {kind: utf8String, in: []Type{CONNACK}},
	ServerReference:                 {kind: utf8String, in: []Type{CONNACK, DISCONNECT}},
	ReasonString:                    {kind: utf8String, in: explained},
	ReceiveMaximum:                  {kind: twoBytes, in: []Type{CONNECT, CONNACK}, min: 1, max: math.MaxUint16},
	TopicAliasMaximum:               {kind: twoBytes, in: []Type{CONNECT, CONNACK}, max: math.MaxUint16},
	TopicAlias:                      {kind: twoBytes, in: []Type{PUBLISH}, min: 1, max: math.MaxUint16},
	MaximumQoS:                      {kind: oneByte, in: []Type{CONNACK}, max: 1},
	RetainAvailable:                 {kind: oneByte, in: []Type{CONNACK}, max: 1},
	UserProperty:                    {kind: stringPair, in: anywhere},
	MaximumPacketSize:               {kind: fourBytes, in: []Type{CONNECT, CONNACK}, min: 1, max: math.MaxUint32},
	WildcardSubscriptionAvailable:   {kind: oneByte, in: []Type{CONNACK}, max: 1},
	SubscriptionIdentifierAvailable: {kind: oneByte, in: []Type{CONNACK}, max: 1},
	SharedSubscriptionAvailable:     {kind: oneByte, in: []Type{CONNACK}, max: 1},
}

// repeats reports whether a property may stand twice in a packet.
func (r rule) repeats(t Type) bool { return r.kind == stringPair || r.repeat == t }

// properties adds a property length and the properties of a packet.
func (e *encoder) properties(t Type, list Properties) {
	var inner encoder
	for i, p := range list {
		r, ok := rules[p.ID]
		switch {
		case !ok || !slices.Contains(r.in, t):
			inner.fail(fmt.Errorf("property 0x%02x has no place in it", byte(p.ID)))
		case list.index(p.ID) < i && !r.repeats(t):
			inner.fail(fmt.Errorf("property 0x%02x stands twice", byte(p.ID)))
		default:
			inner.property(r, p)
		}
	}
	if inner.err != nil {
		e.fail(inner.err)
	}
	e.bytes = append(appendVarint(e.bytes, len(inner.bytes)), inner.bytes...)
}

func (e *encoder) property(r rule, p Property) {
	e.byte(byte(p.ID))
	if r.kind <= variable && (p.Number < r.min || p.Number > r.max) {
		e.fail(fmt.Errorf("property 0x%02x is %d, not %d to %d", byte(p.ID), p.Number, r.min, r.max))
	}
	switch r.kind {
	case oneByte:
		e.byte(byte(p.Number))
	case twoBytes:
		e.uint16(uint16(p.Number))
	case fourBytes:
		e.uint32(p.Number)
	case variable:
		e.bytes = appendVarint(e.bytes, int(p.Number))
	case binaryData:
		e.field("property", p.Text)
	case stringPair:
		e.text("name of a user property", p.Name)
		e.text("value of a user property", p.Text)
	default:
		e.text("property", p.Text)
	}
}

// properties takes a property length and the properties that it covers.
func (d *decoder) properties() Properties {
	inner := decoder{typ: d.typ, rest: d.take("properties", d.varint("property length"))}
	var list Properties
	var seen [256]bool
	for len(inner.rest) > 0 && d.err == nil {
		id := inner.varint("property identifier")
		r, ok := rules[PropertyID(id)]
		switch {
		case inner.err != nil:
		case id > math.MaxUint8 || !ok:
			inner.fail("property 0x%02x is not known", id)
		case !slices.Contains(r.in, d.typ):
			inner.fail("property 0x%02x has no place in it", id)
		case seen[id] && !r.repeats(d.typ):
			inner.fail("property 0x%02x stands twice", id)
		default:
			seen[id] = true
			list = append(list, inner.property(PropertyID(id), r))
		}
	}
	if inner.err != nil && d.err == nil {
		d.err, d.rest = inner.err, nil
	}
	if d.err != nil {
		return nil
	}
	return list
}

func (d *decoder) property(id PropertyID, r rule) Property {
	p := Property{ID: id}
	name := fmt.Sprintf("property 0x%02x", byte(id))
	switch r.kind {
	case oneByte:
		p.Number = uint32(d.byte(name))
	case twoBytes:
		p.Number = uint32(d.uint16(name))
	case fourBytes:
		p.Number = d.uint32(name)
	case variable:
		p.Number = uint32(d.varint(name))
	case binaryData:
		p.Text = d.field(name)
	case stringPair:
		p.Name = d.text(name + " name")
		p.Text = d.text(name + " value")
	default:
		p.Text = d.text(name)
	}
	if d.err == nil && r.kind <= variable && (p.Number < r.min || p.Number > r.max) {
		d.fail("%s is %d, not %d to %d", name, p.Number, r.min, r.max)
	}
	return p
}
