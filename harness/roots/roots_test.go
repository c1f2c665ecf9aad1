package roots

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func public(t *testing.T) (Set, []*x509.Certificate) {
	t.Helper()
	s, err := Public()
	require.NoError(t, err)
	certs, err := x509.ParseCertificates(s.DER)
	require.NoError(t, err)
	return s, certs
}

func TestPublic(t *testing.T) {
	s, certs := public(t)
	assert.Len(t, certs, s.Count)
	assert.Equal(t, bytes.Count(mozilla, []byte("-----BEGIN CERTIFICATE-----")), s.Count)
	assert.Greater(t, s.Count, 100, "Mozilla trusts more than a hundred roots")
	assert.True(t, s.Date.After(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), "the set is of %s", s.Date)
	assert.Contains(t, s.Name, "Debian package ca-certificates")
	sum := sha256.Sum256(s.DER)
	assert.Equal(t, hex.EncodeToString(sum[:]), s.SHA256)
	assert.Less(t, len(s.DER), 512<<10, "every bundle carries them")
	assert.Contains(t, string(mozilla), "MPL-2.0")
}

func TestEachRootIsOne(t *testing.T) {
	s, certs := public(t)
	seen := map[[sha256.Size]byte]bool{}
	for _, c := range certs {
		name := c.Subject.String()
		assert.Equal(t, c.RawSubject, c.RawIssuer, name)
		assert.True(t, c.IsCA && c.BasicConstraintsValid || c.Version < 3, name)
		assert.True(t, c.NotAfter.After(s.Date), "%s ended %s, before the set was published", name, c.NotAfter)
		assert.False(t, seen[sha256.Sum256(c.Raw)], "%s is there twice", name)
		seen[sha256.Sum256(c.Raw)] = true
	}
}

// A few that no set of our day may lack, and one that Debian distrusts.
func TestWhoIsInIt(t *testing.T) {
	_, certs := public(t)
	names := make([]string, len(certs))
	for i, c := range certs {
		names[i] = c.Subject.String()
	}
	all := strings.Join(names, "\n")
	for _, want := range []string{"CN=ISRG Root X1,", "CN=DigiCert Global Root G2,", "CN=GTS Root R1,"} {
		assert.Contains(t, all, want)
	}
	assert.NotContains(t, all, "CN=AAA Certificate Services,")
}

func TestBrokenFiles(t *testing.T) {
	head, certs, _ := strings.Cut(string(mozilla), "\n\n")
	for name, file := range map[string]string{
		"empty":      "",
		"no_head":    certs,
		"no_date":    strings.Replace(head, "# Date:", "# Day:", 1) + "\n\n" + certs,
		"bad_date":   strings.Replace(head, "# Date: 20", "# Date: xx", 1) + "\n\n" + certs,
		"no_source":  strings.Replace(head, "# Source:", "# From:", 1) + "\n\n" + certs,
		"no_root":    head,
		"a_key":      head + "\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"no_der":     head + "\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"head_below": certs + head,
	} {
		_, err := parse([]byte(file))
		assert.Error(t, err, name)
	}
}
