package e2e

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
)

// MQTT control packet types, and what the flags of a CONNECT mean: MQTT 3.1.1,
// 2.2.1 and 3.1.2.3.
const (
	connect, connAck, publish, subscribe = 1, 2, 3, 8

	willFlag, passwordFlag, userFlag = 0x04, 0x40, 0x80
)

// A packet is what a tap keeps of an MQTT packet.
type packet struct {
	Kind     byte
	User     string // of a CONNECT
	Password string // of a CONNECT
	Will     bool   // a CONNECT leaves one
	Code     byte   // of a CONNACK
	Topic    string // of a PUBLISH
}

// A tap reads one direction of a connection as MQTT, as far as it is that.
type tap struct {
	Bytes   int
	Packets []packet
	Start   []byte // the beginning, if it is no MQTT

	rest  []byte
	level byte // of the CONNECT
	other bool // it is no MQTT
}

// tapKeeps bounds what a tap holds of a packet that is not complete.
const tapKeeps = 1 << 20

// Write takes up what passes.
func (p *tap) Write(b []byte) (int, error) {
	p.take(b)
	return len(b), nil
}

func (p *tap) take(b []byte) {
	first := p.Bytes == 0 && len(b) > 0
	p.Bytes += len(b)
	if first && b[0] != connect<<4 && b[0] != connAck<<4 {
		p.other = true
	}
	if p.other || len(p.rest)+len(b) > tapKeeps {
		p.other = true
		p.Start = append(p.Start, b[:min(len(b), 64-len(p.Start))]...)
		return
	}
	p.rest = append(p.rest, b...)
	for p.one() {
	}
}

// one takes a complete packet off the rest.
func (p *tap) one() bool {
	if len(p.rest) < 2 {
		return false
	}
	length, n := binary.Uvarint(p.rest[1:]) // the same coding as MQTT's lengths
	if n <= 0 || len(p.rest) < 1+n+int(length) {
		return false
	}
	p.Packets = append(p.Packets, p.read(p.rest[0], p.rest[1+n:1+n+int(length)]))
	p.rest = p.rest[1+n+int(length):]
	return true
}

func (p *tap) read(head byte, body []byte) packet {
	r := reader{body}
	switch k := (packet{Kind: head >> 4}); k.Kind {
	case connect:
		return p.connect(k, r)
	case connAck:
		r.bytes(1)
		k.Code = r.byte()
		return k
	case publish:
		k.Topic = r.text()
		return k
	default:
		return k
	}
}

func (p *tap) connect(k packet, r reader) packet {
	r.text()
	p.level = r.byte()
	flags := r.byte()
	r.bytes(2)
	properties := func() {
		if p.level >= 5 {
			r.bytes(r.length())
		}
	}
	properties()
	r.text()
	if k.Will = flags&willFlag != 0; k.Will {
		properties()
		r.text()
		r.text()
	}
	if flags&userFlag != 0 {
		k.User = r.text()
	}
	if flags&passwordFlag != 0 {
		k.Password = r.text()
	}
	return k
}

// A reader takes fields off a packet; what is cut off is empty.
type reader struct{ b []byte }

func (r *reader) bytes(n int) []byte {
	n = min(n, len(r.b))
	taken := r.b[:n]
	r.b = r.b[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) text() string {
	if n := r.bytes(2); len(n) == 2 {
		return string(r.bytes(int(binary.BigEndian.Uint16(n))))
	}
	return ""
}

func (r *reader) length() int {
	v, n := binary.Uvarint(r.b)
	r.bytes(max(n, 0))
	return int(v)
}

// What the other tests count with counts right.
func TestTap(t *testing.T) {
	t.Parallel()
	hello := "\x10\x1d\x00\x04MQTT\x04\xc6\x00\x3c\x00\x01i\x00\x01w\x00\x01x\x00\x03app\x00\x03pin"
	stream := hello + "\x82\x06\x00\x01\x00\x01#\x00" + "\x30\x05\x00\x03a/bx"
	want := []packet{
		{Kind: connect, User: "app", Password: "pin", Will: true}, {Kind: subscribe}, {Kind: publish, Topic: "a/b"},
	}
	whole, drip := tap{}, tap{}
	whole.take([]byte(stream))
	for i := range stream {
		drip.take([]byte(stream[i : i+1]))
	}
	assert.Equal(t, want, whole.Packets)
	assert.Equal(t, want, drip.Packets)
	var five tap
	five.take([]byte("\x10\x15\x00\x04MQTT\x05\x80\x00\x3c\x03\x21\x00\x14\x00\x00\x00\x03app"))
	assert.Equal(t, []packet{{Kind: connect, User: "app"}}, five.Packets)
	var refused, other tap
	refused.take([]byte("\x20\x02\x00\x05"))
	other.take([]byte("GET / HTTP/1.1\r\n\r\n"))
	assert.Equal(t, []packet{{Kind: connAck, Code: 5}}, refused.Packets)
	assert.Equal(t, "GET / HTTP/1.1\r\n\r\n", string(other.Start))
	assert.Empty(t, other.Packets)
}
