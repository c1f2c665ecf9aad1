package coapwire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// Number names an option.
type Number uint16

// The options that are known here.
const (
	IfMatch       Number = 1
	URIHost       Number = 3
	ETag          Number = 4
	IfNoneMatch   Number = 5
	Observe       Number = 6 // RFC 7641
	URIPort       Number = 7
	LocationPath  Number = 8
	OSCORE        Number = 9 // RFC 8613
	URIPath       Number = 11
	ContentFormat Number = 12
	MaxAge        Number = 14
	URIQuery      Number = 15
	HopLimit      Number = 16 // RFC 8768
	Accept        Number = 17
	LocationQuery Number = 20
	Block2        Number = 23 // RFC 7959
	Block1        Number = 27
	Size2         Number = 28
	ProxyURI      Number = 35
	ProxyScheme   Number = 39
	Size1         Number = 60
	Echo          Number = 252 // RFC 9175
	NoResponse    Number = 258 // RFC 7967
	RequestTag    Number = 292 // RFC 9175
)

// Options of CSM (RFC 8323, 5.3), which have numbers of their own.
const (
	MaxMessageSize    Number = 2
	BlockWiseTransfer Number = 4
)

// Critical reports whether who does not know the option must not go on (RFC
// 7252, 5.4.1).
func (n Number) Critical() bool { return n&1 == 1 }

// known are the options whose length and number of times the standards limit.
// What is not in it is unknown.
var known = map[Number]struct {
	min, max int
	repeats  bool
}{
	IfMatch: {0, 8, true}, URIHost: {1, 255, false}, ETag: {1, 8, true}, IfNoneMatch: {0, 0, false},
	Observe: {0, 3, false}, URIPort: {0, 2, false}, LocationPath: {0, 255, true}, OSCORE: {0, 255, false},
	URIPath: {0, 255, true}, ContentFormat: {0, 2, false}, MaxAge: {0, 4, false}, URIQuery: {0, 255, true},
	HopLimit: {1, 1, false}, Accept: {0, 2, false}, LocationQuery: {0, 255, true}, Block2: {0, 3, false},
	Block1: {0, 3, false}, Size2: {0, 4, false}, ProxyURI: {1, 1034, false}, ProxyScheme: {1, 255, false},
	Size1: {0, 4, false}, Echo: {1, 40, false}, NoResponse: {0, 1, false}, RequestTag: {0, 8, true},
}

// An Option is one of a message.
type Option struct {
	Number Number
	Value  []byte
}

// Uint returns an option with a number as value, in as few bytes as it takes
// (RFC 7252, 3.2).
func Uint(n Number, v uint32) Option {
	b := binary.BigEndian.AppendUint32(nil, v)
	return Option{n, bytes.TrimLeft(b, "\x00")}
}

// Text returns an option with a text as value.
func Text(n Number, s string) Option { return Option{n, []byte(s)} }

// Uint reads the value as a number. A value of more than 4 bytes is none.
func (o Option) Uint() (v uint32, ok bool) {
	if len(o.Value) > 4 {
		return 0, false
	}
	for _, b := range o.Value {
		v = v<<8 | uint32(b)
	}
	return v, true
}

// PathOptions returns the options for a path such as "/a/b?x=1", as a URI has it
// (RFC 7252, 6.4): "%2F" in a segment is a slash of it.
func PathOptions(path string) []Option {
	path, query, asks := strings.Cut(path, "?")
	var options []Option
	path = strings.TrimPrefix(path, "/")
	for path != "" {
		segment, rest, more := strings.Cut(path, "/")
		options = append(options, Text(URIPath, unescaped(segment)))
		if more && rest == "" { // a slash at the end is an empty segment
			options = append(options, Text(URIPath, ""))
		}
		path = rest
	}
	for asks {
		var part string
		part, query, asks = strings.Cut(query, "&")
		options = append(options, Text(URIQuery, unescaped(part)))
	}
	return options
}

// unescaped is a part of a URI without escapes. What is none is left as it is.
func unescaped(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		return plain
	}
	return part
}

// Get returns the first option of a number.
func (m Message) Get(n Number) (Option, bool) {
	i := slices.IndexFunc(m.Options, func(o Option) bool { return o.Number == n })
	if i < 0 {
		return Option{}, false
	}
	return m.Options[i], true
}

// Has reports whether the message has an option of a number.
func (m Message) Has(n Number) bool {
	_, ok := m.Get(n)
	return ok
}

// Uint returns the value of an option with a number as value.
func (m Message) Uint(n Number) (v uint32, ok bool) {
	o, ok := m.Get(n)
	if !ok {
		return 0, false
	}
	return o.Uint()
}

// Set puts an option in the place of all others of its number.
func (m *Message) Set(o Option) {
	m.Options = slices.DeleteFunc(slices.Clone(m.Options), func(old Option) bool { return old.Number == o.Number })
	m.Options = append(m.Options, o)
	m.Sort()
}

// Sort puts the options into the order in which they are sent.
func (m *Message) Sort() {
	slices.SortStableFunc(m.Options, func(a, b Option) int { return int(a.Number) - int(b.Number) })
}

// BadCritical returns the first critical option that is not known, or not of a
// length or number of times that its standard allows. Who receives one must
// not act on the message.
func (m Message) BadCritical() (Option, bool) {
	for i, o := range m.Options {
		if !o.Number.Critical() {
			continue
		}
		rule, ok := known[o.Number]
		again := i > 0 && m.Options[i-1].Number == o.Number && !rule.repeats
		if !ok || len(o.Value) < rule.min || len(o.Value) > rule.max || again {
			return o, true
		}
	}
	return Option{}, false
}

// A Block is the value of Block1 and Block2 (RFC 7959, 2.2).
type Block struct {
	Num  uint32 // of the block, 20 bits
	More bool
	SZX  uint8 // exponent of the size, 0 to 6, or 7 over TCP (RFC 8323, 6)
}

// BERT is the exponent that stands for blocks of several times 1024 bytes.
const BERT = 7

var errBlock = errors.New("a block option has at most 3 bytes")

// Size is that of a block, in bytes.
func (b Block) Size() int {
	if b.SZX >= BERT {
		return 1024
	}
	return 16 << b.SZX
}

// Option returns the block as an option of a number.
func (b Block) Option(n Number) Option {
	v := b.Num<<4 | uint32(b.SZX&7)
	if b.More {
		v |= 8
	}
	return Uint(n, v)
}

// BlockOf reads a block option.
func BlockOf(o Option) (Block, error) {
	v, ok := o.Uint()
	if !ok || len(o.Value) > 3 {
		return Block{}, errBlock
	}
	return Block{Num: v >> 4, More: v&8 != 0, SZX: uint8(v & 7)}, nil
}
