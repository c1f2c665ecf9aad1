package mqttwire

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// maxVarint is the largest variable byte integer: four bytes of seven bits.
const maxVarint = 1<<28 - 1

// varint reads a variable byte integer (MQTT 5, 1.5.5; MQTT 3.1.1, 2.2.3) and
// returns it with its length, which is zero while bytes are still missing. It
// is false for a fourth byte that announces a fifth.
func varint(b []byte) (value, length int, ok bool) {
	for i := range min(len(b), 4) {
		value |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return value, i + 1, true
		}
	}
	return 0, 0, len(b) < 4
}

// overlong reports whether a variable byte integer has more bytes than its
// value needs, which MQTT 5 forbids and MQTT 3.1.1 does not speak of.
func overlong(value, length int) bool { return length > 1 && value>>(7*(length-1)) == 0 }

func appendVarint(b []byte, value int) []byte { return binary.AppendUvarint(b, uint64(value)) }

// encoder puts fields together and keeps the first error.
type encoder struct {
	bytes []byte
	err   error
}

func (e *encoder) byte(b byte) { e.bytes = append(e.bytes, b) }

func (e *encoder) uint16(n uint16) { e.bytes = binary.BigEndian.AppendUint16(e.bytes, n) }

func (e *encoder) uint32(n uint32) { e.bytes = binary.BigEndian.AppendUint32(e.bytes, n) }

// field adds a UTF-8 string or binary data: a length of two bytes, then it.
func (e *encoder) field(name, s string) {
	if len(s) > math.MaxUint16 {
		e.fail(fmt.Errorf("%s of %d bytes does not fit the two bytes of its length", name, len(s)))
		return
	}
	e.uint16(uint16(len(s)))
	e.bytes = append(e.bytes, s...)
}

// text adds a UTF-8 string that keeps to the rules for one.
func (e *encoder) text(name, s string) {
	if why := badText(s); why != "" {
		e.fail(fmt.Errorf("%s %s", name, why))
	}
	e.field(name, s)
}

func (e *encoder) packetID(id uint16) {
	if id == 0 {
		e.fail(fmt.Errorf("packet identifier is zero"))
	}
	e.uint16(id)
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// packet returns the fields under a fixed header.
func (e *encoder) packet(t Type, flags byte) ([]byte, error) {
	if e.err == nil && len(e.bytes) > maxVarint {
		e.err = fmt.Errorf("remaining length of %d is over %d", len(e.bytes), maxVarint)
	}
	if e.err != nil {
		return nil, fmt.Errorf("encoding %s: %w", t, e.err)
	}
	return append(appendVarint([]byte{byte(t)<<4 | flags}, len(e.bytes)), e.bytes...), nil
}

// decoder takes fields off the front of a packet's body and keeps the first
// error. After one, every field is zero.
type decoder struct {
	typ  Type
	rest []byte
	err  error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = malformed(d.typ, format, args...)
	}
	d.rest = nil
}

// take returns the next n bytes.
func (d *decoder) take(name string, n int) []byte {
	if n > len(d.rest) {
		d.fail("%s needs %d bytes, %d are left", name, n, len(d.rest))
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte(name string) byte {
	if b := d.take(name, 1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint16(name string) uint16 {
	if b := d.take(name, 2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (d *decoder) uint32(name string) uint32 {
	if b := d.take(name, 4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// varint takes a variable byte integer, of which only MQTT 5 has any here.
func (d *decoder) varint(name string) int {
	value, length, ok := varint(d.rest)
	switch {
	case d.err != nil:
		return 0
	case !ok:
		d.fail("%s has more than four bytes", name)
	case length == 0:
		d.fail("%s is cut off", name)
	case overlong(value, length):
		d.fail("%s has more bytes than it needs", name)
	default:
		d.rest = d.rest[length:]
		return value
	}
	return 0
}

func (d *decoder) field(name string) string {
	return string(d.take(name, int(d.uint16(name+" length"))))
}

func (d *decoder) text(name string) string {
	s := d.field(name)
	if why := badText(s); why != "" {
		d.fail("%s %s", name, why)
		return ""
	}
	return s
}

func (d *decoder) packetID() uint16 {
	id := d.uint16("packet identifier")
	if d.err == nil && id == 0 {
		d.fail("packet identifier is zero")
	}
	return id
}

// end demands that nothing is left.
func (d *decoder) end() {
	if len(d.rest) > 0 {
		d.fail("%d bytes too many", len(d.rest))
	}
}

// badText says why s is no UTF-8 encoded string (MQTT 5, 1.5.4), or nothing.
func badText(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case strings.ContainsRune(s, 0):
		return "contains U+0000"
	}
	return ""
}
