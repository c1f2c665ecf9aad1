package tlsserver

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// foreign is a certificate for a key that somebody else signed.
func foreign(t *testing.T, public any, c *x509.Certificate) []byte {
	t.Helper()
	issuer := template()
	issuer.Subject.CommonName = "Maker"
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, public, ecKey())
	require.NoError(t, err)
	return der
}

// otherCurve is a certificate with a curve that crypto/x509 does not know.
func otherCurve(t *testing.T) []byte {
	der := selfMade(t, ecKey(), template()).Certificate[0]
	p256, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7})
	require.NoError(t, err)
	return bytes.Replace(der, p256, append(slices.Clone(p256[:len(p256)-1]), 8), 1)
}

func TestCertificateFacts(t *testing.T) {
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf("host-%05d.device.example", i)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	huge := &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 65_535), 0, 1), E: 65537}
	ca := template("ca.example")
	ca.IsCA, ca.BasicConstraintsValid = true, true
	pss := template()
	pss.SignatureAlgorithm = x509.SHA384WithRSAPSS
	addressed := template("x.example")
	addressed.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1), net.ParseIP("2001:db8::1")}
	tests := []struct {
		name string
		der  []byte
		want Certificate
	}{
		{"ec", selfMade(t, ecKey(), template("a.example")).Certificate[0], Certificate{Parsed: yes, NamesInAll: 1,
			Key: Key{Kind: EC, Curve: "P-256", Bits: 256}, Signature: Signature{Name: "ecdsa-with-SHA256", Hash: SHA256}, SelfSigned: yes, CA: no}},
		{"rsa_ca", selfMade(t, rsaKey(), ca).Certificate[0], Certificate{Parsed: yes, NamesInAll: 1,
			Key: Key{Kind: RSA, Bits: 2048}, Signature: Signature{Name: "sha256WithRSAEncryption", Hash: SHA256}, SelfSigned: yes, CA: yes}},
		{"pss", selfMade(t, rsaKey(), pss).Certificate[0], Certificate{Parsed: yes,
			Key: Key{Kind: RSA, Bits: 2048}, Signature: Signature{Name: "rsassaPss", Hash: SHA384}, SelfSigned: yes, CA: no}},
		{"ed25519", selfMade(t, edKey, template()).Certificate[0], Certificate{Parsed: yes,
			Key: Key{Kind: Ed25519, Bits: 256}, Signature: Signature{Name: "Ed25519", Hash: BuiltIn}, SelfSigned: yes, CA: no}},
		{"foreign", foreign(t, edPublic, addressed), Certificate{Parsed: yes, NamesInAll: 3,
			Key: Key{Kind: Ed25519, Bits: 256}, Signature: Signature{Name: "ecdsa-with-SHA256", Hash: SHA256}, SelfSigned: no, CA: no}},
		{"huge_key", foreign(t, huge, template()), Certificate{Parsed: yes,
			Key: Key{Kind: RSA, Bits: 65_536}, Signature: Signature{Name: "ecdsa-with-SHA256", Hash: SHA256}, SelfSigned: no, CA: no}},
		{"ten_thousand_names", selfMade(t, ecKey(), template(many...)).Certificate[0], Certificate{Parsed: yes, NamesInAll: 10_000,
			Key: Key{Kind: EC, Curve: "P-256", Bits: 256}, Signature: Signature{Name: "ecdsa-with-SHA256", Hash: SHA256}, SelfSigned: yes, CA: no}},
		{"other_curve", otherCurve(t), Certificate{Parsed: no,
			Key: Key{Kind: EC}, Signature: Signature{Name: "ecdsa-with-SHA256", Hash: SHA256}}},
		{"garbage", []byte("no certificate at all"), Certificate{Parsed: no, Key: Key{Kind: Other}, Signature: Signature{Hash: UnknownHash}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := &book{}
			require.Equal(t, []int{0, 0}, b.places([][]byte{tt.der, tt.der}))
			require.Len(t, b.certificates, 1)
			got := b.certificates[0]
			assert.Equal(t, tt.der, []byte(got.DER))
			assert.Equal(t, digest(tt.der), got.SHA256)
			assert.LessOrEqual(t, len(got.Names), mostNames)
			assert.Equal(t, tt.want.NamesInAll <= mostNames, got.AllNames())
			if got.Parsed == yes {
				parsed, err := got.X509()
				require.NoError(t, err)
				assert.Equal(t, digest(parsed.RawSubjectPublicKeyInfo), got.Key.SHA256)
				assert.Equal(t, 9999, got.NotAfter.Year())
				assert.Contains(t, got.Subject.String(), "CN=device")
			}
			got.Key.SHA256, got.Signature.OID = "", ""
			assert.Equal(t, tt.want, Certificate{Parsed: got.Parsed, NamesInAll: got.NamesInAll, Key: got.Key, Signature: got.Signature, SelfSigned: got.SelfSigned, CA: got.CA})
		})
	}
}

