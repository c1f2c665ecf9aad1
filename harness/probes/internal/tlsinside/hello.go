package tlsinside

import (
	"crypto/rand"

	"golang.org/x/crypto/cryptobyte"
)

// Hello returns a ClientHello for servers that turn that of crypto/tls away
// without a word: SSL 3.0 to TLS 1.2, with suites that crypto/tls does not
// know. It is for recognising TLS, not for finishing a handshake.
func Hello() []byte {
	random := make([]byte, 32)
	rand.Read(random) // never fails
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(contentHandshake)
	b.AddUint16(0x0301) // what all versions take
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(1) // client_hello
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(0x0303)
			b.AddBytes(random)
			b.AddUint8(0) // no session
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				for _, s := range oldSuites {
					b.AddUint16(s)
				}
			})
			b.AddBytes([]byte{1, 0}) // no compression
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(extensions) })
		})
	})
	return b.BytesOrPanic()
}

// oldSuites are what small and old servers may insist on: static RSA, DHE,
// ECDHE, PSK, anonymous and export, by the numbers of the IANA registry.
var oldSuites = []uint16{
	0xc0ac, 0xc0ae, 0xc02b, 0xc02f, 0xc009, 0xc013, 0xc0a8, 0xc0a4, 0x00a8, 0x008c,
	0x009e, 0x0033, 0x0039, 0x0067, 0x006b, 0x0016, 0x0032, 0x0038, 0xc09c, 0xc0a0, 0x009c,
	0x002f, 0x0035, 0x003c, 0x000a, 0x0005, 0x0004, 0x0009, 0x0003, 0x0006, 0x0008, 0x0014,
	0x0034, 0x003a, 0x001b, 0x0018, 0x0017, 0x0019, 0x0001, 0x0002, 0x003b,
}

// extensions names the curves, point formats and signatures that any server
// may need to know.
var extensions = []byte{
	0, 10, 0, 10, 0, 8, 0, 23, 0, 24, 0, 25, 0, 29, // supported_groups
	0, 11, 0, 2, 1, 0, // ec_point_formats
	0, 13, 0, 18, 0, 16, 4, 3, 4, 1, 5, 3, 5, 1, 6, 1, 2, 3, 2, 1, 1, 1, // signature_algorithms
}
