package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/internal/legacytls"
	"github.com/assay-iot/assay/internal/peers"
)

// askedOfTLS are the checks of which every TLS server here is asked.
var askedOfTLS = []string{
	"tls.server-versions-current", "tls.server-suites-sound", "tls.forward-secrecy", "tls.hybrid-key-exchange-offered",
	"tls.certificate-in-date", "tls.certificate-key-sound", "tls.certificate-identity-matches", "tls.certificate-trusted",
}

// A tlsPeer is one way to run a real server, with what is to be said of it.
type tlsPeer struct {
	name string
	addr netip.AddrPort
	want string // a letter for each check of askedOfTLS: p, f, i, n
}

// certificates are what the servers here show.
type certificates struct {
	good, rsa, short, ended, other peers.Certificate
	anchor                         []byte // PEM
}

func issue(t testing.TB) certificates {
	t.Helper()
	a, stranger := peers.NewAuthority(t), peers.NewAuthority(t)
	key := func(bits int) *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		require.NoError(t, err)
		return k
	}
	forRSA := func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment }
	ended := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(-1, 0, 0), time.Now().AddDate(0, 0, -3)
	}
	pem, err := os.ReadFile(a.File)
	require.NoError(t, err)
	return certificates{
		good: a.Issue(t, "127.0.0.1"), rsa: a.IssueAs(t, key(2048), forRSA, "127.0.0.1"), short: a.IssueAs(t, key(1024), forRSA, "127.0.0.1"),
		ended: a.IssueAs(t, key(2048), ended, "127.0.0.1"), other: stranger.Issue(t, "device.example"), anchor: pem,
	}
}

const oldCiphers = "ALL:@SECLEVEL=0"

// tlsPeers are servers of four libraries, in sound configurations and unsound
// ones. Debian's libraries know no hybrid group yet; a server in Go does.
func tlsPeers(t *testing.T, c certificates) []tlsPeer {
	nginx := func(cert peers.Certificate, lines ...string) netip.AddrPort {
		return peers.Nginx(t, peers.NginxConfig{Certificate: &cert, Pages: map[string]string{"/index.html": "device"}, Directives: lines}).Addrs[1]
	}
	openssl := func(cert peers.Certificate, legacy bool, args ...string) netip.AddrPort {
		return peers.OpenSSLServer(t, peers.OpenSSLConfig{Certificate: cert, Legacy: legacy, Args: args}).Addr
	}
	gnutls := func(cert *peers.Certificate, priority string, args ...string) netip.AddrPort {
		return peers.GnuTLSServer(t, peers.GnuTLSConfig{Certificate: cert, Priority: priority, Args: args}).Addr
	}
	behind := peers.Nginx(t, peers.NginxConfig{Pages: map[string]string{"/index.html": "device"}}).Addr
	stunnel := func(cert peers.Certificate, options ...string) netip.AddrPort {
		return peers.Stunnel(t, peers.StunnelConfig{Certificate: cert, Behind: behind, Options: options}).Addr
	}
	mosquitto := func(cert peers.Certificate, mutual bool) netip.AddrPort {
		return peers.Mosquitto(t, peers.MosquittoConfig{Listeners: []peers.MosquittoListener{{Certificate: &cert, ClientCertificate: mutual}}, Users: users}).Addr
	}
	return []tlsPeer{
		{"nginx", nginx(c.good, "ssl_protocols TLSv1.2 TLSv1.3;"), "pppfpppp"},
		{"nginx_old_versions", nginx(c.rsa, "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;", "ssl_ciphers HIGH:!aNULL:@SECLEVEL=0;"), "fppfpppp"},
		{"nginx_static_rsa", nginx(c.rsa, "ssl_protocols TLSv1.2;", "ssl_ciphers AES128-GCM-SHA256;"), "ppffpppp"},
		{"nginx_other_certificate", nginx(c.other), "pppfppif"},
		{"nginx_by_name_only", nginx(c.good, "ssl_reject_handshake on;"), "iiiiiiii"},
		{"openssl", openssl(c.good, false), "pppfpppp"},
		{"openssl_old", openssl(c.rsa, true), "ffpfpppp"},
		{"openssl_null", openssl(c.rsa, false, "-tls1_2", "-cipher", "NULL-SHA256:AES128-GCM-SHA256:@SECLEVEL=0"), "pfffpppp"},
		{"openssl_short_key", openssl(c.short, false, "-min_protocol", "TLSv1.2", "-cipher", "DEFAULT:@SECLEVEL=0"), "pppfpfpp"},
		{"openssl_psk", openssl(c.good, false, "-tls1_2", "-nocert", "-psk", "0123456789abcdef0123456789abcdef", "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0"), "ppnfnnnn"},
		{"gnutls", gnutls(&c.good, "SECURE128:-VERS-TLS1.0:-VERS-TLS1.1"), "pppfpppp"},
		{"gnutls_as_it_comes", gnutls(&c.good, ""), "fppfpppp"},
		{"gnutls_old", gnutls(&c.good, "NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1"), "fppfpppp"},
		{"gnutls_rc4_3des", gnutls(&c.rsa, "NORMAL:-VERS-ALL:+VERS-TLS1.2:+ARCFOUR-128:+3DES-CBC"), "pfpfpppp"},
		{"gnutls_anonymous", gnutls(nil, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ANON-ECDH"), "pfffiiii"},
		{"stunnel", stunnel(c.good), "pppfpppp"},
		{"stunnel_old", stunnel(c.rsa, "sslVersionMin = TLSv1", "ciphers = "+oldCiphers), "ffpfpppp"},
		{"stunnel_ended", stunnel(c.ended), "pppffppp"},
		{"mosquitto", mosquitto(c.good, false), "pppfpppp"},
		{"mosquitto_ended", mosquitto(c.ended, false), "pppffppp"},
		{"mosquitto_client_certificate", mosquitto(c.good, true), "pppfpppp"},
		{"go_hybrid", goServer(t, c.good), "pppppppp"},
		{"ssl3_export", legacyServer(t, c.rsa, legacytls.SSL30, 0x0003, 0x0006, 0x0004), "ffffppii"},
		{"rc4_only", legacyServer(t, c.rsa, legacytls.TLS10, 0x0005), "ffffppii"},
	}
}

// goServer is a TLS server of Go's library, which takes hybrid groups.
func goServer(t *testing.T, cert peers.Certificate) netip.AddrPort {
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert.TLS}})
	require.NoError(t, err)
	return accepting(t, l, func(conn net.Conn) {
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		buf := make([]byte, 1024)
		if n, err := conn.Read(buf); err == nil && strings.HasPrefix(string(buf[:n]), "GET ") {
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		}
	})
}

