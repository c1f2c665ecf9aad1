package dtlsserver

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// keyOf reads a SubjectPublicKeyInfo as far as it is understood.
func keyOf(spki []byte) tlsserver.Key {
	sum := sha256.Sum256(spki)
	k := tlsserver.Key{Kind: tlsserver.Other, SHA256: evidence.Digest(hex.EncodeToString(sum[:]))}
	parsed, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return k
	}
	switch p := parsed.(type) {
	case *rsa.PublicKey:
		k.Kind, k.Bits = tlsserver.RSA, p.N.BitLen()
	case *ecdsa.PublicKey:
		k.Kind, k.Curve, k.Bits = tlsserver.EC, tlsserver.Name(p.Curve.Params().Name), p.Curve.Params().BitSize
	case ed25519.PublicKey:
		k.Kind, k.Bits = tlsserver.Ed25519, 8*len(p)
	}
	return k
}
