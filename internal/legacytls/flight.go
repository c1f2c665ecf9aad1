package legacytls

import (
	"crypto/rand"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// The handshake messages of a server, RFC 5246, 7.4.
const (
	msgServerHello        = 2
	msgCertificate        = 11
	msgServerKeyExchange  = 12
	msgCertificateRequest = 13
	msgServerHelloDone    = 14
)

// flight is all that a server says to a hello, in records.
func (s *Server) flight(h Hello, c Choice) ([]byte, error) {
	m, ok := methodOf(c.Suite)
	if !ok {
		return nil, fmt.Errorf("suite %#04x is not known", c.Suite)
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails
	b := cryptobyte.NewBuilder(nil)
	message(b, msgServerHello, func(b *cryptobyte.Builder) { s.hello(b, h, c, m, random) })
	if m.by != nobody {
		message(b, msgCertificate, s.certificates)
	}
	exchange, err := s.keyExchange(m, h, c, random)
	if err != nil {
		return nil, err
	}
	if len(exchange) > 0 {
		message(b, msgServerKeyExchange, func(b *cryptobyte.Builder) { b.AddBytes(exchange) })
	}
	if s.AskCertificate && m.by != nobody {
		message(b, msgCertificateRequest, func(b *cryptobyte.Builder) { certificateRequest(b, c.Version) })
	}
	message(b, msgServerHelloDone, func(*cryptobyte.Builder) {})
	all, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	return records(c.Version, recordHandshake, all, s.Most), nil
}

// message adds a handshake message.
func message(b *cryptobyte.Builder, kind uint8, body cryptobyte.BuilderContinuation) {
	b.AddUint8(kind)
	b.AddUint24LengthPrefixed(body)
}

// hello is the body of a ServerHello. Extensions answer those of the client
// alone, and SSL 3.0 has none but by the signal of RFC 5746.
func (s *Server) hello(b *cryptobyte.Builder, h Hello, c Choice, m method, random []byte) {
	b.AddUint16(c.Version)
	b.AddBytes(random)
	b.AddUint8(0) // no session
	b.AddUint16(c.Suite)
	if c.Compress {
		b.AddUint8(1)
	} else {
		b.AddUint8(0)
	}
	extensions := cryptobyte.NewBuilder(nil)
	if s.Renegotiation && h.Secure {
		extensions.AddUint16(extRenegotiation)
		extensions.AddBytes([]byte{0, 1, 0})
	}
	if m.kx == kxECDHE && h.PointFormats && c.Version > SSL30 {
		extensions.AddUint16(extPointFormats)
		extensions.AddBytes([]byte{0, 2, 1, 0}) // uncompressed
	}
	if list := extensions.BytesOrPanic(); len(list) > 0 {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(list) })
	}
}

// certificates is the body of a Certificate message.
func (s *Server) certificates(b *cryptobyte.Builder) {
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, der := range s.Chain {
			b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(der) })
		}
	})
}

// certificateRequest asks for a certificate of any kind and authority.
func certificateRequest(b *cryptobyte.Builder, version uint16) {
	b.AddBytes([]byte{2, 1, 64}) // rsa_sign, ecdsa_sign
	if version >= TLS12 {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, scheme := range []uint16{rsaSHA256, ecdsaSHA256, rsaSHA1} {
				b.AddUint16(scheme)
			}
		})
	}
	b.AddUint16(0) // no authorities
}

// records puts data into records of at most most bytes, or of as many as TLS
// allows.
func records(version uint16, kind uint8, data []byte, most int) []byte {
	const limit = 1 << 14
	if most <= 0 || most > limit {
		most = limit
	}
	b := cryptobyte.NewBuilder(nil)
	for len(data) > 0 {
		n := min(most, len(data))
		part := data[:n]
		b.AddUint8(kind)
		b.AddUint16(version)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(part) })
		data = data[n:]
	}
	return b.BytesOrPanic()
}
