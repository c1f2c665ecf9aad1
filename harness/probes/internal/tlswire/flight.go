package tlswire

import (
	"math/bits"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

const (
	// maxCertificates is how many of a chain are kept; ten is twice what any
	// has in practice.
	maxCertificates = 10
	// maxAuthorities is how many names of a certificate request are kept.
	maxAuthorities = 10
)

// ParseCertificate reads the body of a Certificate message of TLS 1.2 or older.
// It returns the first ten certificates, and how many there are.
func ParseCertificate(body []byte) (chain [][]byte, served int, err error) {
	var list cryptobyte.String
	in := cryptobyte.String(body)
	if !in.ReadUint24LengthPrefixed(&list) || !in.Empty() {
		return nil, 0, malformed("a certificate message of %d bytes", len(body))
	}
	for !list.Empty() {
		var c cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&c) || c.Empty() {
			return nil, 0, malformed("certificate %d of a chain", served+1)
		}
		if served++; served <= maxCertificates {
			chain = append(chain, c)
		}
	}
	return chain, served, nil
}

// A KeyExchange is what a server says of the key exchange, as far as it is
// understood.
type KeyExchange struct {
	Group     uint16 // of ECDHE, 0 if it is none
	DHBits    int    // of the prime of DHE, 0 if it is none
	Signature uint16 // scheme, 0 if it is not signed or before TLS 1.2
}

// ParseKeyExchange reads the body of a ServerKeyExchange. Of key exchanges other
// than DHE and ECDHE it says nothing.
func ParseKeyExchange(body []byte, suite Suite, version uint16) (KeyExchange, error) {
	var k KeyExchange
	in := cryptobyte.String(body)
	var hint cryptobyte.String
	if strings.HasSuffix(suite.KeyExchange, "PSK") && !in.ReadUint16LengthPrefixed(&hint) {
		return k, malformed("the hint of a key exchange")
	}
	switch {
	case strings.HasPrefix(suite.KeyExchange, "ECDHE"):
		var kind uint8
		var key cryptobyte.String
		if !in.ReadUint8(&kind) || kind != 3 || !in.ReadUint16(&k.Group) || !in.ReadUint8LengthPrefixed(&key) {
			return k, malformed("an elliptic key exchange")
		}
	case strings.HasPrefix(suite.KeyExchange, "DHE"), suite.KeyExchange == "DH":
		var p, g, y cryptobyte.String
		if !in.ReadUint16LengthPrefixed(&p) || !in.ReadUint16LengthPrefixed(&g) || !in.ReadUint16LengthPrefixed(&y) {
			return k, malformed("a Diffie-Hellman key exchange")
		}
		k.DHBits = bitLen(p)
	default:
		return k, nil
	}
	if version == TLS12 && !in.Empty() && !in.ReadUint16(&k.Signature) {
		return k, malformed("the signature of a key exchange")
	}
	return k, nil
}

// bitLen returns the length of a number that may begin with zeros.
func bitLen(b []byte) int {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) == 0 {
		return 0
	}
	return 8*(len(b)-1) + bits.Len8(b[0])
}

// ParseCertificateRequest reads the body of a CertificateRequest of TLS 1.2 or
// older. It returns the first ten names of authorities.
func ParseCertificateRequest(body []byte, version uint16) (authorities [][]byte, err error) {
	var types, schemes, list cryptobyte.String
	in := cryptobyte.String(body)
	if !in.ReadUint8LengthPrefixed(&types) || version == TLS12 && !in.ReadUint16LengthPrefixed(&schemes) ||
		!in.ReadUint16LengthPrefixed(&list) || !in.Empty() {
		return nil, malformed("a certificate request of %d bytes", len(body))
	}
	for !list.Empty() {
		var name cryptobyte.String
		if !list.ReadUint16LengthPrefixed(&name) {
			return nil, malformed("a name of a certificate request")
		}
		if len(authorities) < maxAuthorities {
			authorities = append(authorities, name)
		}
	}
	return authorities, nil
}
