package mqttwire

import "errors"

// Ack is a PUBACK, PUBREC, PUBREL or PUBCOMP, sent or received.
type Ack struct {
	Kind       Type
	PacketID   uint16
	Code       Code       // MQTT 5 only, as are the properties
	Properties Properties // MQTT 5 only
}

// Type returns the kind.
func (a Ack) Type() Type { return a.Kind }

// Encode returns the packet, in its shortest form.
func (a Ack) Encode(v Version) ([]byte, error) {
	var e encoder
	if a.Kind < PUBACK || a.Kind > PUBCOMP {
		e.fail(errors.New("it acknowledges no PUBLISH"))
	}
	e.packetID(a.PacketID)
	e.reason(v, a.Kind, a.Code, a.Properties)
	return e.packet(a.Kind, a.Kind.flags())
}

// reason adds a reason code and properties, and leaves out what says nothing.
func (e *encoder) reason(v Version, t Type, c Code, p Properties) {
	if v == V311 && (c != 0 || len(p) > 0) {
		e.fail(errors.New("reason code or properties in MQTT 3.1.1"))
	}
	if c != 0 || len(p) > 0 {
		e.byte(byte(c))
	}
	if len(p) > 0 {
		e.properties(t, p)
	}
}

// ack decodes a packet whose reason code and properties may be left out from
// the end: MQTT 5, 3.4.2.1.
func (d *decoder) ack(v Version) Ack {
	a := Ack{Kind: d.typ, PacketID: d.packetID()}
	if v == V5 && len(d.rest) > 0 {
		a.Code = d.code(v)
		a.Properties = d.optional()
	}
	return a
}

// optional takes properties that may be left out with their length.
func (d *decoder) optional() Properties {
	if len(d.rest) == 0 {
		return nil
	}
	return d.properties()
}

// EncodePingReq returns a PINGREQ.
func EncodePingReq() []byte { return []byte{byte(PINGREQ) << 4, 0} }

// PingResp is a broker's answer to a PINGREQ.
type PingResp struct{}

// Type returns PINGRESP.
func (PingResp) Type() Type { return PINGRESP }

// Disconnect is a DISCONNECT, sent or, in MQTT 5, received.
type Disconnect struct {
	Code       Code
	Properties Properties
}

// Type returns DISCONNECT.
func (Disconnect) Type() Type { return DISCONNECT }

// Encode returns the packet, in its shortest form.
func (c Disconnect) Encode(v Version) ([]byte, error) {
	var e encoder
	e.reason(v, DISCONNECT, c.Code, c.Properties)
	return e.packet(DISCONNECT, 0)
}

func (d *decoder) disconnect(v Version) Disconnect {
	if len(d.rest) == 0 {
		return Disconnect{}
	}
	c := Disconnect{Code: d.code(v), Properties: d.optional()}
	if _, ok := c.Properties.Number(SessionExpiryInterval); ok {
		d.fail("a server may not set the session expiry interval")
	}
	return c
}

// Auth is an AUTH of enhanced authentication, which only MQTT 5 has.
type Auth struct {
	Code       Code
	Properties Properties
}

// Type returns AUTH.
func (Auth) Type() Type { return AUTH }

func (d *decoder) auth(v Version) Auth {
	if len(d.rest) == 0 {
		return Auth{}
	}
	a := Auth{Code: d.code(v), Properties: d.properties()}
	if d.err == nil && a.Properties.index(AuthenticationMethod) < 0 {
		d.fail("no authentication method")
	}
	return a
}
