package mqttwire

import "errors"

// Connect is a CONNECT without a will, which a probe must not leave behind.
type Connect struct {
	Version    Version
	ClientID   string
	CleanStart bool   // Clean Session in MQTT 3.1.1
	KeepAlive  uint16 // seconds; zero turns it off
	UserName   *string
	Password   *string    // MQTT 3.1.1 allows it only beside a user name
	Properties Properties // MQTT 5 only
}

// Flags of a CONNECT: MQTT 5, 3.1.2.3.
const (
	flagUserName   = 0x80
	flagPassword   = 0x40
	flagCleanStart = 0x02
)

// Encode returns the packet and where the password lies in it, so that it can
// be masked wherever the packet is written down. Without a password the span
// is empty.
func (c Connect) Encode() ([]byte, Span, error) {
	var e encoder
	if c.Version != V311 && c.Version != V5 {
		e.fail(errors.New("protocol " + c.Version.String() + " is not spoken"))
	}
	if c.Version == V311 && c.Password != nil && c.UserName == nil {
		e.fail(errors.New("password without user name"))
	}
	e.field("protocol name", "MQTT")
	e.byte(byte(c.Version))
	e.byte(c.flags())
	e.uint16(c.KeepAlive)
	e.versioned(c.Version, CONNECT, c.Properties)
	e.text("client identifier", c.ClientID)
	if c.UserName != nil {
		e.text("user name", *c.UserName)
	}
	var password int64
	if c.Password != nil {
		e.field("password", *c.Password)
		password = int64(len(*c.Password))
	}
	packet, err := e.packet(CONNECT, 0)
	if err != nil || password == 0 {
		return packet, Span{}, err
	}
	return packet, Span{int64(len(packet)) - password, password}, nil // the password is the last field
}

func (c Connect) flags() byte {
	var f byte
	if c.UserName != nil {
		f |= flagUserName
	}
	if c.Password != nil {
		f |= flagPassword
	}
	if c.CleanStart {
		f |= flagCleanStart
	}
	return f
}

// versioned adds properties where the version has them.
func (e *encoder) versioned(v Version, t Type, p Properties) {
	switch {
	case v == V5:
		e.properties(t, p)
	case len(p) > 0:
		e.fail(errors.New("properties in MQTT 3.1.1"))
	}
}

// ConnAck is a broker's answer to a CONNECT.
type ConnAck struct {
	// Version is that of the answer. A CONNECT of MQTT 5 may be answered in
	// MQTT 3.1.1 by a broker that knows no other; Code is then a return code.
	Version        Version
	SessionPresent bool
	Code           Code
	Properties     Properties
}

// Accepted reports whether the broker took the client in.
func (c ConnAck) Accepted() bool { return c.Code == 0 }

// Type returns CONNACK.
func (ConnAck) Type() Type { return CONNACK }

// connAck decodes a CONNACK. In MQTT 5 it has at least three bytes, so one of
// two can only be an MQTT 3.1.1 answer and is read as such: older brokers
// refuse an MQTT 5 CONNECT with return code 1 in that form.
func (d *decoder) connAck(v Version) ConnAck {
	if v == V5 && len(d.rest) == 2 {
		v = V311
	}
	flags := d.byte("acknowledge flags")
	if flags > 1 {
		d.fail("acknowledge flags are 0x%02x", flags)
	}
	c := ConnAck{Version: v, SessionPresent: flags == 1, Code: d.code(v)}
	if c.SessionPresent && !c.Accepted() {
		d.fail("session present beside code 0x%02x", byte(c.Code))
	}
	if v == V5 {
		c.Properties = d.properties()
	}
	d.authentication(c.Properties)
	return c
}

// authentication refuses authentication data without a method.
func (d *decoder) authentication(p Properties) {
	if p.index(AuthenticationData) >= 0 && p.index(AuthenticationMethod) < 0 {
		d.fail("authentication data without a method")
	}
}
