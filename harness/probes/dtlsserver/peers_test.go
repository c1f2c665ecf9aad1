package dtlsserver

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor/dtlstest"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/internal/peers"
)

// quick is a patience for loopback.
var quick = patience{search: 1500 * time.Millisecond, least: 300 * time.Millisecond, most: 1500 * time.Millisecond, whole: time.Minute, handshake: 4 * time.Second}

var device = probe.Login{ID: "device", User: dtlstest.Identity, Password: dtlstest.Key}

// facts are what a configuration of a server says.
type facts struct {
	versions   []tlsserver.Code // that it takes
	modes      []Kind
	holds      []tlsserver.Name // some of its suites
	lacks      []tlsserver.Name // suites that are switched off
	doubtful   int              // suites that are asked for twice, -1 for some
	hint       string
	asks       evidence.Tri // for a client certificate
	handshakes []Ending
	key        tlsserver.KeyKind
}

// compare holds what was seen against a configuration.
func compare(t *testing.T, want facts, e Evidence, err error) {
	t.Helper()
	require.NoError(t, err)
	require.Len(t, e.Listeners, 1)
	l := e.Listeners[0]
	assert.Equal(t, Whole, l.Cut)
	assert.True(t, l.Served(), "before %+v, after %+v", l.Before, l.After)
	assert.True(t, l.Enumerated(), "%+v", l.Versions)
	var versions []tlsserver.Code
	var names []tlsserver.Name
	doubtful := 0
	for _, v := range l.Versions {
		if v.Seen > 0 {
			assert.GreaterOrEqual(t, v.Seen, 2)
			versions = append(versions, v.Code)
		}
		for _, o := range v.Offers {
			for _, s := range o.Suites {
				names = append(names, s.Name)
				if o.Kind == Doubtful {
					assert.Equal(t, 2, s.Seen, "%s", s.Name)
					doubtful++
				}
			}
		}
	}
	var modes []Kind
	for _, m := range l.Modes {
		modes = append(modes, m.Kind)
	}
	var endings []Ending
	for _, h := range l.Handshakes {
		endings = append(endings, h.Outcome)
	}
	assert.Equal(t, want.versions, versions)
	assert.Equal(t, want.modes, modes)
	assert.Subset(t, names, want.holds)
	for _, n := range want.lacks {
		assert.NotContains(t, names, n)
	}
	if want.doubtful >= 0 {
		assert.Equal(t, want.doubtful, doubtful)
	} else {
		assert.Positive(t, doubtful)
	}
	assert.Equal(t, evidence.Yes, l.Cookie)
	assert.LessOrEqual(t, l.First.Received, l.First.Sent, "a cookie amplifies nothing")
	assert.Equal(t, want.asks, l.Asked)
	assert.Equal(t, want.handshakes, endings)
	if want.hint != "" && assert.Len(t, l.Hints, 1) {
		assert.Equal(t, want.hint, string(l.Hints[0].Text))
	}
	if slices.Contains(want.modes, Certificate) && assert.Len(t, l.Chains, 1) {
		assert.Equal(t, evidence.Yes, l.Certified())
		assert.GreaterOrEqual(t, l.Chains[0].Seen, 2)
		assert.Equal(t, want.key, e.Of(l.Chains[0])[0].Key.Kind)
	} else {
		assert.Equal(t, evidence.No, l.Certified())
	}
	_, encodes := evidence.Encode(e)
	assert.NoError(t, encodes)
}

const (
	ccm8   tlsserver.Name = "TLS_PSK_WITH_AES_128_CCM_8"
	pskGCM tlsserver.Name = "TLS_PSK_WITH_AES_128_GCM_SHA256"
	ecGCM  tlsserver.Name = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
	ecCCM8 tlsserver.Name = "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"
	ecCBC  tlsserver.Name = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
	null   tlsserver.Name = "TLS_PSK_WITH_NULL_SHA256"
	anon   tlsserver.Name = "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"
)

func TestAgainstOpenSSL(t *testing.T) {
	t.Parallel()
	c := peers.NewAuthority(t).Issue(t, "device.example")
	certificate := []string{"-cert", c.CertFile, "-key", c.KeyFile}
	psk := []string{"-psk", hex.EncodeToString([]byte(dtlstest.Key)), "-psk_identity", dtlstest.Identity, "-psk_hint", "a hint"}
	both, old := []tlsserver.Code{DTLS10, DTLS12}, []tlsserver.Code{DTLS10}
	tests := []struct {
		name string
		args []string
		want facts
	}{
		{"certificate", append(certificate, "-dtls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-CCM8"), facts{
			versions: both[1:], modes: []Kind{Certificate}, holds: []tlsserver.Name{ecGCM, ecCCM8}, lacks: []tlsserver.Name{ecCBC, ccm8},
			asks: evidence.No, handshakes: []Ending{Completed}, key: tlsserver.EC,
		}},
		{"client_certificate", append(certificate, "-dtls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", c.CAFile, "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), facts{
			versions: both[1:], modes: []Kind{Certificate}, holds: []tlsserver.Name{ecGCM}, asks: evidence.Yes, handshakes: []Ending{Refusal}, key: tlsserver.EC,
		}},
		{"old_version", append(certificate, "-dtls1", "-cipher", "ECDHE+AES:@SECLEVEL=0"), facts{
			versions: old, modes: []Kind{Certificate}, holds: []tlsserver.Name{ecCBC}, lacks: []tlsserver.Name{ecGCM}, asks: evidence.No, key: tlsserver.EC,
		}},
		{"everything", append(append(certificate, psk...), "-dtls", "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"), facts{
			versions: both, modes: []Kind{PSK, Certificate}, holds: []tlsserver.Name{ccm8, pskGCM, ecCCM8, ecCBC, null, anon},
			doubtful: -1, hint: "a hint", asks: evidence.No, handshakes: []Ending{Completed, Completed}, key: tlsserver.EC,
		}},
		{"keys_only", append([]string{"-nocert", "-dtls1_2", "-cipher", "PSK-AES128-CCM8"}, psk...), facts{
			versions: both[1:], modes: []Kind{PSK}, holds: []tlsserver.Name{ccm8}, lacks: []tlsserver.Name{pskGCM}, hint: "a hint", handshakes: []Ending{Completed},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := dtlstest.Bench(t, []probe.Login{device}, dtlstest.OpenSSL(t, tt.args...))
			e, err := with(t.Context(), b.Input, quick)
			compare(t, tt.want, e, err)
		})
	}
}

