package legacytls

import (
	"crypto"
	"crypto/dsa" //nolint:staticcheck // old devices have such keys, and are played here
	"crypto/ecdsa"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// The schemes of TLS 1.2 that an old server signs with.
const (
	rsaSHA1     uint16 = 0x0201
	dsaSHA1     uint16 = 0x0202
	ecdsaSHA1   uint16 = 0x0203
	rsaSHA256   uint16 = 0x0401
	ecdsaSHA256 uint16 = 0x0403
)

// signed adds to params the signature over data, which TLS 1.2 precedes by its
// scheme.
func (s *Server) signed(params, data []byte, h Hello, version uint16) ([]byte, error) {
	b := cryptobyte.NewBuilder(slices.Clone(params))
	scheme := uint16(0)
	if version >= TLS12 {
		scheme = s.scheme(h)
		b.AddUint16(scheme)
	}
	signature, err := s.sign(data, scheme)
	if err != nil {
		return nil, err
	}
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(signature) })
	return b.Bytes()
}

// scheme is the better one of those that the client takes; one that names none
// takes SHA-1 (RFC 5246, 7.4.1.4.1).
func (s *Server) scheme(h Hello) uint16 {
	better, old := rsaSHA256, rsaSHA1
	switch s.signs() {
	case byECDSA:
		better, old = ecdsaSHA256, ecdsaSHA1
	case byDSS:
		return dsaSHA1
	}
	if slices.Contains(h.Signatures, better) {
		return better
	}
	return old
}

// sign signs data by a scheme, or, if that is 0, as before TLS 1.2.
func (s *Server) sign(data []byte, scheme uint16) ([]byte, error) {
	short, long := sha1.Sum(data), sha256.Sum256(data)
	hash, digest := crypto.SHA1, short[:]
	if scheme == rsaSHA256 || scheme == ecdsaSHA256 {
		hash, digest = crypto.SHA256, long[:]
	}
	switch key := s.Key.(type) {
	case *rsa.PrivateKey:
		if scheme == 0 {
			first := md5.Sum(data)
			hash, digest = crypto.MD5SHA1, append(first[:], digest...)
		}
		return signRSA(key, hash, digest)
	case *ecdsa.PrivateKey:
		return ecdsa.SignASN1(rand.Reader, key, digest)
	case *dsa.PrivateKey:
		r, v, err := dsa.Sign(rand.Reader, key, digest)
		if err != nil {
			return nil, err
		}
		return asn1.Marshal(struct{ R, S *big.Int }{r, v})
	}
	return nil, errors.New("no key to sign with")
}

// prefixes are what stands before a digest in a signature of RFC 8017, 9.2.
var prefixes = map[crypto.Hash][]byte{
	crypto.MD5SHA1: {},
	crypto.SHA1:    {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14},
	crypto.SHA256:  {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
}

// signRSA is RSASSA-PKCS1-v1_5 for keys of any length: crypto/rsa refuses those
// that we are to show. No secret is at stake, so it need not take constant
// time.
func signRSA(key *rsa.PrivateKey, hash crypto.Hash, digest []byte) ([]byte, error) {
	payload := append(slices.Clone(prefixes[hash]), digest...)
	size := (key.N.BitLen() + 7) / 8
	if size < len(payload)+11 {
		return nil, errors.New("the key is too short for the signature")
	}
	padded := slices.Repeat([]byte{0xff}, size)
	padded[0], padded[1], padded[size-len(payload)-1] = 0, 1, 0
	copy(padded[size-len(payload):], payload)
	m := new(big.Int).SetBytes(padded)
	return m.Exp(m, key.D, key.N).FillBytes(make([]byte, size)), nil
}
