package tlsserver

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// algorithm is an AlgorithmIdentifier with parameters.
func algorithm(t *testing.T, parameters any, oid ...int) pkix.AlgorithmIdentifier {
	t.Helper()
	a := pkix.AlgorithmIdentifier{Algorithm: oid}
	if parameters != nil {
		der, err := asn1.Marshal(parameters)
		require.NoError(t, err)
		a.Parameters = asn1.RawValue{FullBytes: der}
	}
	return a
}

// spki is a SubjectPublicKeyInfo.
func spki(t *testing.T, a pkix.AlgorithmIdentifier, public any) []byte {
	t.Helper()
	bits, err := asn1.Marshal(public)
	require.NoError(t, err)
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Public    asn1.BitString
	}{a, asn1.BitString{Bytes: bits, BitLength: 8 * len(bits)}})
	require.NoError(t, err)
	return der
}

func TestKeysThatNoLibraryReads(t *testing.T) {
	type one struct{ N int }
	type dss struct{ P, Q, G int }
	type none struct{}
	for name, tt := range map[string]struct {
		der  []byte
		want Key
	}{
		"dsa":            {spki(t, algorithm(t, dss{0x1ffff, 3, 5}, 1, 2, 840, 10040, 4, 1), 7), Key{Kind: DSA, Bits: 17}},
		"dsa_bare":       {spki(t, algorithm(t, nil, 1, 2, 840, 10040, 4, 1), 7), Key{Kind: DSA}},
		"ed448":          {spki(t, algorithm(t, nil, 1, 3, 101, 113), 7), Key{Kind: Ed448, Bits: 456}},
		"rsa_pss":        {spki(t, algorithm(t, nil, 1, 2, 840, 113549, 1, 1, 10), one{0x80}), Key{Kind: RSA, Bits: 8}},
		"rsa_zero":       {spki(t, algorithm(t, nil, 1, 2, 840, 113549, 1, 1, 1), one{0}), Key{Kind: RSA}},
		"rsa_no_modulus": {spki(t, algorithm(t, nil, 1, 2, 840, 113549, 1, 1, 1), none{}), Key{Kind: RSA}},
		"brainpool":      {spki(t, algorithm(t, asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 11}, 1, 2, 840, 10045, 2, 1), 7), Key{Kind: EC, Curve: "brainpoolP384r1", Bits: 384}},
		"explicit_curve": {spki(t, algorithm(t, one{1}, 1, 2, 840, 10045, 2, 1), 7), Key{Kind: EC}},
		"unknown":        {spki(t, algorithm(t, nil, 1, 2, 3), 7), Key{Kind: Other}},
		"nothing":        {nil, Key{Kind: Other}},
		"half":           {spki(t, algorithm(t, nil, 1, 3, 101, 113), 7)[:6], Key{Kind: Other}},
	} {
		tt.want.SHA256 = digest(tt.der)
		assert.Equal(t, tt.want, key(tt.der), name)
	}
}

func TestSignaturesThatNoLibraryReads(t *testing.T) {
	type hashed struct {
		Hash pkix.AlgorithmIdentifier `asn1:"explicit,tag:0"`
	}
	type salted struct {
		Salt int `asn1:"explicit,tag:2"`
	}
	pss := []int{1, 2, 840, 113549, 1, 1, 10}
	for name, tt := range map[string]struct {
		a    pkix.AlgorithmIdentifier
		want Signature
	}{
		"pss_sha512":   {algorithm(t, hashed{algorithm(t, nil, 2, 16, 840, 1, 101, 3, 4, 2, 3)}, pss...), Signature{"1.2.840.113549.1.1.10", "rsassaPss", SHA512}},
		"pss_default":  {algorithm(t, salted{20}, pss...), Signature{"1.2.840.113549.1.1.10", "rsassaPss", SHA1}},
		"pss_other":    {algorithm(t, hashed{algorithm(t, nil, 1, 2, 3)}, pss...), Signature{"1.2.840.113549.1.1.10", "rsassaPss", UnknownHash}},
		"pss_no_hash":  {algorithm(t, 7, pss...), Signature{"1.2.840.113549.1.1.10", "rsassaPss", UnknownHash}},
		"md2":          {algorithm(t, nil, 1, 2, 840, 113549, 1, 1, 2), Signature{"1.2.840.113549.1.1.2", "md2WithRSAEncryption", MD2}},
		"ml_dsa":       {algorithm(t, nil, 2, 16, 840, 1, 101, 3, 4, 3, 18), Signature{"2.16.840.1.101.3.4.3.18", "ML-DSA-65", BuiltIn}},
		"not_known":    {algorithm(t, nil, 1, 2, 3), Signature{"1.2.3", "", UnknownHash}},
		"no_algorithm": {pkix.AlgorithmIdentifier{}, Signature{Hash: UnknownHash}},
	} {
		var body []byte
		if len(tt.a.Algorithm) > 0 {
			der, err := asn1.Marshal(tt.a)
			require.NoError(t, err)
			var whole asn1.RawValue
			_, err = asn1.Unmarshal(der, &whole)
			require.NoError(t, err)
			body = whole.Bytes
		}
		assert.Equal(t, tt.want, signature(body), name)
	}
}

// Cut anywhere, a certificate loses facts and gains none.
func TestCertificateCutAnywhere(t *testing.T) {
	der := selfMade(t, rsaKey(), template("device.example")).Certificate[0]
	for n := range len(der) {
		b := &Book{}
		require.Equal(t, []int{0}, b.Places([][]byte{der[:n]}))
		c := b.Certificates()[0]
		require.Equal(t, no, c.Parsed, n)
		require.Equal(t, evidence.Unknown, c.SelfSigned, n)
		require.Contains(t, []KeyKind{Other, RSA}, c.Key.Kind, n)
		require.Empty(t, c.Names, n)
	}
}

// A signature of an elliptic curve over SHA-1 is looked at as well.
func TestSelfSignedOldCurve(t *testing.T) {
	c, err := x509.ParseCertificate(selfMade(t, ecKey(), template()).Certificate[0])
	require.NoError(t, err)
	c.SignatureAlgorithm = x509.ECDSAWithSHA1 // the signature is over another hash
	assert.Equal(t, no, selfSigned(c))
	c.PublicKey = nil
	assert.Equal(t, no, selfSigned(c))
}

func TestVersionName(t *testing.T) {
	assert.Equal(t, Name("TLS 1.2"), versionName(TLS12))
	assert.Equal(t, Name("0x0305"), versionName(0x0305))
}
