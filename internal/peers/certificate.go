package peers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificateLife is how long a test's certificates hold, before and after
// now: long enough for a run on a machine whose clock is off.
const certificateLife = 24 * time.Hour

// Authority issues certificates for peers and for the clients that they ask
// for one.
type Authority struct {
	// Pool trusts this authority alone.
	Pool *x509.CertPool
	// File holds its certificate, PEM.
	File string

	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Certificate is a leaf with its key, in files and in memory.
type Certificate struct {
	// CertFile, KeyFile and CAFile are PEM files.
	CertFile, KeyFile, CAFile string
	// TLS is the pair as crypto/tls takes it.
	TLS tls.Certificate
}

// NewAuthority makes a certificate authority.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{dir: t.TempDir(), key: newKey(t), Pool: x509.NewCertPool()}
	template := newTemplate(t, "Test Authority")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	der := sign(t, template, template, a.key, a.key)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatalf("certificate authority: %v", err)
	}
	a.Pool.AddCert(a.cert)
	a.File = filepath.Join(a.dir, "ca.pem")
	writePEM(t, a.File, "CERTIFICATE", der)
	return a
}

// Issue makes a certificate, for servers and clients alike, that names hosts
// and addresses; the first is its common name as well.
func (a *Authority) Issue(t testing.TB, hosts ...string) Certificate {
	t.Helper()
	return a.IssueAs(t, newKey(t), func(*x509.Certificate) {}, hosts...)
}

// IssueAs is Issue for a key of the caller's, with whatever change to what the
// certificate says.
func (a *Authority) IssueAs(t testing.TB, key crypto.Signer, change func(*x509.Certificate), hosts ...string) Certificate {
	t.Helper()
	template := newTemplate(t, hosts[0])
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	change(template)
	return a.store(t, template, key)
}

// store signs a template and writes its files.
func (a *Authority) store(t testing.TB, template *x509.Certificate, key crypto.Signer) Certificate {
	t.Helper()
	der := sign(t, template, a.cert, key, a.key)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("private key: %v", err)
	}
	base := filepath.Join(a.dir, template.SerialNumber.Text(16))
	c := Certificate{
		CertFile: base + ".pem", KeyFile: base + ".key", CAFile: a.File,
		TLS: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
	}
	writePEM(t, c.CertFile, "CERTIFICATE", der)
	writePEM(t, c.KeyFile, "PRIVATE KEY", pkcs8)
	return c
}

// newTemplate is what all certificates share.
func newTemplate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatalf("serial number: %v", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-certificateLife),
		NotAfter:     time.Now().Add(certificateLife),
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("private key: %v", err)
	}
	return key
}

func sign(t testing.TB, template, parent *x509.Certificate, key, parentKey crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatalf("certificate: %v", err)
	}
	return der
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatalf("certificate file: %v", err)
	}
}