// libcoap starts one of its servers, whose plain port is another one.
func libcoap(t *testing.T, library string, args ...string) netip.AddrPort {
	t.Helper()
	return dtlstest.Secure(t, "usr/bin/coap-server-"+library, args...)
}

func TestAgainstLibcoap(t *testing.T) {
	t.Parallel()
	c := peers.NewAuthority(t).Issue(t, "device.example")
	both := filepath.Join(t.TempDir(), "pair.pem")
	var pem []byte
	for _, f := range []string{c.CertFile, c.KeyFile} {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		pem = append(pem, b...)
	}
	require.NoError(t, os.WriteFile(both, pem, 0o600))
	only := []tlsserver.Code{DTLS12}
	tests := []struct {
		name, library string
		args          []string
		want          facts
	}{
		{"openssl_psk", "openssl", []string{"-k", dtlstest.Key, "-h", "hint"}, facts{modes: []Kind{PSK}, holds: []tlsserver.Name{ccm8}, hint: "hint", handshakes: []Ending{Completed}}},
		{"openssl_pki", "openssl", []string{"-c", both, "-n"}, facts{modes: []Kind{Certificate}, holds: []tlsserver.Name{ecCCM8}, asks: evidence.No, handshakes: []Ending{Completed}, key: tlsserver.EC}},
		{"gnutls_psk", "gnutls", []string{"-k", dtlstest.Key}, facts{versions: []tlsserver.Code{DTLS10, DTLS12}, modes: []Kind{PSK}, holds: []tlsserver.Name{ccm8}, handshakes: []Ending{Completed}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.want.versions == nil {
				tt.want.versions = only
			}
			b := dtlstest.Bench(t, []probe.Login{device}, libcoap(t, tt.library, tt.args...))
			e, err := with(t.Context(), b.Input, quick)
			compare(t, tt.want, e, err)
		})
	}
}

func TestAgainstGnuTLS(t *testing.T) {
	t.Parallel()
	c := peers.NewAuthority(t).Issue(t, "device.example")
	certificate := []string{"--x509certfile", c.CertFile, "--x509keyfile", c.KeyFile, "--disable-client-cert"}
	keys := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(keys, []byte(dtlstest.Identity+":"+hex.EncodeToString([]byte(dtlstest.Key))+"\n"), 0o600))
	ecdsa := "NONE:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:+ECDHE-ECDSA:+AES-128-CCM-8:+AES-128-GCM:+AEAD:%s"
	tests := []struct {
		name string
		args []string
		want facts
	}{
		{"certificate", append(certificate, "--priority", fmt.Sprintf(ecdsa, "+VERS-DTLS1.2")), facts{
			versions: []tlsserver.Code{DTLS12}, modes: []Kind{Certificate}, holds: []tlsserver.Name{ecGCM, ecCCM8}, lacks: []tlsserver.Name{ecCBC, ccm8},
			asks: evidence.No, handshakes: []Ending{Completed}, key: tlsserver.EC,
		}},
		{"both_versions_with_null", append(certificate, "--priority", "NORMAL:+VERS-DTLS1.0:+NULL:+SHA1:+ANON-ECDH"), facts{
			versions: []tlsserver.Code{DTLS10, DTLS12}, modes: []Kind{Certificate}, holds: []tlsserver.Name{ecGCM, ecCBC}, doubtful: -1,
			asks: evidence.No, handshakes: []Ending{Completed}, key: tlsserver.EC,
		}},
		{"keys", []string{"--pskpasswd", keys, "--pskhint", "a hint", "--priority", "NORMAL:-KX-ALL:+PSK:-VERS-ALL:+VERS-DTLS1.2"}, facts{
			versions: []tlsserver.Code{DTLS12}, modes: []Kind{PSK}, holds: []tlsserver.Name{pskGCM}, hint: "a hint", handshakes: []Ending{Completed},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := dtlstest.Peer(t, "usr/bin/gnutls-serv", func(port string) []string {
				return append([]string{"--udp", "--port", port, "--quiet"}, tt.args...)
			})
			b := dtlstest.Bench(t, []probe.Login{device}, at)
			e, err := with(t.Context(), b.Input, quick)
			compare(t, tt.want, e, err)
		})
	}
}
