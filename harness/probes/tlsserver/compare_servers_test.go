package tlsserver

import (
	"net"
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/internal/legacytls"
	"github.com/assay-iot/assay/internal/peers"
)

// A rival is a server that the other tools look at too.
type rival struct {
	name string
	at   netip.AddrPort
}

// mostPairs is the name of the server with 48 pairs of version and suite.
const mostPairs = "nginx_everything"

// rivals are servers of six libraries that differ in versions, suites, groups and
// certificates.
func rivals(t testing.TB) []rival {
	rsa, ec := withRSA(t), peers.NewAuthority(t).Issue(t, "device.example")
	behind := peers.Nginx(t, peers.NginxConfig{}).Addr
	nginx := func(c peers.Certificate, directives string) netip.AddrPort {
		return peers.Nginx(t, peers.NginxConfig{Certificate: &c, Directives: []string{directives}}).Addrs[1]
	}
	openssl := func(args ...string) netip.AddrPort {
		return peers.OpenSSLServer(t, peers.OpenSSLConfig{Certificate: rsa, Args: args}).Addr
	}
	gnutls := func(c *peers.Certificate, priority string) netip.AddrPort {
		return peers.GnuTLSServer(t, peers.GnuTLSConfig{Certificate: c, Priority: priority}).Addr
	}
	stunnel := func(options ...string) netip.AddrPort {
		return peers.Stunnel(t, peers.StunnelConfig{Certificate: rsa, Behind: behind, Options: options}).Addr
	}
	return []rival{
		{mostPairs, nginx(rsa, everySuite)},
		{"nginx_p256", nginx(ec, everySuite)},
		{"nginx_today", nginx(rsa, "ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on;")},
		{"nginx_tls11", nginx(rsa, "ssl_protocols TLSv1.1; ssl_ciphers AES128-SHA:@SECLEVEL=0;")},
		{"nginx_client_certificate", nginx(rsa, "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate "+rsa.CAFile+";")},
		{"openssl_null", openssl("-cipher", "eNULL:aNULL:@SECLEVEL=0", "-min_protocol", "TLSv1", "-max_protocol", "TLSv1.2")},
		{"openssl_ephemeral", openssl("-tls1_2", "-cipher", "kEDH+AESGCM", "-serverpref")},
		{"openssl_tls13", openssl("-tls1_3", "-groups", "P-384:X448", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256:TLS_AES_256_GCM_SHA384")},
		{"openssl_psk", openssl("-nocert", "-psk", "1a2b", "-tls1_2", "-cipher", "PSK")},
		{"gnutls_as_it_comes", gnutls(&ec, "")},
		{"gnutls_rc4_3des", gnutls(&rsa, "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.0:+ARCFOUR-128:+3DES-CBC:%SERVER_PRECEDENCE")},
		{"gnutls_anonymous", gnutls(nil, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH:+ANON-DH")},
		{"stunnel_as_it_comes", stunnel()},
		{"stunnel_old", stunnel("sslVersionMin = TLSv1", "sslVersionMax = TLSv1.1", "ciphers = ALL:@SECLEVEL=0")},
		{"mosquitto", peers.Mosquitto(t, peers.MosquittoConfig{Listeners: []peers.MosquittoListener{{Certificate: &ec}}}).Addr},
		{"ssl3_export", legacyServer(t, rsa, legacytls.SSL30, 0x0003, 0x0006, 0x0004)},
	}
}

// legacyServer speaks what no library does any more.
func legacyServer(t testing.TB, c peers.Certificate, version uint16, suites ...uint16) netip.AddrPort {
	s := &legacytls.Server{Versions: []uint16{version}, Suites: suites, Chain: c.TLS.Certificate, Key: c.TLS.PrivateKey}
	return device(t, func(conn net.Conn) { _, _ = s.Serve(conn) })
}
