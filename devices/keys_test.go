package devices

import (
	"crypto/x509"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCertificatesAreOfTheUnit(t *testing.T) {
	addr := netip.MustParseAddr("127.64.0.1")
	make := func(unit string, selfSigned bool) *x509.Certificate {
		c, err := certificate(unit, papers{model: "Lock", addrs: []netip.Addr{addr}, selfSigned: selfSigned})
		require.NoError(t, err)
		return c.Leaf
	}
	one := make("1", false)
	assert.Equal(t, one.Raw, make("1", false).Raw, "not the same twice")
	two := make("2", false)
	assert.NotEqual(t, one.PublicKey, two.PublicKey)
	assert.NotEqual(t, one.SerialNumber, two.SerialNumber)
	assert.Contains(t, one.Subject.OrganizationalUnit, labelled)

	ca, _, err := authority()
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err = one.Verify(x509.VerifyOptions{Roots: roots, DNSName: addr.String(), CurrentTime: now})
	assert.NoError(t, err)
	_, err = one.Verify(x509.VerifyOptions{Roots: roots, DNSName: "127.64.0.2", CurrentTime: now})
	assert.Error(t, err)
	_, err = make("1", true).Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now})
	assert.Error(t, err)
	assert.NoError(t, make("1", true).CheckSignatureFrom(selfAsAuthority(make("1", true))))
	assert.Len(t, fingerprint(one), 64)
}

// selfAsAuthority lets a self-signed certificate check itself.
func selfAsAuthority(c *x509.Certificate) *x509.Certificate {
	c.BasicConstraintsValid, c.IsCA, c.KeyUsage = true, true, x509.KeyUsageCertSign
	return c
}

func TestPasswordsAreOfTheUnit(t *testing.T) {
	seen := map[string]bool{}
	for _, unit := range []string{"1", "2"} {
		for _, credential := range []string{"app", "lock"} {
			p, err := password(unit, credential)
			require.NoError(t, err)
			again, err := password(unit, credential)
			require.NoError(t, err)
			assert.Equal(t, p, again)
			assert.Len(t, p, 24)
			assert.False(t, seen[p])
			seen[p] = true
		}
	}
}
