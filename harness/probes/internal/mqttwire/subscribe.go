package mqttwire

import (
	"errors"
	"fmt"
)

// Filter is one topic filter of a SUBSCRIBE with its options.
type Filter struct {
	Topic             string
	QoS               byte
	NoLocal           bool // MQTT 5 only, as are the two below
	RetainAsPublished bool
	RetainHandling    byte // 0 send retained messages, 1 if new, 2 never
}

// Subscribe is a SUBSCRIBE.
type Subscribe struct {
	PacketID   uint16
	Filters    []Filter
	Properties Properties // MQTT 5 only
}

// Encode returns the packet.
func (s Subscribe) Encode(v Version) ([]byte, error) {
	var e encoder
	if len(s.Filters) == 0 {
		e.fail(errors.New("no topic filter"))
	}
	e.packetID(s.PacketID)
	e.versioned(v, SUBSCRIBE, s.Properties)
	for _, f := range s.Filters {
		e.filter(f.Topic)
		e.byte(e.options(v, f))
	}
	return e.packet(SUBSCRIBE, SUBSCRIBE.flags())
}

func (e *encoder) filter(topic string) {
	if topic == "" {
		e.fail(errors.New("topic filter is empty"))
	}
	e.text("topic filter", topic)
}

func (e *encoder) options(v Version, f Filter) byte {
	if f.QoS > 2 || f.RetainHandling > 2 {
		e.fail(fmt.Errorf("filter %q: QoS %d, retain handling %d", f.Topic, f.QoS, f.RetainHandling))
	}
	b := f.QoS | f.RetainHandling<<4
	if f.NoLocal {
		b |= 0x04
	}
	if f.RetainAsPublished {
		b |= 0x08
	}
	if v == V311 && b != f.QoS {
		e.fail(fmt.Errorf("filter %q: subscription options in MQTT 3.1.1", f.Topic))
	}
	return b
}

// Unsubscribe is an UNSUBSCRIBE.
type Unsubscribe struct {
	PacketID   uint16
	Topics     []string
	Properties Properties // MQTT 5 only
}

// Encode returns the packet.
func (u Unsubscribe) Encode(v Version) ([]byte, error) {
	var e encoder
	if len(u.Topics) == 0 {
		e.fail(errors.New("no topic filter"))
	}
	e.packetID(u.PacketID)
	e.versioned(v, UNSUBSCRIBE, u.Properties)
	for _, t := range u.Topics {
		e.filter(t)
	}
	return e.packet(UNSUBSCRIBE, UNSUBSCRIBE.flags())
}

// SubAck is a broker's answer to a SUBSCRIBE: one code a filter, in the order
// of the filters.
type SubAck struct {
	PacketID   uint16
	Properties Properties
	Codes      []Code // the granted QoS, or a failure
}

// Type returns SUBACK.
func (SubAck) Type() Type { return SUBACK }

// UnsubAck is a broker's answer to an UNSUBSCRIBE.
type UnsubAck struct {
	PacketID   uint16
	Properties Properties
	Codes      []Code // one a filter in MQTT 5, none in MQTT 3.1.1
}

// Type returns UNSUBACK.
func (UnsubAck) Type() Type { return UNSUBACK }

func (d *decoder) subAck(v Version) SubAck {
	s := SubAck{PacketID: d.packetID()}
	if v == V5 {
		s.Properties = d.properties()
	}
	s.Codes = d.codes(v)
	return s
}

func (d *decoder) unsubAck(v Version) UnsubAck {
	u := UnsubAck{PacketID: d.packetID()}
	if v == V5 {
		u.Properties = d.properties()
		u.Codes = d.codes(v)
	}
	return u
}

// codes takes the codes of a payload, of which there is at least one.
func (d *decoder) codes(v Version) []Code {
	list := []Code{d.code(v)}
	for d.err == nil && len(d.rest) > 0 {
		list = append(list, d.code(v))
	}
	return list
}