// legacyServer is what no library serves any more.
func legacyServer(t *testing.T, cert peers.Certificate, version uint16, suites ...uint16) netip.AddrPort {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &legacytls.Server{Versions: []uint16{version}, Suites: suites, Chain: cert.TLS.Certificate, Key: cert.TLS.PrivateKey}
	return accepting(t, l, func(conn net.Conn) { _, _ = s.Serve(conn) })
}

// accepting serves connections side by side until the test ends.
func accepting(t *testing.T, l net.Listener, serve func(net.Conn)) netip.AddrPort {
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { serve(conn); _ = conn.Close() }()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

var letters = map[verdict.Verdict]string{pass: "p", fail: "f", inconclusive: "i", without: "n"}

// said is what each check said of an endpoint, in the order of askedOfTLS.
func said(r result.Result, at netip.AddrPort) string {
	var b strings.Builder
	for _, id := range askedOfTLS {
		i := slices.IndexFunc(items(r, id), func(i result.Item) bool { return i.Endpoint == evidence.TCP(at).Name })
		if i < 0 {
			b.WriteString("-")
			continue
		}
		b.WriteString(letters[items(r, id)[i].Verdict])
	}
	return b.String()
}

// together is how many servers are one device. To look up what a verdict cites
// takes longer the longer the record is.
const together = 4

// Every check is seen to fail, to pass and to stay open at a real server.
func TestTLSServers(t *testing.T) {
	t.Parallel()
	c := issue(t)
	seen := map[string]string{}
	var lock sync.Mutex
	t.Run("peers", func(t *testing.T) {
		for list := range slices.Chunk(tlsPeers(t, c), together) {
			t.Run(list[0].name, func(t *testing.T) {
				t.Parallel()
				for _, said := range looked(t, c, list) {
					lock.Lock()
					for i, id := range askedOfTLS {
						seen[id] += said[i : i+1]
					}
					lock.Unlock()
				}
			})
		}
	})
	for _, id := range askedOfTLS {
		for _, v := range []string{"p", "f", "i"} {
			if !strings.Contains(seen[id], v) && id+v != "tls.certificate-identity-matchesf" { // a name has to be declared for that: see below
				t.Errorf("%s was not seen to say %q: %s", id, v, seen[id])
			}
		}
	}
}

// looked tests servers as one device, and returns what was said of each.
func looked(t *testing.T, c certificates, list []tlsPeer) []string {
	var addrs []netip.AddrPort
	for _, p := range list {
		addrs = append(addrs, p.addr)
	}
	o := at(asking(t, askedOfTLS...), addrs...)
	o.Trust, o.Clock = [][]byte{c.anchor}, probe.ClockSource{Name: "synchronised"}
	r := conduct(t, o).Result
	var all []string
	for _, p := range list {
		got := said(r, p.addr)
		if all = append(all, got); got != p.want {
			t.Errorf("%s: %s, want %s%s", p.name, got, p.want, saidAt(r, p.addr))
		}
	}
	return all
}

// fingerprint is what a device file pins.
func fingerprint(c peers.Certificate) string {
	return fmt.Sprintf("%x", sha256.Sum256(c.TLS.Certificate[0]))
}

// saidAt is all that was said of an endpoint, for people.
func saidAt(r result.Result, at netip.AddrPort) string {
	var b strings.Builder
	for _, id := range askedOfTLS {
		for _, i := range items(r, id) {
			if strings.HasPrefix(i.Endpoint, evidence.TCP(at).Name) {
				fmt.Fprintf(&b, "\n  %s %s at %s: %s [%s]; next: %s", id, i.Verdict, i.Endpoint, i.Why, i.Advisory, i.Next)
			}
		}
	}
	return b.String()
}

// With a device file the names that it declares count, and so does that it pins
// nothing.
func TestDeclaredTLSServers(t *testing.T) {
	t.Parallel()
	c := issue(t)
	serve := func(cert peers.Certificate) netip.AddrPort {
		return peers.Nginx(t, peers.NginxConfig{Certificate: &cert, Pages: map[string]string{"/index.html": "device"}}).Addrs[1]
	}
	for _, tt := range []struct {
		name, server, trust string
		cert                peers.Certificate
		want                wanted
	}{
		{"as_declared", "device.example", "", c.other, wanted{"tls.certificate-identity-matches": pass, "tls.certificate-trusted": fail}},
		{"other_name", "lock.example", "{anchors: [anchor.pem]}", c.good, wanted{"tls.certificate-identity-matches": fail, "tls.certificate-trusted": pass}},
		{"pinned", "lock.example", "{pins: [" + fingerprint(c.other) + "]}", c.other, wanted{"tls.certificate-identity-matches": pass, "tls.certificate-trusted": pass}},
		{"other_pin", "device.example", "{pins: [" + fingerprint(c.good) + "]}", c.other, wanted{"tls.certificate-identity-matches": pass, "tls.certificate-trusted": fail}},
		{"no_name", "", "", c.other, wanted{"tls.certificate-identity-matches": inconclusive, "tls.certificate-trusted": fail}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr, dir := serve(tt.cert), t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "anchor.pem"), c.anchor, 0o600))
			text := fmt.Sprintf("device: {id: web, manufacturer: A, model: B, addresses: [127.0.0.1]}\nixit:\n  soft_serv:\n    - {id: web, description: page, status: enabled, justification: page, tcp: [%d], protocol: http, tls: yes, server_names: [%s]}\n", addr.Port(), tt.server)
			if tt.trust != "" {
				text += "trust: " + tt.trust + "\n"
			}
			f, err := device.Parse("device.yaml", []byte(text), dir)
			require.NoError(t, err)
			o := at(asking(t, askedOfTLS...), addr)
			o.File, o.Clock = f, probe.ClockSource{Name: "synchronised"}
			r := conduct(t, o).Result
			for id, want := range tt.want {
				i := slices.IndexFunc(items(r, id), func(i result.Item) bool { return i.Endpoint == evidence.TCP(addr).Name })
				require.GreaterOrEqual(t, i, 0, "%s", saidAt(r, addr))
				require.Equal(t, want, items(r, id)[i].Verdict, "%s%s", id, saidAt(r, addr))
			}
		})
	}
}

