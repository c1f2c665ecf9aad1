package coapwire

import (
	"encoding/binary"
	"slices"
	"strings"
)

// CorpusVersion is that of the lists that Malformed returns. It rises with every
// change of a name, an order or a byte.
const CorpusVersion = 1

// CorpusSize is how many messages are in each list.
const CorpusSize = 40

// BadMessage is what no client may send.
type BadMessage struct {
	Name string // stable: lower-case letters, digits and hyphens
	// First says that it is the first of its connection. Without it, a good
	// introduction goes before over a stream (RFC 8323, 5.3).
	First bool
	// Bytes of a datagram hold a message ID that has to be a fresh one each
	// time: who knows it takes the message for a copy.
	Bytes []byte
}

// Fresh returns the datagram with another message ID.
func (b BadMessage) Fresh(id uint16) []byte {
	fresh := slices.Clone(b.Bytes)
	if len(fresh) >= headerLength {
		binary.BigEndian.PutUint16(fresh[2:], id)
	}
	return fresh
}

// MalformedDatagrams returns what is sent over UDP and DTLS, always the same and
// in the same order. Nothing in it writes anything that a careless server might
// keep, except below "assay-malformed".
func MalformedDatagrams() []BadMessage {
	list := datagramHeaders()
	for _, b := range badBodies() {
		list = append(list, BadMessage{Name: b.Name, Bytes: append([]byte{0x44, b.code, 0x7a, 0x31, 0xa5, 0x5a, 0x31, 0x7a}, b.body...)})
	}
	return list[:CorpusSize]
}

// MalformedStream is that for TCP, TLS and WebSocket. Inside WebSocket there is
// no length (RFC 8323, 4.2): what lies about it does not exist there.
func MalformedStream(web bool) []BadMessage {
	list := badSignals(web)
	if !web {
		list = append(list, badFrames()...)
	}
	for _, b := range badBodies() {
		list = append(list, BadMessage{Name: b.Name, Bytes: framed(b.code, []byte{0xa5, 0x5a, 0x31, 0x7a}, b.body, web)})
	}
	return list[:min(len(list), CorpusSize)]
}

// framed puts a right frame around a wrong body.
func framed(code byte, token, body []byte, web bool) []byte {
	nibble, more := byte(0), []byte(nil)
	if !web {
		nibble, more = extend(len(body))
	}
	return slices.Concat([]byte{nibble<<4 | byte(len(token))}, more, []byte{code}, token, body)
}

// datagramHeaders have their mistake in the header or the token.
func datagramHeaders() []BadMessage {
	of := func(name, b string) BadMessage { return BadMessage{Name: name, Bytes: []byte(b)} }
	return []BadMessage{
		of("empty-datagram-of-one-byte", "\x40"),
		of("header-of-three-bytes", "\x40\x01\x7a"),
		of("version-0", "\x00\x01\x7a\x01\xb1t"),
		of("version-2", "\x80\x01\x7a\x02\xb1t"),
		of("version-3", "\xc0\x01\x7a\x03\xb1t"),
		of("token-length-9", "\x49\x01\x7a\x04123456789\xb1t"),
		of("token-length-15", "\x4f\x01\x7a\x05123456789012345\xb1t"),
		of("token-cut-off", "\x48\x01\x7a\x0612"),
		of("empty-with-token", "\x41\x00\x7a\x07t"),
		of("empty-with-payload", "\x40\x00\x7a\x08\xffpayload"),
		of("empty-not-confirmable", "\x50\x00\x7a\x09"),
		of("code-class-1", "\x40\x21\x7a\x0a\xb1t"),
		of("code-class-6", "\x40\xc1\x7a\x0b\xb1t"),
		of("code-class-7", "\x40\xe1\x7a\x0c\xb1t"),
		of("method-31", "\x40\x1f\x7a\x0d\xb1t"),
		of("response-unasked", "\x40\x45\x7a\x0e\xffunasked"),
		of("acknowledgement-of-nothing", "\x60\x00\x7a\x0f"),
		of("acknowledgement-with-request", "\x60\x01\x7a\x10\xb1t"),
		of("reset-with-request", "\x70\x01\x7a\x11\xb1t"),
	}
}

// A badBody is a message with its mistake behind the token.
type badBody struct {
	Name string
	code byte
	body []byte
}

const wellKnownCore = "\xbb.well-known\x04core"