// Old signatures of a key over itself are looked at too.
func TestSelfSignedOld(t *testing.T) {
	for alg, want := range map[x509.SignatureAlgorithm]evidence.Tri{x509.SHA1WithRSA: no, x509.MD5WithRSA: no, x509.MD2WithRSA: evidence.Unknown} {
		c, err := x509.ParseCertificate(selfMade(t, rsaKey(), template()).Certificate[0])
		require.NoError(t, err)
		c.SignatureAlgorithm = alg // the signature is over another hash
		assert.Equal(t, want, selfSigned(c), alg)
	}
}

// A device cannot make the record larger than a record may be.
func TestBookIsBounded(t *testing.T) {
	b := &book{}
	var chain [][]byte
	for i := range mostCertificates + 20 {
		chain = append(chain, append(make([]byte, 64<<10), byte(i)))
	}
	assert.Len(t, b.places(chain), mostCertificates)
	kept := 0
	for _, c := range b.certificates {
		kept += len(c.DER)
	}
	assert.LessOrEqual(t, kept, mostDER)
	assert.Positive(t, kept)
}

// Chains that crypto/tls would not bear are seen in the flight before TLS 1.3.
func TestLongChains(t *testing.T) {
	t.Parallel()
	long := make([][]byte, 30)
	for i := range long {
		c := template()
		c.SerialNumber = big.NewInt(int64(i))
		c.OCSPServer = []string{fmt.Sprintf("http://%02048d.example", i)}
		long[i] = selfMade(t, ecKey(), c).Certificate[0]
	}
	huge := foreign(t, &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 65_535), 0, 1), E: 65537}, template())
	for name, tt := range map[string]struct {
		chain        [][]byte
		kept, served int
	}{"64_KiB": {long, 10, 30}, "huge_key": {[][]byte{huge}, 1, 1}, "none": {nil, 0, 0}, "garbage": {[][]byte{{1, 2, 3}}, 1, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := collect(t, over(rawServer(t, func(o offer) []byte {
				if o.version > uint16(TLS12) && o.n > 1 || !slices.Contains(o.suites, 0x002f) {
					return refusal
				}
				return flight(min(o.version, uint16(TLS12)), 0x002f, tt.chain...)
			})))
			require.NoError(t, err)
			l := e.Listeners[0]
			require.Len(t, l.Chains, min(1, tt.served))
			if tt.served > 0 {
				assert.Len(t, l.Chains[0].Places, tt.kept)
				assert.Equal(t, tt.served, l.Chains[0].Served)
				assert.NotEqual(t, yes, l.Chains[0].Proven)
				assert.Len(t, e.Of(l.Chains[0]), tt.kept)
			}
			assert.NotEqual(t, Completed, l.Handshakes[0].Outcome)
		})
	}
}

// A long chain in a whole handshake.
func TestLongChainInHandshake(t *testing.T) {
	names := make([]string, 9000)
	for i := range names {
		names[i] = fmt.Sprintf("host-%05d.device.example", i)
	}
	l, e := lookAt(t, &tls.Config{Certificates: []tls.Certificate{selfMade(t, ecKey(), template(names...))}, MinVersion: tls.VersionTLS13})
	require.Len(t, l.Chains, 1)
	assert.Equal(t, yes, l.Chains[0].Proven)
	assert.Equal(t, 9000, e.Certificates[0].NamesInAll)
	assert.Equal(t, Name(names[0]), l.Handshakes[2].ServerName)
}

// What is served is a certificate with a key that crypto/tls refuses, which the server
// cannot hold: it signs with another one.
func TestKeyTooLargeIn13(t *testing.T) {
	public := &rsa.PublicKey{N: new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 16_383), 0, 1), E: 65537}
	cert := tls.Certificate{Certificate: [][]byte{foreign(t, public, template())}, PrivateKey: lent{rsaKey(), public}}
	l, e := lookAt(t, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13})
	require.Len(t, l.Chains, 1)
	assert.Equal(t, NotOurs, l.Handshakes[0].Outcome)
	assert.Equal(t, 16_384, e.Certificates[0].Key.Bits)
	assert.NotEqual(t, yes, l.Chains[0].Proven)
	assert.NotEmpty(t, l.Signatures)
}

// lent is a key that claims to be another one.
type lent struct {
	*rsa.PrivateKey
	claims *rsa.PublicKey
}

// Public returns the key that is claimed.
func (l lent) Public() crypto.PublicKey { return l.claims }

func FuzzCertificate(f *testing.F) {
	key := rsaKey()
	der, err := x509.CreateCertificate(rand.Reader, template("a.example"), template(), key.Public(), key)
	require.NoError(f, err)
	f.Add(der)
	f.Add([]byte("\x30\x03\x30\x01\x30"))
	f.Fuzz(func(t *testing.T, b []byte) {
		book := &book{}
		book.places([][]byte{b})
		c := book.certificates[0]
		if c.Key.Kind == "" || c.Signature.Hash == "" || c.Key.Bits > 8*len(b) && c.Key.Curve == "" && c.Key.Kind == RSA {
			t.Errorf("read as %+v", c)
		}
	})
}
