package tlswire

import (
	"crypto/rand"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// A Hello is a ClientHello. Random and session are fresh in each writing.
type Hello struct {
	// Version is the newest that is offered. TLS 1.3 is offered alone: with no
	// older one beside it.
	Version uint16
	// Older are offered beside TLS 1.3, the newest first.
	Older      []uint16
	Suites     []uint16
	Groups     []uint16
	Shares     []Share // for TLS 1.3; none asks the server to name a group
	Signatures []uint16
	ServerName string   // empty for none
	Protocols  []string // of ALPN; none leaves the extension out
	Deflate    bool     // whether compression is offered
}

// Record returns the hello in one record.
func (h Hello) Record() []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(contentHandshake)
	b.AddUint16(min(h.Version, TLS10)) // what all versions take
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.Message()) })
	return b.BytesOrPanic()
}

// Message returns the hello as a handshake message.
func (h Hello) Message() []byte { return h.message(nil) }

// Again returns the hello as the message that begins a handshake within
// another one (RFC 5746, 3.5). Finished is what the client said at the end of
// that.
func (h Hello) Again(finished []byte) []byte { return h.message(finished) }

func (h Hello) message(finished []byte) []byte {
	random := make([]byte, 64)
	rand.Read(random) // never fails
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(TypeClientHello)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16(min(h.Version, TLS12))
		b.AddBytes(random[:32])
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			if h.Version == TLS13 { // RFC 8446, D.4: boxes in between expect one
				b.AddBytes(random[32:])
			}
		})
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { h.suites(b) })
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			if h.Deflate {
				b.AddUint8(1)
			}
			b.AddUint8(0)
		})
		if h.Version > SSL30 {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { h.extensions(b, finished) })
		}
	})
	return b.BytesOrPanic()
}

// suites writes the suites. SSL 3.0 knows no extensions, so there the
// indication of RFC 5746 is a suite.
func (h Hello) suites(b *cryptobyte.Builder) {
	for _, s := range h.Suites {
		b.AddUint16(s)
	}
	if h.Version == SSL30 && !slices.Contains(h.Suites, scsvEmptyRenegotiation) {
		b.AddUint16(scsvEmptyRenegotiation)
	}
}

// old reports whether a version before TLS 1.3 is offered.
func (h Hello) old() bool { return h.Version < TLS13 || len(h.Older) > 0 }

func (h Hello) extensions(b *cryptobyte.Builder, finished []byte) {
	if h.ServerName != "" {
		extension(b, extServerName, func(b *cryptobyte.Builder) {
			list16(b, func(b *cryptobyte.Builder) {
				b.AddUint8(0) // host_name
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.ServerName)) })
			})
		})
	}
	if h.old() {
		extension(b, extRenegotiation, func(b *cryptobyte.Builder) {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(finished) })
		})
		extension(b, extExtendedMaster, func(*cryptobyte.Builder) {})
		extension(b, extPointFormats, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, 0}) }) // uncompressed
	}
	numbers(b, extGroups, h.Groups)
	if h.Version >= TLS12 {
		numbers(b, extSignatures, h.Signatures)
	}
	if len(h.Protocols) > 0 {
		extension(b, extALPN, func(b *cryptobyte.Builder) {
			list16(b, func(b *cryptobyte.Builder) {
				for _, p := range h.Protocols {
					b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(p)) })
				}
			})
		})
	}
	if h.Version == TLS13 {
		h.modern(b)
	}
}

// modern writes what TLS 1.3 needs.
func (h Hello) modern(b *cryptobyte.Builder) {
	extension(b, extSupportedVersions, func(b *cryptobyte.Builder) {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, v := range append([]uint16{TLS13}, h.Older...) {
				b.AddUint16(v)
			}
		})
	})
	extension(b, extPSKModes, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, 1}) }) // with (EC)DHE
	extension(b, extKeyShare, func(b *cryptobyte.Builder) {
		list16(b, func(b *cryptobyte.Builder) {
			for _, s := range h.Shares {
				b.AddUint16(s.Group)
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(s.Public) })
			}
		})
	})
}

func extension(b *cryptobyte.Builder, number uint16, body cryptobyte.BuilderContinuation) {
	b.AddUint16(number)
	b.AddUint16LengthPrefixed(body)
}

func list16(b *cryptobyte.Builder, body cryptobyte.BuilderContinuation) {
	b.AddUint16LengthPrefixed(body)
}

// numbers writes an extension that is a list of numbers, unless it is empty.
func numbers(b *cryptobyte.Builder, number uint16, list []uint16) {
	if len(list) == 0 {
		return
	}
	extension(b, number, func(b *cryptobyte.Builder) {
		list16(b, func(b *cryptobyte.Builder) {
			for _, n := range list {
				b.AddUint16(n)
			}
		})
	})
}