// badBodies are the same over every transport.
func badBodies() []badBody {
	of := func(name, body string) badBody { return badBody{name, byte(GET), []byte(body)} }
	put := func(name, body string) badBody {
		return badBody{name, byte(PUT), []byte("\xbd\x02assay-malformed" + body)}
	}
	return []badBody{
		of("option-length-overruns", "\xbdX"),
		of("option-length-overruns-by-60000", "\xbe\xea\x60t"),
		of("option-length-cut-off", "\xbe\x01"),
		of("option-delta-cut-off", "\xd0"),
		of("option-delta-reserved", "\xf1t"),
		of("option-length-reserved", "\xbft"),
		of("option-number-above-65535", "\xe0\xff\xff\xe0\xff\xff"),
		of("payload-mark-alone", wellKnownCore+"\xff"),
		of("payload-marks-only", "\xff\xff\xff\xff"),
		of("unknown-critical-option", wellKnownCore+"\xe1\xfc\xd1x"),
		of("option-twice-that-may-be-once", wellKnownCore+"\x60\x00"),
		of("content-format-of-three-bytes", wellKnownCore+"\x13\x01\x02\x03"),
		of("path-segment-of-300-bytes", "\xbe\x00\x1f"+strings.Repeat("p", 300)),
		of("path-with-nul-and-dots", "\xb5a\x00b\xff\xfe\x02..\x02.."),
		of("sixty-five-options", "\xb0"+strings.Repeat("\x00", 64)),
		of("block2-of-five-bytes", wellKnownCore+"\xc5\x00\x00\x00\x00\x06"),
		of("block2-reserved-size", wellKnownCore+"\xc1\x07"),
		of("block2-number-1048575", wellKnownCore+"\xc3\xff\xff\xf6"),
		put("block1-without-first", "\xd2\x03\x03\xe6\xffnever"),
		put("block1-larger-than-said", "\xd1\x03\x08\xff"+strings.Repeat("b", 200)),
		of("observe-of-eight-bytes", "\x68\xff\xff\xff\xff\xff\xff\xff\xff\x51t"),
		of("proxy-uri-nonsense", "\xd3\x16:::"),
		of("a-thousand-options", "\xb1t"+strings.Repeat("\x00", 1000)),
		of("payload-of-garbage", wellKnownCore+"\xff"+strings.Repeat("\x00\xff\x1b\x7f", 250)),
	}
}

// badFrames lie about lengths.
func badFrames() []BadMessage {
	of := func(name, b string, first bool) BadMessage {
		return BadMessage{Name: name, First: first, Bytes: []byte(b)}
	}
	return []BadMessage{
		of("length-4-gib", "\xf0\xff\xff\xff\xff\x01\xb1t", false),
		of("length-4-gib-first", "\xf0\xff\xff\xff\xff\xe1", true),
		of("length-65804-and-nothing", "\xe0\xff\xff\x01\xb1t", false),
		of("length-shorter-than-body", "\x10\x01"+wellKnownCore, false),
		of("length-longer-than-body", "\xd0\x20\x01\xb1t", false),
	}
}

// badSignals are wrong about the connection.
func badSignals(web bool) []BadMessage {
	of := func(name string, first bool, code Code, token, body string) BadMessage {
		return BadMessage{Name: name, First: first, Bytes: framed(byte(code), []byte(token), []byte(body), web)}
	}
	raw := func(name string, first bool, b string) BadMessage {
		return BadMessage{Name: name, First: first, Bytes: []byte(b)}
	}
	return []BadMessage{
		raw("token-length-9", false, "\x09\x01123456789"),
		raw("token-length-15-first", true, "\x0f\xe1123456789012345"),
		of("request-before-introduction", true, GET, "t", wellKnownCore),
		of("introduction-with-unknown-critical-option", true, CSM, "", "\x91x"),
		of("introduction-with-size-of-nine-bytes", true, CSM, "", "\x29\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		of("introduction-cut-in-option", true, CSM, "", "\x2d"),
		of("signal-unknown", false, 7<<5|31, "", ""),
		of("code-class-1", false, 1<<5|1, "t", "\xb1t"),
		of("code-class-6", false, 6<<5|1, "t", "\xb1t"),
		of("response-unasked", false, Content, "t", "\xffunasked"),
		of("ping-with-payload", false, Ping, "12345678", "\xffpayload"),
		of("pong-unasked", false, Pong, "12345678", ""),
		of("release-with-unknown-critical-option", false, Release, "", "\x91x"),
		of("method-31", false, 31, "t", "\xb1t"),
		of("empty-with-payload", false, Empty, "", "\xffpayload"),
		raw("http-instead", true, "GET / HTTP/1.1\r\nHost: assay\r\n\r\n"),
	}
}