// A web server finishes the handshake with anybody, and says only then that it
// wanted a certificate; one that takes it or leaves it serves strangers.
func TestMutualTLSServers(t *testing.T) {
	t.Parallel()
	authority := peers.NewAuthority(t)
	cert, client := authority.Issue(t, "127.0.0.1"), authority.Issue(t, "app")
	const id = "tls.mutual-authentication-required"
	for _, tt := range []struct {
		name, verify, claim string
		holder              bool
		want                verdict.Verdict
	}{
		{"demanded", "on", "yes", true, pass},
		{"nobody_to_show_that_it_serves", "on", "yes", false, inconclusive},
		{"taken_or_left", "optional", "yes", true, fail},
		{"not_even_asked_for", "off", "yes", false, fail},
		{"not_claimed", "off", "no", false, without},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			addr := peers.Nginx(t, peers.NginxConfig{Certificate: &cert, Pages: map[string]string{"/index.html": "device"},
				Directives: []string{"ssl_verify_client " + tt.verify + ";", "ssl_client_certificate " + authority.File + ";"}}).Addrs[1]
			text := fmt.Sprintf("device: {id: web, manufacturer: A, model: B, addresses: [127.0.0.1]}\nixit:\n  soft_serv:\n    - {id: web, description: page, status: enabled, justification: page, tcp: [%d], protocol: http, tls: yes, client_certificate: %s}\n", addr.Port(), tt.claim)
			if tt.holder {
				text += "credentials: [{id: app, service: client-certificate, user: app, password: {file: app.pem}}]\n"
				var both []byte
				for _, name := range []string{client.CertFile, client.KeyFile} {
					b, err := os.ReadFile(name)
					require.NoError(t, err)
					both = append(both, b...)
				}
				require.NoError(t, os.WriteFile(filepath.Join(dir, "app.pem"), both, 0o600))
			}
			f, err := device.Parse("device.yaml", []byte(text), dir)
			require.NoError(t, err)
			o := at(asking(t, id), addr)
			o.File, o.Effect = f, probe.Intrusive
			expect(t, conduct(t, o).Result, wanted{id: tt.want})
		})
	}
}
