package tlsserver

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/internal/peers"
)

func TestStunnel(t *testing.T) {
	rsa, ec := withRSA(t), peers.NewAuthority(t).Issue(t, "device.example")
	behind := peers.Nginx(t, peers.NginxConfig{}).Addr
	tests := []struct {
		name    string
		key     peers.Certificate
		options []string
		accept  []evidence.Tri
		list    string // what the suites of TLS 1.2 are to be, by OpenSSL's own word
		check   func(*testing.T, Listener)
	}{
		{"today", rsa, []string{"sslVersionMin = TLSv1.2", "options = CIPHER_SERVER_PREFERENCE", "ciphers = kEECDH+aRSA+AESGCM"}, []evidence.Tri{no, no, no, yes, yes}, "kEECDH+aRSA+AESGCM", func(t *testing.T, l Listener) {
			assert.Equal(t, []Chooser{ByServer, ByServer}, []Chooser{l.Versions[3].Chooser, l.Versions[4].Chooser})
			assert.Equal(t, no, l.Handshakes[0].Asked)
		}},
		{"ephemeral_over_curves", ec, []string{"sslVersion = TLSv1.2", "ciphers = kEECDH+aECDSA+AESGCM", "curves = P-384:P-521"}, []evidence.Tri{no, no, no, yes, no}, "kEECDH+aECDSA+AESGCM", func(t *testing.T, l Listener) {
			assert.Equal(t, ByClient, l.Versions[3].Chooser, "as OpenSSL does unless told otherwise")
			assert.Equal(t, []Name{"secp384r1", "secp521r1"}, sortedGroups(l))
			assert.Equal(t, yes, l.Groups.Complete)
		}},
		{"old", rsa, []string{"sslVersionMin = TLSv1", "sslVersionMax = TLSv1.1", "ciphers = kRSA:@SECLEVEL=0"}, []evidence.Tri{no, yes, yes, no, no}, "", func(t *testing.T, l Listener) {
			assert.Equal(t, suiteCodes(l.Versions[1]), suiteCodes(l.Versions[2]))
			assert.Len(t, l.ForwardOnly, mostForward)
		}},
		{"client_certificate", rsa, []string{"sslVersionMin = TLSv1.3", "verifyChain = yes", "ciphersuites = TLS_CHACHA20_POLY1305_SHA256"}, []evidence.Tri{no, no, no, no, yes}, "", func(t *testing.T, l Listener) {
			assert.Equal(t, []Code{0x1303}, suiteCodes(l.Versions[4]))
			assert.Equal(t, []evidence.Tri{yes, yes}, []evidence.Tri{l.Handshakes[0].Asked, l.Handshakes[1].Asked})
			assert.Equal(t, Alerted, l.Handshakes[0].After, "TLS 1.3 refuses late")
		}},
		{"no_renegotiation", rsa, []string{"sslVersion = TLSv1.2", "renegotiation = no", "ciphers = kEECDH+aRSA+AESGCM"}, []evidence.Tri{no, no, no, yes, no}, "kEECDH+aRSA+AESGCM", func(t *testing.T, l Listener) {
			assert.NotEqual(t, Accepted, l.Renegotiation[0].Outcome)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := collect(t, over(peers.Stunnel(t, peers.StunnelConfig{Certificate: tt.key, Behind: behind, Options: tt.options}).Addr))
			require.NoError(t, err)
			l := e.Listeners[0]
			assert.Equal(t, tt.accept, accepts(l))
			assert.True(t, l.Enumerated())
			if tt.list != "" {
				assert.Equal(t, listed(t, tt.list, "-tls1_2"), namesOf(l.Versions[3]))
			}
			assert.Equal(t, digest(tt.key.TLS.Certificate[0]), e.Of(l.Chains[0])[0].SHA256)
			tt.check(t, l)
		})
	}
}

// A broker's listeners: what it is told of each holds for that one alone.
func TestMosquitto(t *testing.T) {
	rsa, ec := withRSA(t), peers.NewAuthority(t).Issue(t, "device.example")
	p := peers.Mosquitto(t, peers.MosquittoConfig{Listeners: []peers.MosquittoListener{
		{Certificate: &rsa, Options: []string{"tls_version tlsv1.2", "ciphers kEECDH+aRSA+AESGCM"}},
		{Certificate: &ec, Options: []string{"tls_version tlsv1.3", "ciphers_tls1.3 TLS_AES_256_GCM_SHA384"}},
		{Certificate: &rsa, ClientCertificate: true, Options: []string{"tls_version tlsv1.3"}},
		{Certificate: &ec, WebSocket: true},
	}})
	e, err := collect(t, over(p.Addrs[0]), over(p.Addrs[1]), over(p.Addrs[2]), over(p.Addrs[3]))
	require.NoError(t, err)
	require.Len(t, e.Listeners, 4)
	for i, tt := range []struct {
		accept []evidence.Tri
		asked  evidence.Tri
		own    peers.Certificate
	}{
		{[]evidence.Tri{no, no, no, yes, yes}, no, rsa}, // the oldest version that it takes
		{[]evidence.Tri{no, no, no, no, yes}, no, ec},
		{[]evidence.Tri{no, no, no, no, yes}, yes, rsa},
		{[]evidence.Tri{no, no, no, yes, yes}, no, ec},
	} {
		l := e.Listeners[i]
		assert.Equal(t, tt.accept, accepts(l), i)
		assert.True(t, l.Enumerated(), i)
		assert.True(t, slices.ContainsFunc(l.Handshakes, func(h Handshake) bool { return h.Asked == tt.asked }), i)
		assert.Equal(t, digest(tt.own.TLS.Certificate[0]), e.Of(l.Chains[0])[0].SHA256, i)
	}
	assert.Equal(t, listed(t, "kEECDH+aRSA+AESGCM", "-tls1_2"), namesOf(e.Listeners[0].Versions[3]))
	assert.Equal(t, []Code{0x1302}, suiteCodes(e.Listeners[1].Versions[4]))
	assert.Contains(t, []Outcome{Alerted, Closed}, e.Listeners[2].Handshakes[0].After)
}
