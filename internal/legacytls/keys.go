package legacytls

import (
	"crypto/dsa" //nolint:staticcheck // old devices have such keys, and are played here
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
)

// ShortRSA makes an RSA key of a length that crypto/rsa refuses to make.
func ShortRSA(bits int) (*rsa.PrivateKey, error) {
	one, e := big.NewInt(1), big.NewInt(65537)
	const tries = 100 // one in some thousand primes does not go with the exponent
	for range tries {
		p, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			return nil, err
		}
		q, err := rand.Prime(rand.Reader, bits-bits/2)
		if err != nil {
			return nil, err
		}
		n := new(big.Int).Mul(p, q)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		if d != nil && n.BitLen() == bits && p.Cmp(q) != 0 {
			return &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: d, Primes: []*big.Int{p, q}}, nil
		}
	}
	return nil, errors.New("legacytls: no key of that length found")
}

// DSA makes a DSA key of 1024 bits, the longest that TLS ever had suites for.
func DSA() (*dsa.PrivateKey, error) {
	key := &dsa.PrivateKey{}
	if err := dsa.GenerateParameters(&key.Parameters, rand.Reader, dsa.L1024N160); err != nil {
		return nil, err
	}
	return key, dsa.GenerateKey(key, rand.Reader)
}

// keyBits is the length of the server's RSA key, 0 if it has none.
func (s *Server) keyBits() int {
	if key, ok := s.Key.(*rsa.PrivateKey); ok {
		return key.N.BitLen()
	}
	return 0
}
