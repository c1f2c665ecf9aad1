package tlsserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

var ecKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

func template(names ...string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: "device"}, DNSNames: names,
		NotBefore: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
}

// selfMade is a certificate that its own key signed.
func selfMade(t testing.TB, key crypto.Signer, c *x509.Certificate) tls.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// goServer is a server of crypto/tls that reads after its handshake.
func goServer(t testing.TB, c *tls.Config) netip.AddrPort {
	t.Helper()
	return device(t, func(conn net.Conn) {
		s := tls.Server(conn, c)
		s.Read(make([]byte, 1))
		s.Close()
	})
}

// look is the one listener that was looked at.
func lookAt(t *testing.T, c *tls.Config) (Listener, Evidence) {
	t.Helper()
	e, err := collect(t, over(goServer(t, c)))
	require.NoError(t, err)
	require.Len(t, e.Listeners, 1)
	return e.Listeners[0], e.Evidence
}

func accepts(l Listener) (all []evidence.Tri) {
	for _, v := range l.Versions {
		all = append(all, v.Accepts())
	}
	return all
}

func suiteCodes(v Version) (all []Code) {
	for _, s := range v.Suites {
		all = append(all, s.Code)
	}
	return all
}

const yes, no = evidence.Yes, evidence.No

func TestVersionsAndSuites(t *testing.T) {
	ec, rs := selfMade(t, ecKey(), template("device.example")), selfMade(t, rsaKey(), template("device.example"))
	tests := []struct {
		name     string
		config   *tls.Config
		versions []evidence.Tri
		newest   []Code // suites of the newest version that is taken
		oldest   []Code // of the oldest
	}{
		{"today", &tls.Config{Certificates: []tls.Certificate{ec}}, []evidence.Tri{no, no, no, yes, yes},
			[]Code{0x1301, 0x1302, 0x1303}, []Code{0xc02b, 0xc02c, 0xcca9, 0xc009, 0xc00a}},
		{"only_1_3", &tls.Config{Certificates: []tls.Certificate{rs}, MinVersion: tls.VersionTLS13}, []evidence.Tri{no, no, no, no, yes},
			[]Code{0x1301, 0x1302, 0x1303}, []Code{0x1301, 0x1302, 0x1303}},
		{"only_1_0", &tls.Config{Certificates: []tls.Certificate{rs}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, CipherSuites: []uint16{0x002f, 0x0005}},
			[]evidence.Tri{no, yes, no, no, no}, []Code{0x002f, 0x0005}, []Code{0x002f, 0x0005}},
		{"one_suite", &tls.Config{Certificates: []tls.Certificate{rs}, MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{0x000a}},
			[]evidence.Tri{no, no, yes, yes, no}, []Code{0x000a}, []Code{0x000a}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := lookAt(t, tt.config)
			assert.Equal(t, tt.versions, accepts(l))
			assert.True(t, l.Served())
			assert.True(t, l.Enumerated())
			assert.Equal(t, Whole, l.Cut)
			first := true
			for i, v := range l.Versions {
				if v.Accepts() == yes && first {
					assert.ElementsMatch(t, tt.oldest, suiteCodes(v))
					first = false
				}
				if v.Accepts() == yes && (i == 4 || l.Versions[i+1].Accepts() != yes) {
					assert.ElementsMatch(t, tt.newest, suiteCodes(v))
				}
			}
			for _, v := range l.Versions {
				for _, s := range v.Suites {
					assert.True(t, s.Seen >= 2 || !s.HasAny(Doubtful()), "%s was seen once", s.Name)
				}
			}
		})
	}
}

func TestForwardOnly(t *testing.T) {
	l, _ := lookAt(t, &tls.Config{Certificates: []tls.Certificate{selfMade(t, rsaKey(), template())}, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{0x009c}})
	require.Len(t, l.ForwardOnly, mostForward)
	assert.True(t, l.ForwardOnly[0].Refused() && l.ForwardOnly[1].Refused())
	l, _ = lookAt(t, &tls.Config{Certificates: []tls.Certificate{selfMade(t, rsaKey(), template())}, MaxVersion: tls.VersionTLS12})
	assert.Empty(t, l.ForwardOnly)
	assert.Equal(t, yes, l.SecureRenegotiation)
	require.Len(t, l.Renegotiation, 1)
	assert.Equal(t, Alerted, l.Renegotiation[0].Outcome, "crypto/tls serves no renegotiation")
	assert.NotEqual(t, 20, l.Renegotiation[0].Alert, "it understood the question")
}

