package tlsserver

import (
	"encoding/asn1"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// scheme is a signature algorithm by its object identifier.
type scheme struct {
	name Name
	hash Hash
}

// schemes are the signature algorithms (RFC 8017, 5758, 8410, FIPS 204). That
// of RSASSA-PSS stands in its parameters.
var schemes = map[string]scheme{
	"1.2.840.113549.1.1.2": {"md2WithRSAEncryption", MD2}, "1.2.840.113549.1.1.4": {"md5WithRSAEncryption", MD5},
	"1.2.840.113549.1.1.5": {"sha1WithRSAEncryption", SHA1}, "1.3.14.3.2.29": {"sha1WithRSASignature", SHA1},
	"1.2.840.113549.1.1.11": {"sha256WithRSAEncryption", SHA256}, "1.2.840.113549.1.1.12": {"sha384WithRSAEncryption", SHA384},
	"1.2.840.113549.1.1.13": {"sha512WithRSAEncryption", SHA512}, "1.2.840.113549.1.1.10": {"rsassaPss", UnknownHash},
	"1.2.840.10040.4.3": {"dsa-with-sha1", SHA1}, "2.16.840.1.101.3.4.3.2": {"dsa-with-sha256", SHA256},
	"1.2.840.10045.4.1": {"ecdsa-with-SHA1", SHA1}, "1.2.840.10045.4.3.2": {"ecdsa-with-SHA256", SHA256},
	"1.2.840.10045.4.3.3": {"ecdsa-with-SHA384", SHA384}, "1.2.840.10045.4.3.4": {"ecdsa-with-SHA512", SHA512},
	"1.3.101.112": {"Ed25519", BuiltIn}, "1.3.101.113": {"Ed448", BuiltIn},
	"2.16.840.1.101.3.4.3.17": {"ML-DSA-44", BuiltIn}, "2.16.840.1.101.3.4.3.18": {"ML-DSA-65", BuiltIn},
	"2.16.840.1.101.3.4.3.19": {"ML-DSA-87", BuiltIn},
}

// pssHashes are the hash functions that RSASSA-PSS may name; SHA-1 if none is.
var pssHashes = map[string]Hash{
	"1.3.14.3.2.26": SHA1, "2.16.840.1.101.3.4.2.1": SHA256, "2.16.840.1.101.3.4.2.2": SHA384, "2.16.840.1.101.3.4.2.3": SHA512,
}

// curve is an elliptic curve by its object identifier.
type curve struct {
	name Name
	bits int
}

// curves are those of SEC 2 and RFC 5639.
var curves = map[string]curve{
	"1.2.840.10045.3.1.1": {"P-192", 192}, "1.3.132.0.33": {"P-224", 224}, "1.2.840.10045.3.1.7": {"P-256", 256},
	"1.3.132.0.34": {"P-384", 384}, "1.3.132.0.35": {"P-521", 521}, "1.3.132.0.10": {"secp256k1", 256},
	"1.3.132.0.8": {"secp160r1", 160}, "1.3.36.3.3.2.8.1.1.7": {"brainpoolP256r1", 256},
	"1.3.36.3.3.2.8.1.1.11": {"brainpoolP384r1", 384}, "1.3.36.3.3.2.8.1.1.13": {"brainpoolP512r1", 512},
}

// skeleton reads key and signature without crypto/x509, which refuses a
// certificate for a curve that it does not know, or for a small mistake.
func (c *Certificate) skeleton(der []byte) {
	c.Key.Kind, c.Signature.Hash = Other, UnknownHash
	in := cryptobyte.String(der)
	var cert, tbs, algorithm, spki cryptobyte.String
	if !in.ReadASN1(&cert, cbasn1.SEQUENCE) || !cert.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return
	}
	if cert.ReadASN1(&algorithm, cbasn1.SEQUENCE) {
		c.Signature = signature(algorithm)
	}
	version := cbasn1.Tag(0).ContextSpecific().Constructed()
	if !tbs.SkipOptionalASN1(version) || !tbs.SkipASN1(cbasn1.INTEGER) {
		return
	}
	for range 4 { // algorithm, issuer, validity, subject
		if !tbs.SkipASN1(cbasn1.SEQUENCE) {
			return
		}
	}
	if tbs.ReadASN1Element(&spki, cbasn1.SEQUENCE) {
		c.Key = key(spki)
	}
}

func signature(algorithm cryptobyte.String) Signature {
	var oid asn1.ObjectIdentifier
	if !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return Signature{Hash: UnknownHash}
	}
	known, ok := schemes[oid.String()]
	if !ok {
		return Signature{OID: Name(oid.String()), Hash: UnknownHash}
	}
	if known.name == "rsassaPss" {
		known.hash = pss(algorithm)
	}
	return Signature{Name(oid.String()), known.name, known.hash}
}

// pss reads the hash function from the parameters of RSASSA-PSS (RFC 4055, 3.1).
func pss(parameters cryptobyte.String) Hash {
	var seq, tagged, algorithm cryptobyte.String
	var there bool
	if !parameters.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadOptionalASN1(&tagged, &there, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return UnknownHash
	}
	if !there {
		return SHA1
	}
	var oid asn1.ObjectIdentifier
	if !tagged.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) || pssHashes[oid.String()] == "" {
		return UnknownHash
	}
	return pssHashes[oid.String()]
}

// key reads a SubjectPublicKeyInfo.
func key(element cryptobyte.String) Key {
	k := Key{Kind: Other, SHA256: digest(element)}
	var (
		spki, algorithm, public cryptobyte.String
		oid, named              asn1.ObjectIdentifier
		unused                  uint8
	)
	if !element.ReadASN1(&spki, cbasn1.SEQUENCE) || !spki.ReadASN1(&algorithm, cbasn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) || !spki.ReadASN1(&public, cbasn1.BIT_STRING) || !public.ReadUint8(&unused) {
		return k
	}
	switch oid.String() {
	case "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10":
		k.Kind, k.Bits = RSA, modulus(public)
	case "1.2.840.10045.2.1":
		k.Kind = EC
		if algorithm.ReadASN1ObjectIdentifier(&named) {
			at := curves[named.String()]
			k.Curve, k.Bits = at.name, at.bits
		}
	case "1.2.840.10040.4.1":
		k.Kind, k.Bits = DSA, modulus(algorithm) // p is the first parameter
	case "1.3.101.112":
		k.Kind, k.Bits = Ed25519, 256
	case "1.3.101.113":
		k.Kind, k.Bits = Ed448, 456
	}
	return k
}

// modulus returns the length in bits of the number that a sequence begins with,
// which is the modulus of an RSA key.
func modulus(public cryptobyte.String) int {
	var seq, n cryptobyte.String
	if !public.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&n, cbasn1.INTEGER) {
		return 0
	}
	for len(n) > 0 && n[0] == 0 {
		n = n[1:]
	}
	if len(n) == 0 {
		return 0
	}
	return 8*(len(n)-1) + bits.Len8(n[0])
}
