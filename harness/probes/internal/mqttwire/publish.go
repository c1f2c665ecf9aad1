package mqttwire

import (
	"errors"
	"fmt"
	"strings"
)

// Publish is a PUBLISH, sent or received.
type Publish struct {
	Dup        bool
	QoS        byte
	Retain     bool
	Topic      string // empty only where a topic alias stands for it
	PacketID   uint16 // not at QoS 0
	Properties Properties
	Payload    []byte
}

// Type returns PUBLISH.
func (Publish) Type() Type { return PUBLISH }

// Encode returns the packet.
func (p Publish) Encode(v Version) ([]byte, error) {
	var e encoder
	if p.QoS > 2 {
		e.fail(fmt.Errorf("QoS is %d", p.QoS))
	}
	if why := badTopic(p.Topic); why != "" {
		e.fail(errors.New(why))
	}
	e.text("topic name", p.Topic)
	if p.QoS > 0 {
		e.packetID(p.PacketID)
	}
	e.versioned(v, PUBLISH, p.Properties)
	e.bytes = append(e.bytes, p.Payload...)
	return e.packet(PUBLISH, p.flags())
}

func (p Publish) flags() byte {
	f := p.QoS << 1
	if p.Dup {
		f |= 0x08
	}
	if p.Retain {
		f |= 0x01
	}
	return f
}

// badTopic says why s is no topic name, or nothing.
func badTopic(s string) string {
	switch {
	case s == "":
		return "topic name is empty"
	case strings.ContainsAny(s, "+#"):
		return "topic name holds a wildcard"
	}
	return ""
}

func (d *decoder) publish(v Version, flags byte) Publish {
	p := Publish{Dup: flags&0x08 != 0, QoS: flags >> 1 & 3, Retain: flags&0x01 != 0}
	switch {
	case p.QoS == 3:
		d.fail("QoS is 3")
	case p.QoS == 0 && p.Dup:
		d.fail("DUP at QoS 0")
	}
	p.Topic = d.text("topic name")
	if p.QoS > 0 {
		p.PacketID = d.packetID()
	}
	if v == V5 {
		p.Properties = d.properties()
	}
	d.topics(p)
	p.Payload, d.rest = d.rest, nil
	return p
}

// topics applies the rules for topic names. Only an alias lets one be empty.
func (d *decoder) topics(p Publish) {
	_, alias := p.Properties.Number(TopicAlias)
	if why := badTopic(p.Topic); why != "" && (p.Topic != "" || !alias) {
		d.fail("%s", why)
	}
	if response, ok := p.Properties.Text(ResponseTopic); ok && badTopic(response) != "" {
		d.fail("response topic is empty or holds a wildcard")
	}
}
