package legacytls

import (
	"crypto"
	"crypto/dsa" //nolint:staticcheck // old devices have such keys, and are played here
	"crypto/ecdsa"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
)

// offer is a ClientHello of these tests.
type offer struct {
	version      uint16
	suites       []uint16
	compressions []byte
}

// clientRandom is that of every hello here.
var clientRandom = make([]byte, 32)

// bytes is the hello in a record. In TLS 1.2 it names the signatures that are
// wanted.
func (o offer) bytes() []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(ClientHello)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16(o.version)
		b.AddBytes(clientRandom)
		b.AddUint8(0)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, s := range o.suites {
				b.AddUint16(s)
			}
		})
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			if o.compressions == nil {
				b.AddUint8(0)
			}
			b.AddBytes(o.compressions)
		})
		if o.version >= TLS12 {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddBytes([]byte{0, 13, 0, 6, 0, 4, 4, 1, 4, 3})
			})
		}
	})
	return records(o.version, recordHandshake, b.BytesOrPanic(), 0)
}

// flightRead is what a client reads of a server's flight.
type flightRead struct {
	version, suite uint16
	random         []byte
	compression    uint8
	extensions     []byte
	certificates   [][]byte
	exchange       []byte
	asked          bool
}

// readFlight reads a flight strictly: every message in its place, and no byte
// left over.
func readFlight(t *testing.T, b []byte) flightRead {
	t.Helper()
	var f flightRead
	var all []byte
	for s := cryptobyte.String(b); !s.Empty(); {
		var kind uint8
		var version uint16
		var body cryptobyte.String
		require.True(t, s.ReadUint8(&kind) && s.ReadUint16(&version) && s.ReadUint16LengthPrefixed(&body))
		require.Equal(t, recordHandshake, kind)
		all = append(all, body...)
	}
	last := uint8(0)
	for s := cryptobyte.String(all); !s.Empty(); {
		var kind uint8
		var body cryptobyte.String
		require.True(t, s.ReadUint8(&kind) && s.ReadUint24LengthPrefixed(&body))
		require.Greater(t, kind, last, "messages come in their order")
		last = kind
		f.message(t, kind, body)
	}
	require.Equal(t, uint8(msgServerHelloDone), last)
	return f
}

func (f *flightRead) message(t *testing.T, kind uint8, body cryptobyte.String) {
	t.Helper()
	var session, extensions, list cryptobyte.String
	switch kind {
	case msgServerHello:
		require.True(t, body.ReadUint16(&f.version) && body.ReadBytes(&f.random, 32) && body.ReadUint8LengthPrefixed(&session) &&
			body.ReadUint16(&f.suite) && body.ReadUint8(&f.compression))
		if !body.Empty() {
			require.True(t, body.ReadUint16LengthPrefixed(&extensions))
			f.extensions = extensions
		}
	case msgCertificate:
		require.True(t, body.ReadUint24LengthPrefixed(&list))
		f.certificates = [][]byte{}
		for !list.Empty() {
			var der cryptobyte.String
			require.True(t, list.ReadUint24LengthPrefixed(&der))
			f.certificates = append(f.certificates, der)
		}
	case msgServerKeyExchange:
		f.exchange, body = body, nil
	case msgCertificateRequest:
		f.asked, body = true, nil
	}
	require.True(t, body.Empty(), "message %d has bytes to spare", kind)
}

// split parts the key exchange from its signature, by what the suite says that
// it holds.
func (f flightRead) split(t *testing.T, m method) (params, rest []byte) {
	t.Helper()
	s := cryptobyte.String(f.exchange)
	var n cryptobyte.String
	switch m.kx {
	case kxECDHE:
		var kind uint8
		var group uint16
		require.True(t, s.ReadUint8(&kind) && s.ReadUint16(&group) && s.ReadUint8LengthPrefixed(&n))
		require.Equal(t, []uint16{3, P256}, []uint16{uint16(kind), group})
	case kxRSAExport:
		require.True(t, s.ReadUint16LengthPrefixed(&n))
		require.Equal(t, exportBits, new(big.Int).SetBytes(n).BitLen())
		require.True(t, s.ReadUint16LengthPrefixed(&n))
	default:
		for range 3 {
			require.True(t, s.ReadUint16LengthPrefixed(&n))
		}
		if m.kx == kxDHEExport {
			require.LessOrEqual(t, f.primeBits(t), exportBits)
		}
	}
	return f.exchange[:len(f.exchange)-len(s)], s
}

// primeBits is the length of the prime of DHE.
func (f flightRead) primeBits(t *testing.T) int {
	t.Helper()
	s := cryptobyte.String(f.exchange)
	var p cryptobyte.String
	require.True(t, s.ReadUint16LengthPrefixed(&p))
	return new(big.Int).SetBytes(p).BitLen()
}

// verify holds the signature against the key, with Go's own functions.
func (f flightRead) verify(t *testing.T, m method, hello offer, key crypto.PrivateKey) {
	t.Helper()
	params, left := f.split(t, m)
	if m.by == nobody {
		require.Empty(t, left)
		return
	}
	s := cryptobyte.String(left)
	var scheme uint16
	var signature cryptobyte.String
	if hello.version >= TLS12 {
		require.True(t, s.ReadUint16(&scheme))
	}
	require.True(t, s.ReadUint16LengthPrefixed(&signature) && s.Empty())
	data := slices.Concat(clientRandom, f.random, params)
	first, short, long := md5.Sum(data), sha1.Sum(data), sha256.Sum256(data)
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if scheme == rsaSHA256 {
			require.NoError(t, rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, long[:], signature))
			return
		}
		require.Zero(t, scheme)
		require.NoError(t, rsa.VerifyPKCS1v15(&key.PublicKey, crypto.MD5SHA1, slices.Concat(first[:], short[:]), signature))
	case *ecdsa.PrivateKey:
		digest := short[:]
		if scheme == ecdsaSHA256 {
			digest = long[:]
		}
		require.True(t, ecdsa.VerifyASN1(&key.PublicKey, digest, signature))
	case *dsa.PrivateKey:
		var pair struct{ R, S *big.Int }
		_, err := asn1.Unmarshal(signature, &pair)
		require.NoError(t, err)
		require.True(t, dsa.Verify(&key.PublicKey, short[:], pair.R, pair.S))
	}
}
