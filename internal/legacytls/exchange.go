package legacytls

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// exportBits is how long the keys of export suites are at the most (RFC 2246,
// 7.4.3).
const exportBits = 512

// keyExchange is the body of the ServerKeyExchange message, empty if there is
// none.
func (s *Server) keyExchange(m method, h Hello, c Choice, random []byte) ([]byte, error) {
	params, err := s.params(m, c)
	if err != nil || params == nil || m.by == nobody {
		return params, err
	}
	return s.signed(params, slices.Concat(h.Random, random, params), h, c.Version)
}

// params are what the server offers to agree on a key with.
func (s *Server) params(m method, c Choice) ([]byte, error) {
	switch m.kx {
	case kxDHE:
		bits := s.DHBits
		if bits == 0 {
			bits = 1024
		}
		return dhParams(bits)
	case kxDHEExport:
		return dhParams(exportBits)
	case kxECDHE:
		return curveParams(c.Group)
	case kxRSAExport:
		return s.shortRSA()
	}
	return nil, nil
}

// integers writes numbers, each with its length.
func integers(list ...*big.Int) []byte {
	b := cryptobyte.NewBuilder(nil)
	for _, n := range list {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(n.Bytes()) })
	}
	return b.BytesOrPanic()
}

// shortRSA is the key of an export suite; a certified key that is short enough
// needs no other.
func (s *Server) shortRSA() ([]byte, error) {
	if bits := s.keyBits(); bits > 0 && bits <= exportBits {
		return nil, nil
	}
	key, err := ShortRSA(exportBits)
	if err != nil {
		return nil, err
	}
	return integers(key.N, big.NewInt(int64(key.E))), nil
}

// dhParams is a prime of so many bits, the generator 2, and a public value.
func dhParams(bits int) ([]byte, error) {
	p, err := prime(bits)
	if err != nil {
		return nil, err
	}
	x, err := rand.Int(rand.Reader, p)
	if err != nil {
		return nil, err
	}
	g := big.NewInt(2)
	return integers(p, g, new(big.Int).Exp(g, x.Add(x, g), p)), nil
}

// oakley are the primes of RFC 2409 and RFC 3526, by their length, as those say
// to work them out: 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + c).
var oakley = map[int]int64{768: 149686, 1024: 129093, 1536: 741804, 2048: 124476, 3072: 1690314, 4096: 240904}

// prime returns a prime of so many bits: a well-known one, or a fresh one where
// there is none.
func prime(bits int) (*big.Int, error) {
	c, ok := oakley[bits]
	if !ok {
		return rand.Prime(rand.Reader, bits)
	}
	n := uint(bits)
	one := big.NewInt(1)
	p := new(big.Int).Lsh(one, n)
	p.Sub(p, new(big.Int).Lsh(one, n-64))
	p.Sub(p, one)
	middle := piTimes(n - 130)
	middle.Add(middle, big.NewInt(c))
	return p.Add(p, middle.Lsh(middle, 64)), nil
}

// piTimes returns 2^n * pi, rounded down, by Machin's formula with 64 bits to
// spare.
func piTimes(n uint) *big.Int {
	const spare = 64
	pi := arctan(5, n+spare)
	pi.Lsh(pi, 2).Sub(pi, arctan(239, n+spare))
	return pi.Lsh(pi, 2).Rsh(pi, spare)
}

// arctan returns 2^n * arctan(1/x).
func arctan(x int64, n uint) *big.Int {
	term := new(big.Int).Lsh(big.NewInt(1), n)
	term.Div(term, big.NewInt(x))
	sum, square := new(big.Int).Set(term), big.NewInt(x*x)
	for k := int64(3); term.Sign() != 0; k += 2 {
		term.Div(term, square).Neg(term)
		sum.Add(sum, new(big.Int).Quo(term, big.NewInt(k)))
	}
	return sum
}

// curves are the groups for key exchange, by their numbers.
var curves = map[uint16]func() ecdh.Curve{P256: ecdh.P256, P384: ecdh.P384, P521: ecdh.P521, X25519: ecdh.X25519}

// curveParams is a named curve and a point on it (RFC 8422, 5.4).
func curveParams(group uint16) ([]byte, error) {
	curve, ok := curves[group]
	if !ok {
		return nil, fmt.Errorf("group %d is not known", group)
	}
	key, err := curve().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	const namedCurve = 3
	b := cryptobyte.NewBuilder(nil)
	b.AddUint8(namedCurve)
	b.AddUint16(group)
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(key.PublicKey().Bytes()) })
	return b.Bytes()
}
