package tlswire

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
)

// A ServerHello is what a server chose.
type ServerHello struct {
	Version     uint16 // chosen, wherever it stands
	Random      [32]byte
	Suite       uint16
	Compression byte
	Group       uint16 // of its key share, or that it asks for; 0 if it names none
	Retry       bool   // whether it is a HelloRetryRequest
	Protocol    []byte // that ALPN chose, nil for none
	Extensions  []uint16
}

// Has reports whether the server sent an extension.
func (s ServerHello) Has(extension uint16) bool {
	for _, e := range s.Extensions {
		if e == extension {
			return true
		}
	}
	return false
}

// SecureRenegotiation reports whether the server sent the indication of RFC 5746.
func (s ServerHello) SecureRenegotiation() bool { return s.Has(extRenegotiation) }

// retryRandom marks a HelloRetryRequest (RFC 8446, 4.1.3).
var retryRandom = []byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

// ParseServerHello reads the body of a ServerHello or HelloRetryRequest.
func ParseServerHello(body []byte) (ServerHello, error) {
	var (
		s       ServerHello
		session cryptobyte.String
		in      = cryptobyte.String(body)
	)
	if !in.ReadUint16(&s.Version) || !in.CopyBytes(s.Random[:]) || !in.ReadUint8LengthPrefixed(&session) ||
		!in.ReadUint16(&s.Suite) || !in.ReadUint8(&s.Compression) || len(session) > 32 {
		return s, malformed("a server hello of %d bytes", len(body))
	}
	s.Retry = bytes.Equal(s.Random[:], retryRandom)
	if in.Empty() { // before TLS 1.3 extensions are optional
		return s, nil
	}
	var list cryptobyte.String
	if !in.ReadUint16LengthPrefixed(&list) || !in.Empty() {
		return s, malformed("the extensions of a server hello")
	}
	err := s.extensions(list)
	return s, err
}

func (s *ServerHello) extensions(list cryptobyte.String) error {
	for !list.Empty() {
		var (
			number uint16
			body   cryptobyte.String
		)
		if !list.ReadUint16(&number) || !list.ReadUint16LengthPrefixed(&body) || s.Has(number) {
			return malformed("an extension of a server hello")
		}
		s.Extensions = append(s.Extensions, number)
		if !s.extension(number, body) {
			return malformed("extension %d of a server hello", number)
		}
	}
	return nil
}

func (s *ServerHello) extension(number uint16, body cryptobyte.String) bool {
	switch number {
	case extSupportedVersions:
		return body.ReadUint16(&s.Version) && body.Empty()
	case extKeyShare:
		var key cryptobyte.String
		if !body.ReadUint16(&s.Group) {
			return false
		}
		return s.Retry && body.Empty() || body.ReadUint16LengthPrefixed(&key) && body.Empty()
	case extALPN:
		var list, name cryptobyte.String
		if !body.ReadUint16LengthPrefixed(&list) || !list.ReadUint8LengthPrefixed(&name) || !list.Empty() {
			return false
		}
		s.Protocol = name
	}
	return true
}
