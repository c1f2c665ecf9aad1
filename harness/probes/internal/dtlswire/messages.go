package dtlswire

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"

	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

// ParseRawPublicKey reads the body of a Certificate message that holds a raw
// public key (RFC 7250, 3) and returns its SubjectPublicKeyInfo.
func ParseRawPublicKey(body []byte) ([]byte, error) {
	var key cryptobyte.String
	in := cryptobyte.String(body)
	if !in.ReadUint24LengthPrefixed(&key) || !in.Empty() || key.Empty() {
		return nil, fmt.Errorf("a raw public key in %d bytes", len(body))
	}
	return bytes.Clone(key), nil
}

// A KeyExchange is what a server says of the key exchange.
type KeyExchange struct {
	tlswire.KeyExchange
	// Hint is the PSK identity hint: nil without a pre-shared key, empty if there
	// was none. ECJPAKE and other messages of no standard say nothing.
	Hint []byte
}

// ParseServerKeyExchange reads the body of a ServerKeyExchange.
func ParseServerKeyExchange(body []byte, suite tlswire.Suite, v Version) (KeyExchange, error) {
	like := uint16(tlswire.TLS11) // which 1.0 is made after
	if v == V12 {
		like = tlswire.TLS12
	}
	inner, err := tlswire.ParseKeyExchange(body, suite, like)
	k := KeyExchange{KeyExchange: inner}
	if err != nil || !strings.HasSuffix(suite.KeyExchange, "PSK") {
		return k, err
	}
	var hint cryptobyte.String
	if in := cryptobyte.String(body); !in.ReadUint16LengthPrefixed(&hint) {
		return k, fmt.Errorf("an identity hint in %d bytes", len(body))
	}
	k.Hint = append([]byte{}, hint...)
	return k, nil
}
