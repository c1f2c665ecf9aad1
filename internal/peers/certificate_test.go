package peers

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
	"time"
)

func TestIssue(t *testing.T) {
	authority, stranger := NewAuthority(t), NewAuthority(t)
	c := authority.Issue(t, "device.test", "127.0.0.1", "::1")
	leaf, err := x509.ParseCertificate(c.TLS.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		host  string
		roots *x509.CertPool
		usage x509.ExtKeyUsage
		holds bool
	}{
		{"name", "device.test", authority.Pool, x509.ExtKeyUsageServerAuth, true},
		{"address", "127.0.0.1", authority.Pool, x509.ExtKeyUsageServerAuth, true},
		{"address6", "::1", authority.Pool, x509.ExtKeyUsageServerAuth, true},
		{"client", "", authority.Pool, x509.ExtKeyUsageClientAuth, true},
		{"other_name", "other.test", authority.Pool, x509.ExtKeyUsageServerAuth, false},
		{"other_address", "127.0.0.2", authority.Pool, x509.ExtKeyUsageServerAuth, false},
		{"other_authority", "device.test", stranger.Pool, x509.ExtKeyUsageServerAuth, false},
		{"other_use", "device.test", authority.Pool, x509.ExtKeyUsageCodeSigning, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := leaf.Verify(x509.VerifyOptions{
				DNSName: tt.host, Roots: tt.roots, KeyUsages: []x509.ExtKeyUsage{tt.usage},
			})
			if (err == nil) != tt.holds {
				t.Errorf("verification ended with %v, want holds: %t", err, tt.holds)
			}
		})
	}
}

func TestIssueWritesFiles(t *testing.T) {
	authority := NewAuthority(t)
	one, two := authority.Issue(t, "one.test"), authority.Issue(t, "two.test")
	if one.CertFile == two.CertFile || one.KeyFile == two.KeyFile || one.CAFile != two.CAFile {
		t.Errorf("files are %+v and %+v, want one authority and two pairs", one, two)
	}
	if _, err := tls.LoadX509KeyPair(one.CertFile, one.KeyFile); err != nil {
		t.Errorf("the files hold no pair: %v", err)
	}
	if _, err := tls.LoadX509KeyPair(one.CertFile, two.KeyFile); err == nil {
		t.Error("the key of one fits the certificate of the other")
	}
	ca, err := os.ReadFile(one.CAFile)
	if pool := x509.NewCertPool(); err != nil || !pool.AppendCertsFromPEM(ca) || !pool.Equal(authority.Pool) {
		t.Errorf("the authority's file is not what its pool trusts: %v", err)
	}
	for _, file := range []string{one.KeyFile, one.CertFile} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want it readable by its owner alone", file, info.Mode(), err)
		}
	}
}

func TestIssueAs(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ended := time.Now().Add(-time.Hour).Truncate(time.Second)
	c := NewAuthority(t).IssueAs(t, key, func(c *x509.Certificate) { c.NotAfter = ended }, "device.test")
	leaf, err := x509.ParseCertificate(c.TLS.Certificate[0])
	if err != nil || !leaf.NotAfter.Equal(ended) || !key.PublicKey.Equal(leaf.PublicKey) || c.TLS.PrivateKey != key {
		t.Errorf("certificate until %s with a %T: %v", leaf.NotAfter, leaf.PublicKey, err)
	}
}
