package mqttwire

// Packet is what a Frame decodes to: a ConnAck, Publish, Ack, SubAck,
// UnsubAck, PingResp, Disconnect or Auth.
type Packet interface {
	Type() Type
}

// Decode reads the frame as a packet that a server sent in this version. Its
// only error is a *MalformedError; a type that only clients send is one too.
func (f Frame) Decode(v Version) (Packet, error) {
	d := decoder{typ: f.Type, rest: f.Body}
	if f.Type != PUBLISH && f.Flags != f.Type.flags() {
		return nil, malformed(f.Type, "flags of the fixed header are 0x%x", f.Flags)
	}
	p := d.packet(v, f.Flags)
	d.end()
	if d.err != nil {
		return nil, d.err
	}
	return p, nil
}

func (d *decoder) packet(v Version, flags byte) Packet {
	switch d.typ {
	case CONNACK:
		return d.connAck(v)
	case PUBLISH:
		return d.publish(v, flags)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		return d.ack(v)
	case SUBACK:
		return d.subAck(v)
	case UNSUBACK:
		return d.unsubAck(v)
	case PINGRESP:
		return PingResp{}
	}
	return d.packet5(v)
}

// packet5 decodes what servers send in MQTT 5 only.
func (d *decoder) packet5(v Version) Packet {
	switch {
	case v == V5 && d.typ == DISCONNECT:
		return d.disconnect(v)
	case v == V5 && d.typ == AUTH:
		return d.auth(v)
	}
	d.fail("no server sends it in MQTT %s", v)
	return nil
}