func TestGroupsAndHybrids(t *testing.T) {
	cert := []tls.Certificate{selfMade(t, ecKey(), template())}
	tests := []struct {
		name    string
		config  *tls.Config
		version Code
		taken   []Code
		hybrid  []evidence.Tri
	}{
		{"all", &tls.Config{Certificates: cert}, TLS13,
			[]Code{X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024, 29, 23, 24, 25}, []evidence.Tri{yes, yes, yes}},
		{"one_hybrid", &tls.Config{Certificates: cert, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519}}, TLS13,
			[]Code{X25519MLKEM768, 29}, []evidence.Tri{yes, no, no}},
		{"curves", &tls.Config{Certificates: cert, CurvePreferences: []tls.CurveID{tls.CurveP384}}, TLS13, []Code{24}, []evidence.Tri{no, no, no}},
		{"old", &tls.Config{Certificates: cert, MaxVersion: tls.VersionTLS12, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}}, TLS12,
			[]Code{29, 23}, []evidence.Tri{no, no, no}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := lookAt(t, tt.config)
			var taken []Code
			for _, g := range l.Groups.Taken {
				taken = append(taken, g.Code)
				assert.NotEmpty(t, g.Name)
			}
			assert.Equal(t, tt.version, l.Groups.Version)
			assert.ElementsMatch(t, tt.taken, taken)
			assert.Equal(t, yes, l.Groups.Complete)
			require.Len(t, l.Hybrids, 3)
			for i, o := range l.Hybrids {
				assert.Equal(t, tt.hybrid[i], o.Taken(), o.Name)
			}
		})
	}
}

func TestClientCertificateAsked(t *testing.T) {
	cert := []tls.Certificate{selfMade(t, ecKey(), template("device.example"))}
	ca := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(cert[0].Certificate[0])
	require.NoError(t, err)
	ca.AddCert(parsed)
	tests := []struct {
		name    string
		config  *tls.Config
		asked   evidence.Tri
		outcome Ending
		after   Outcome
	}{
		{"no", &tls.Config{Certificates: cert}, no, Completed, NotTried},
		{"late_refusal", &tls.Config{Certificates: cert, ClientAuth: tls.RequireAnyClientCert}, yes, Completed, Alerted},
		{"refusal", &tls.Config{Certificates: cert, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca, MaxVersion: tls.VersionTLS12}, yes, Refusal, NotTried},
		{"asked_and_left", &tls.Config{Certificates: cert, ClientAuth: tls.RequestClientCert}, yes, Completed, Silent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := lookAt(t, tt.config)
			require.Len(t, l.Handshakes, 4)
			for _, h := range l.Handshakes {
				assert.Equal(t, tt.asked, h.Asked)
				assert.Equal(t, tt.outcome, h.Outcome)
				assert.Equal(t, tt.after, h.After)
				assert.Equal(t, tt.config.ClientCAs != nil, len(h.Authorities) == 1)
				assert.Equal(t, tt.outcome == Refusal || tt.after == Alerted, h.Alert > 0)
				assert.Zero(t, h.Chain)
			}
			assert.Equal(t, tt.outcome == Completed, l.Chains[0].Proven == yes)
			assert.Equal(t, []Name{"", "", "device.example", "device.example"}, []Name{
				l.Handshakes[0].ServerName, l.Handshakes[1].ServerName, l.Handshakes[2].ServerName, l.Handshakes[3].ServerName})
		})
	}
}

func TestServerNames(t *testing.T) {
	one, two := selfMade(t, ecKey(), template("one.example", "two.example")), selfMade(t, ecKey(), template("two.example"))
	byName := func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.ServerName == "" {
			return &one, nil
		}
		return &two, nil
	}
	l, e := lookAt(t, &tls.Config{GetCertificate: byName, NextProtos: []string{"mqtt"}})
	assert.Len(t, l.Chains, 2)
	assert.Len(t, e.Certificates, 2)
	assert.Equal(t, "mqtt", string(l.Handshakes[1].Protocol))
	assert.Empty(t, l.Handshakes[0].Protocol)
	assert.NotEqual(t, l.Handshakes[1].Chain, l.Handshakes[3].Chain)
	nameless := func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.ServerName == "" {
			return nil, errors.New("no name")
		}
		return &two, nil
	}
	l, _ = lookAt(t, &tls.Config{GetCertificate: nameless})
	assert.Equal(t, NoControl, l.Cut)
	assert.Equal(t, Alerted, l.Before.Outcome)
}

// A server with a certificate for each kind of key shows both.
func TestKinds(t *testing.T) {
	ec, rs := selfMade(t, ecKey(), template("device.example")), selfMade(t, rsaKey(), template("device.example"))
	l, e := lookAt(t, &tls.Config{Certificates: []tls.Certificate{ec, rs}, MaxVersion: tls.VersionTLS12})
	assert.Len(t, l.Chains, 2)
	assert.ElementsMatch(t, []KeyKind{EC, RSA}, []KeyKind{e.Certificates[0].Key.Kind, e.Certificates[1].Key.Kind})
	assert.Equal(t, yes, l.Certified())
	assert.NotEmpty(t, l.Signatures)
}
