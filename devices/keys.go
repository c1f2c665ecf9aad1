package devices

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/device"
)

// seed is where all keys and passwords of emulated devices come from. It is
// public: what grows from it protects nothing but a lesson.
const seed = "assay lab keys: public, for emulated devices only"

// labelled marks every certificate made here.
const labelled = "lab key, public, for emulated devices only"

// derive returns n bytes that depend on the unit and the purpose alone.
func derive(unit, purpose string, n int) ([]byte, error) {
	b, err := hkdf.Key(sha256.New, []byte(seed), []byte(unit), purpose, n)
	if err != nil {
		return nil, fmt.Errorf("deriving %s of unit %q: %w", purpose, unit, err)
	}
	return b, nil
}

// password returns the password that one unit has for one credential.
func password(unit, credential string) (string, error) {
	b, err := derive(unit, "password "+credential, 15)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b)), err
}

// preShared returns the key that one unit has for one credential: its password,
// or 16 bytes that are no text.
func preShared(unit string, c device.Credential) ([]byte, error) {
	if c.Encoding == device.Hex {
		return derive(unit, "pre-shared key "+c.ID, 16)
	}
	p, err := password(unit, c.ID)
	return []byte(p), err
}

// signingKey returns a key on P-256. Almost every 32 bytes are one; if not, the
// next ones are tried.
func signingKey(unit, purpose string) (*ecdsa.PrivateKey, error) {
	for i := range 8 {
		b, err := derive(unit, fmt.Sprintf("%s %d", purpose, i), 32)
		if err != nil {
			return nil, err
		}
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b); err == nil {
			return key, nil
		}
	}
	return nil, fmt.Errorf("no %s for unit %q", purpose, unit)
}

// authority returns the certificate, and its key, that signs those of all
// emulated devices.
func authority() (*x509.Certificate, crypto.Signer, error) {
	key, err := signingKey("authority", "signing key")
	if err != nil {
		return nil, nil, err
	}
	t := template("Assay lab authority", 1)
	t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign
	cert, err := sign(t, t, key, key)
	return cert, key, err
}

// papers say what the certificate of a unit is like.
type papers struct {
	model      string
	addrs      []netip.Addr
	names      []string
	from       time.Time // zero for the usual dates
	until      time.Time
	rsaBits    int // 0 for a key on P-256
	selfSigned bool
}

// certificate returns the certificate of one unit.
func certificate(unit string, p papers) (tls.Certificate, error) {
	key, err := p.key(unit)
	if err != nil {
		return tls.Certificate{}, err
	}
	t, err := p.template(unit)
	if err != nil {
		return tls.Certificate{}, err
	}
	parent, signer := t, key
	if !p.selfSigned {
		if parent, signer, err = authority(); err != nil {
			return tls.Certificate{}, err
		}
	}
	leaf, err := sign(t, parent, key, signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func (p papers) key(unit string) (crypto.Signer, error) {
	if p.rsaBits == 0 {
		return signingKey(unit, "TLS key")
	}
	return rsaKey(unit, p.rsaBits)
}

func (p papers) template(unit string) (*x509.Certificate, error) {
	number, err := derive(unit, "certificate number", 8)
	if err != nil {
		return nil, err
	}
	t := template(p.model, binary.BigEndian.Uint64(number)>>1)
	t.Subject.SerialNumber = unit
	t.DNSNames = p.names
	for _, a := range p.addrs {
		t.IPAddresses = append(t.IPAddresses, a.AsSlice())
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	if p.rsaBits > 0 {
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if !p.from.IsZero() {
		t.NotBefore = p.from
	}
	if !p.until.IsZero() {
		t.NotAfter = p.until
	}
	return t, nil
}

// template begins a certificate. Its dates are fixed, so that the same unit at
// the same address always shows the same one.
func template(name string, number uint64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetUint64(number),
		Subject:      pkix.Name{CommonName: name, OrganizationalUnit: []string{labelled}},
		NotBefore:    time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// sign makes the certificate. Without a source of chance ECDSA signs as RFC
// 6979 says: the same bytes each time.
func sign(t, parent *x509.Certificate, key, signer crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(nil, t, parent, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// fingerprint is how a device file pins a certificate.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

func certificatePEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
