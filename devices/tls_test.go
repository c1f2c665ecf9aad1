package devices

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/options"
	coaptcp "github.com/plgd-dev/go-coap/v3/tcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func coapTLS(t *testing.T, config *tls.Config) []coaptcp.Option {
	return []coaptcp.Option{options.WithTLS(config), options.WithErrors(func(error) {}), ticking(t)}
}

// shake makes a handshake that trusts everybody.
func shake(t *testing.T, d *Device, version uint16, suites ...uint16) (tls.ConnectionState, error) {
	t.Helper()
	c, err := net.DialTimeout("tcp", d.At(setupPort).String(), patience)
	require.NoError(t, err)
	defer c.Close()
	inside := tls.Client(c, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, CipherSuites: suites})
	err = inside.Handshake()
	return inside.ConnectionState(), err
}

// A tlsConduct is what a client can see of a TLS server.
type tlsConduct struct {
	versions                            [4]bool // 1.0 to 1.3
	rc4, static, trusted, named, inDate bool
	bits                                int
}

func seeTLS(t *testing.T, d *Device) tlsConduct {
	t.Helper()
	var c tlsConduct
	var leaf *x509.Certificate
	for i, v := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		state, err := shake(t, d, v, append(idsOf(tls.CipherSuites()), idsOf(tls.InsecureCipherSuites())...)...)
		c.versions[i] = err == nil
		if err == nil {
			leaf = state.PeerCertificates[0]
		}
	}
	_, err := shake(t, d, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA)
	c.rc4 = err == nil
	_, err = shake(t, d, tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256)
	c.static = err == nil
	require.NotNil(t, leaf)
	ca, _, err := authority()
	require.NoError(t, err)
	c.trusted = leaf.CheckSignatureFrom(ca) == nil
	c.named = leaf.VerifyHostname("thermostat.example") == nil && leaf.VerifyHostname(d.Addr.String()) == nil
	c.inDate = time.Now().After(leaf.NotBefore) && time.Now().Before(leaf.NotAfter)
	switch key := leaf.PublicKey.(type) {
	case *ecdsa.PublicKey:
		c.bits = key.Curve.Params().BitSize
	case *rsa.PublicKey:
		c.bits = key.N.BitLen()
	}
	return c
}

func idsOf(all []*tls.CipherSuite) []uint16 {
	var ids []uint16
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	return ids
}

// Each TLS fault alone changes what it says, and nothing else that matters.
func TestEachTLSFaultAlone(t *testing.T) {
	sound := tlsConduct{versions: [4]bool{false, false, false, true}, trusted: true, named: true, inDate: true, bits: 256}
	for fault, change := range map[string]func(*tlsConduct){
		"":                        func(*tlsConduct) {},
		"tls_max_version":         func(c *tlsConduct) { c.versions = [4]bool{true, true, true, true} },
		"tls_weak_suites":         func(c *tlsConduct) { c.versions[2], c.rc4 = true, true },
		"tls_static_rsa_only":     func(c *tlsConduct) { c.versions, c.static, c.bits = [4]bool{2: true}, true, soundBits },
		"tls_self_signed":         func(c *tlsConduct) { c.trusted = false },
		"tls_wrong_name":          func(c *tlsConduct) { c.named = false },
		"tls_expired_certificate": func(c *tlsConduct) { c.inDate = false },
		"tls_weak_key":            func(c *tlsConduct) { c.bits = weakBits },
	} {
		t.Run("fault_"+fault, func(t *testing.T) {
			t.Parallel()
			want := sound
			change(&want)
			var names []string
			if fault != "" {
				names = append(names, fault)
			}
			d := thermostat(t, names...)
			assert.Equal(t, want, seeTLS(t, d))
			f, err := d.File()
			require.NoError(t, err)
			same := slices.Contains(f.Trust.Pins, fingerprint(d.unit.leaf()))
			assert.Equal(t, want.trusted && want.named && want.inDate && want.bits == 256, same, "the maker pins the sound certificate")
		})
	}
}

// The same faults on the lock's broker.
func TestTLSFaultsOfTheLock(t *testing.T) {
	d := launch(t, "tls_max_version", "tls_wrong_name")
	c := dial(t, d.At(mqttPort))
	inside := tls.Client(c, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10})
	require.NoError(t, inside.Handshake())
	assert.Equal(t, []string{wrongName}, inside.ConnectionState().PeerCertificates[0].DNSNames)
}

func TestOddCertificate(t *testing.T) {
	d := run(t, Spec{Name: "decoy-coap-tls"})
	leaf := d.unit.leaf()
	assert.True(t, leaf.NotBefore.After(time.Now()) && leaf.NotBefore.Before(time.Now().Add(ahead+time.Minute)))
	assert.True(t, leaf.NotAfter.Equal(never))
	assert.Equal(t, leaf.Subject.String(), leaf.Issuer.String())
	f, err := d.File()
	require.NoError(t, err)
	assert.Equal(t, []string{fingerprint(leaf)}, f.Trust.Pins)
}

func TestRSAKeys(t *testing.T) {
	for _, bits := range []int{weakBits, soundBits} {
		one, err := rsaKey("1", bits)
		require.NoError(t, err)
		again, err := rsaKey("1", bits)
		require.NoError(t, err)
		other, err := rsaKey("2", bits)
		require.NoError(t, err)
		assert.Equal(t, bits, one.N.BitLen())
		assert.True(t, one.Equal(again))
		assert.False(t, one.Equal(other))
	}
}

// Names of every service inside TLS are in the certificate; addresses that the
// maker writes among them are not taken for names.
func TestPapersHoldTheNames(t *testing.T) {
	f, err := Load(Embedded(), "thermostat-hardened")
	require.NoError(t, err)
	f.File.IXIT.SoftServ[1].ServerNames = []string{"b.example", "192.0.2.1", "a.example", "b.example"}
	u := unit{file: f.File, addr: netip.MustParseAddr("127.64.0.1")}
	assert.Equal(t, []string{"a.example", "b.example"}, u.soundPapers(time.Now()).names)
}
