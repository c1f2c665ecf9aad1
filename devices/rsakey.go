package devices

import (
	"crypto/rsa"
	"fmt"
	"math/big"
)

// rsaKey returns an RSA key that depends on the unit and the length alone. The
// library makes none that can be made again.
func rsaKey(unit string, bits int) (*rsa.PrivateKey, error) {
	const exponent = 65537
	one := big.NewInt(1)
	p, err := prime(unit, bits/2, 0)
	if err != nil {
		return nil, err
	}
	q, err := prime(unit, bits/2, 1)
	if err != nil {
		return nil, err
	}
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	d := new(big.Int).ModInverse(big.NewInt(exponent), phi)
	if d == nil || p.Cmp(q) == 0 {
		return nil, fmt.Errorf("no RSA key of %d bits for unit %q", bits, unit)
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: exponent},
		D:         d,
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		return nil, fmt.Errorf("RSA key of %d bits for unit %q: %w", bits, unit, err)
	}
	return key, nil
}

// prime returns the first prime at or after a number of the unit's own, of
// which the two highest bits are set: the product of two has its full length.
func prime(unit string, bits, which int) (*big.Int, error) {
	b, err := derive(unit, fmt.Sprintf("RSA prime %d of %d bits", which, bits), bits/8)
	if err != nil {
		return nil, err
	}
	b[0] |= 0xc0
	b[len(b)-1] |= 1
	const rounds = 20 // as certain as the library's own
	n := new(big.Int).SetBytes(b)
	for two := big.NewInt(2); !n.ProbablyPrime(rounds); n.Add(n, two) {
	}
	return n, nil
}
