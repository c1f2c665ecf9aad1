package tlsserver

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/internal/peers"
)

// withRSA is a certificate whose key is RSA, in files.
func withRSA(t testing.TB) peers.Certificate {
	t.Helper()
	dir := t.TempDir()
	c := selfMade(t, rsaKey(), template("device.example"))
	key, err := x509.MarshalPKCS8PrivateKey(rsaKey())
	require.NoError(t, err)
	made := peers.Certificate{CertFile: filepath.Join(dir, "c.pem"), KeyFile: filepath.Join(dir, "k.pem"), CAFile: filepath.Join(dir, "c.pem"), TLS: c}
	require.NoError(t, os.WriteFile(made.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600))
	require.NoError(t, os.WriteFile(made.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	return made
}

// listed are the suites that OpenSSL says a list stands for, in one version.
func listed(t *testing.T, list, version string) (names []Name) {
	t.Helper()
	cmd := peers.Command(t, "usr/bin/openssl", "ciphers", "-stdname", "-s", "-psk", version, "-ciphersuites", "", list)
	cmd.Env = append(cmd.Env, "OPENSSL_CONF=/dev/null")
	out, err := cmd.Output()
	require.NoError(t, err)
	for l := range strings.Lines(string(out)) {
		names = append(names, Name(strings.Fields(l)[0]))
	}
	slices.Sort(names)
	return names
}

func namesOf(v Version) (names []Name) {
	for _, s := range v.Suites {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return names
}

func TestOpenSSL(t *testing.T) {
	rsa := withRSA(t)
	tests := []struct {
		name   string
		config peers.OpenSSLConfig
		accept []evidence.Tri
		list   string // what the suites of TLS 1.2 are to be, by OpenSSL's own word
		check  func(*testing.T, Listener)
	}{
		{"null_and_anonymous", peers.OpenSSLConfig{Legacy: true, Args: []string{"-cipher", "eNULL:aNULL:@SECLEVEL=0", "-max_protocol", "TLSv1.2"}},
			[]evidence.Tri{no, yes, yes, yes, no}, "kRSA+eNULL:kEECDH+aRSA+eNULL:aNULL:@SECLEVEL=0", func(t *testing.T, l Listener) {
				for _, s := range l.Versions[3].Suites {
					assert.True(t, s.Has(NoEncryption) || s.Has(Anonymous), s.Name)
					assert.GreaterOrEqual(t, s.Seen, 2, s.Name)
				}
			}},
		{"static_rsa", peers.OpenSSLConfig{Args: []string{"-tls1_2", "-cipher", "kRSA+AESGCM", "-serverpref"}}, []evidence.Tri{no, no, no, yes, no}, "kRSA+AESGCM", func(t *testing.T, l Listener) {
			assert.Len(t, l.ForwardOnly, 2)
			assert.Equal(t, ByServer, l.Versions[3].Chooser)
		}},
		{"only_1_3", peers.OpenSSLConfig{Args: []string{"-tls1_3", "-groups", "P-384:X448", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256:TLS_AES_256_GCM_SHA384"}}, []evidence.Tri{no, no, no, no, yes}, "", func(t *testing.T, l Listener) {
			assert.ElementsMatch(t, []Code{0x1305, 0x1302}, suiteCodes(l.Versions[4]))
			assert.Equal(t, []Name{"secp384r1", "x448"}, sortedGroups(l))
			assert.Equal(t, yes, l.Groups.Complete)
		}},
		{"psk_alone", peers.OpenSSLConfig{Args: []string{"-nocert", "-psk", "1a2b", "-tls1_2", "-cipher", "PSK"}}, []evidence.Tri{no, no, no, yes, no}, "kPSK:kECDHEPSK:kDHEPSK", func(t *testing.T, l Listener) {
			assert.Equal(t, no, l.Certified())
			assert.Empty(t, l.Chains)
		}},
		{"client_certificate", peers.OpenSSLConfig{Args: []string{"-Verify", "1", "-tls1_3"}}, []evidence.Tri{no, no, no, no, yes}, "", func(t *testing.T, l Listener) {
			assert.Equal(t, yes, l.Handshakes[0].Asked)
			assert.Equal(t, Alerted, l.Handshakes[0].After)
			assert.Equal(t, 116, l.Handshakes[0].Alert)
		}},
		{"renegotiates", peers.OpenSSLConfig{Args: []string{"-tls1_2", "-client_renegotiation", "-alpn", "mqtt"}}, []evidence.Tri{no, no, no, yes, no}, "", func(t *testing.T, l Listener) {
			assert.Equal(t, []Outcome{Accepted, Accepted}, []Outcome{l.Renegotiation[0].Outcome, l.Renegotiation[1].Outcome})
			assert.Equal(t, yes, l.SecureRenegotiation)
			assert.Equal(t, "mqtt", string(l.Handshakes[1].Protocol))
			assert.Equal(t, 0, l.Versions[3].DHBits)
		}},
		{"ephemeral", peers.OpenSSLConfig{Args: []string{"-tls1_2", "-cipher", "kEDH+AESGCM"}}, []evidence.Tri{no, no, no, yes, no}, "kEDH+aRSA+AESGCM", func(t *testing.T, l Listener) {
			assert.GreaterOrEqual(t, l.Versions[3].DHBits, 2048)
			assert.Equal(t, []Outcome{Alerted}, outcomes(l.Versions[3].Ends))
			assert.Equal(t, NotOurs, orRefused(l.Handshakes[0].Outcome), "crypto/tls knows no DHE")
			assert.Len(t, l.Chains, 1, "the flight shows the chain all the same")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.Certificate = rsa
			p := peers.OpenSSLServer(t, tt.config)
			e, err := collect(t, over(p.Addr))
			require.NoError(t, err)
			l := e.Listeners[0]
			assert.True(t, l.Served())
			assert.Equal(t, tt.accept, accepts(l))
			assert.True(t, l.Enumerated())
			if tt.list != "" {
				assert.Equal(t, listed(t, tt.list, "-tls1_2"), namesOf(l.Versions[3]))
			}
			tt.check(t, l)
		})
	}
}

// orRefused takes the two ways alike in which nothing in common may be said.
func orRefused(e Ending) Ending {
	if e == Refusal {
		return NotOurs
	}
	return e
}

func sortedGroups(l Listener) (names []Name) {
	for _, g := range l.Groups.Taken {
		names = append(names, g.Name)
	}
	slices.Sort(names)
	return names
}

const everySuite = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;"

func TestNginx(t *testing.T) {
	rsa := withRSA(t)
	tests := []struct {
		name       string
		directives string
		accept     []evidence.Tri
		chooser    Chooser
	}{
		{"everything", everySuite, []evidence.Tri{no, yes, yes, yes, yes}, ByClient},
		{"today", "ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on;", []evidence.Tri{no, no, no, yes, yes}, ByServer},
		{"old", "ssl_protocols TLSv1.1; ssl_ciphers AES128-SHA:@SECLEVEL=0;", []evidence.Tri{no, no, yes, no, no}, NobodyKnown},
		{"client_certificate", "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate " + rsa.CAFile + ";", []evidence.Tri{no, no, no, yes, yes}, ByClient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := peers.Nginx(t, peers.NginxConfig{Certificate: &rsa, Directives: []string{tt.directives}})
			e, err := collect(t, over(p.Addrs[1]))
			require.NoError(t, err)
			l := e.Listeners[0]
			assert.Equal(t, tt.accept, accepts(l))
			assert.True(t, l.Enumerated())
			assert.Equal(t, no, l.Deflate)
			newest := slices.IndexFunc(l.Versions, func(v Version) bool { return v.Chooser != NobodyKnown })
			if tt.chooser != NobodyKnown {
				assert.Equal(t, tt.chooser, l.Versions[newest].Chooser)
			}
			asked := tri(tt.name == "client_certificate")
			for _, h := range l.Handshakes {
				assert.Equal(t, Completed, h.Outcome)
				assert.Equal(t, asked, h.Asked)
			}
			if tt.name == "everything" {
				assert.Equal(t, 48, pairs(l), "performance.md counts as many")
			}
		})
	}
}

// pairs counts versions and suites.
func pairs(l Listener) (n int) {
	for _, v := range l.Versions {
		n += len(v.Suites)
	}
	return n
}
