package legacytls

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/internal/peers"
)

// pair is a certificate with its key.
func pair(t testing.TB, key crypto.Signer) (chain [][]byte, private crypto.PrivateKey) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "old.example"}, DNSNames: []string{"old.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return [][]byte{der}, key
}

// oldKey is made once: the search for its parameters takes a second.
var oldKey = sync.OnceValues(DSA)

// servers are one for each kind of key, over all suites and versions.
func servers(t testing.TB) map[signer]*Server {
	t.Helper()
	made, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	old, err := oldKey()
	require.NoError(t, err)
	all := map[signer]*Server{}
	for kind, key := range map[signer]crypto.Signer{byRSA: made, byECDSA: curve} {
		chain, private := pair(t, key)
		all[kind] = &Server{Versions: []uint16{SSL30, TLS10, TLS11, TLS12}, Suites: Suites(), Chain: chain, Key: private}
	}
	// crypto/x509 issues no DSA certificates: the one of another key stands in,
	// and the signature is verified with the key itself.
	all[byDSS] = &Server{Versions: []uint16{SSL30, TLS10, TLS11, TLS12}, Suites: Suites(), Chain: all[byRSA].Chain, Key: old}
	all[nobody] = &Server{Versions: []uint16{SSL30, TLS10, TLS11, TLS12}, Suites: Suites()}
	return all
}

// talk sends bytes to a server and returns what it says, until it closes or the
// flight is over, and what it thinks of it.
func talk(t testing.TB, s *Server, say []byte) ([]byte, Exchange, error) {
	t.Helper()
	client, server := net.Pipe()
	var x Exchange
	var err error
	done := make(chan struct{})
	go func() { defer close(done); x, err = s.Serve(server) }()
	go func() { _, _ = client.Write(say) }()
	require.NoError(t, client.SetReadDeadline(time.Now().Add(5*time.Second)))
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, readErr := client.Read(buf)
		if got = append(got, buf[:n]...); readErr != nil || bytes.HasSuffix(got, []byte{msgServerHelloDone, 0, 0, 0}) {
			break
		}
	}
	_ = client.Close()
	<-done
	return got, x, err
}

// Every suite, in every version that has it, is answered by the flight that it
// asks for, and the signature in it holds.
func TestEverySuite(t *testing.T) {
	all := servers(t)
	for _, suite := range Suites() {
		m, ok := methodOf(suite)
		require.True(t, ok)
		for _, version := range []uint16{SSL30, TLS10, TLS11, TLS12} {
			s := all[m.by]
			hello := offer{version: version, suites: []uint16{suite}}
			got, x, err := talk(t, s, hello.bytes())
			if version < m.from {
				require.False(t, x.Chosen, "%#04x in %#04x", suite, version)
				continue
			}
			require.NoError(t, err, "%#04x in %#04x", suite, version)
			require.True(t, x.Chosen, "%#04x in %#04x", suite, version)
			f := readFlight(t, got)
			require.Equal(t, []uint16{version, suite}, []uint16{f.version, f.suite})
			require.Equal(t, m.by != nobody, f.certificates != nil, "%#04x", suite)
			if f.certificates != nil {
				require.Equal(t, s.Chain, f.certificates)
			}
			signs := m.kx == kxDHE || m.kx == kxDHEExport || m.kx == kxECDHE || m.kx == kxRSAExport
			require.Equal(t, signs, f.exchange != nil, "%#04x", suite)
			if signs {
				f.verify(t, m, hello, s.Key)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	chain, key := servers(t)[byRSA].Chain, servers(t)[byRSA].Key
	s := Server{Versions: []uint16{TLS10, SSL30, TLS12}, Suites: []uint16{0x0005, 0xc013, 0x002f, 0xc023}, Chain: chain, Key: key}
	byClient, curves := s, s
	byClient.ClientOrder = true
	curves.Suites, curves.Groups, curves.Deflate = []uint16{0xc013}, []uint16{X25519, P384}, true
	tests := []struct {
		name string
		s    Server
		h    Hello
		want Choice
		ok   bool
	}{
		{"newest_in_common", s, Hello{Version: TLS11, Suites: []uint16{0x002f}}, Choice{Version: TLS10, Suite: 0x002f}, true},
		{"own_order", s, Hello{Version: TLS12, Suites: []uint16{0x002f, 0x0005}}, Choice{Version: TLS12, Suite: 0x0005}, true},
		{"order_of_the_client", byClient, Hello{Version: TLS12, Suites: []uint16{0x002f, 0x0005}}, Choice{Version: TLS12, Suite: 0x002f}, true},
		{"too_new_for_the_version", s, Hello{Version: SSL30, Suites: []uint16{0x002f}}, Choice{Version: SSL30}, false},
		{"no_key_for_it", s, Hello{Version: TLS12, Suites: []uint16{0xc023}}, Choice{Version: TLS12}, false},
		{"nothing_in_common", s, Hello{Version: TLS12, Suites: []uint16{0x1301}}, Choice{Version: TLS12}, false},
		{"no_version", s, Hello{Version: 0x0200, Suites: []uint16{0x0005}}, Choice{}, false},
		{"default_group", s, Hello{Version: TLS12, Suites: []uint16{0xc013}}, Choice{Version: TLS12, Suite: 0xc013, Group: P256}, true},
		{"group_in_common", curves, Hello{Version: TLS12, Suites: []uint16{0xc013}, Groups: []uint16{P256, P384}}, Choice{Version: TLS12, Suite: 0xc013, Group: P384}, true},
		{"no_group_in_common", curves, Hello{Version: TLS12, Suites: []uint16{0xc013}, Groups: []uint16{P256}}, Choice{Version: TLS12}, false},
		{"compression", curves, Hello{Version: TLS12, Suites: []uint16{0xc013}, Groups: []uint16{X25519}, Compressions: []uint8{1, 0}}, Choice{TLS12, 0xc013, X25519, true}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := tt.s.Choose(tt.h)
			assert.Equal(t, tt.ok, ok)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestRefusals(t *testing.T) {
	s := servers(t)[nobody]
	s.Versions = []uint16{TLS10}
	none := offer{version: TLS10, suites: []uint16{0x1301}}.bytes()
	tests := []struct {
		name    string
		refusal Refusal
		hello   []byte
		want    []byte
	}{
		{"no_suite", Alert, none, []byte{recordAlert, 3, 1, 0, 2, 2, handshakeFailure}},
		{"no_version", Alert, offer{version: SSL30, suites: []uint16{0x0018}}.bytes(), []byte{recordAlert, 3, 1, 0, 2, 2, protocolVersion}},
		{"closed", Close, none, nil},
		{"no_hello", Alert, []byte("GET / HTTP/1.1\r\n\r\n"), nil},
		{"alert_first", Alert, []byte{recordAlert, 3, 1, 0, 2, 2, 40}, nil},
		{"empty_record", Alert, []byte{recordHandshake, 3, 1, 0, 0}, nil},
		{"hello_too_long", Alert, []byte{recordHandshake, 3, 1, 0, 4, ClientHello, 0xff, 0xff, 0xff}, nil},
		{"hello_broken", Alert, []byte{recordHandshake, 3, 1, 0, 5, ClientHello, 0, 0, 1, 3}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.Refusal = tt.refusal
			got, x, _ := talk(t, s, tt.hello)
			assert.Equal(t, tt.want, got)
			assert.False(t, x.Chosen)
		})
	}
	t.Run("ignored", func(t *testing.T) {
		client, server := net.Pipe()
		done := make(chan struct{})
		go func() { defer close(done); _, _ = (&Server{Refusal: Ignore}).Serve(server) }()
		_, err := client.Write(none)
		require.NoError(t, err)
		require.NoError(t, client.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
		_, err = client.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		_ = client.Close()
		<-done
	})
}

func TestOddities(t *testing.T) {
	s := servers(t)[byRSA]
	s.Most, s.AskCertificate, s.Renegotiation, s.Deflate, s.DHBits = 100, true, true, true, 768
	hello := offer{version: TLS12, suites: []uint16{0x0033, secureSignal}, compressions: []byte{1, 0}}
	got, _, err := talk(t, s, hello.bytes())
	require.NoError(t, err)
	for b := got; len(b) > 0; {
		length := int(b[3])<<8 | int(b[4])
		require.LessOrEqual(t, length, 100, "every record is short")
		b = b[recordHeader+length:]
	}
	f := readFlight(t, got)
	assert.True(t, f.asked)
	assert.Equal(t, uint8(1), f.compression)
	assert.Equal(t, []byte{0xff, 1, 0, 1, 0}, f.extensions)
	assert.Equal(t, 768, f.primeBits(t))
	short, err := ShortRSA(512)
	require.NoError(t, err)
	s.Key = short // an export suite needs no other key than a short one
	got, _, err = talk(t, s, offer{version: SSL30, suites: []uint16{0x0003}}.bytes())
	require.NoError(t, err)
	assert.Nil(t, readFlight(t, got).exchange)
}

func TestPrimes(t *testing.T) {
	for bits := range oakley {
		p, err := prime(bits)
		require.NoError(t, err)
		assert.Equal(t, bits, p.BitLen())
		assert.True(t, strings.HasPrefix(p.Text(16), "ffffffffffffffffc90fdaa22168c234"), "%d bits begin like RFC 2409", bits)
		half := new(big.Int).Rsh(p, 1)
		assert.True(t, p.ProbablyPrime(4) && half.ProbablyPrime(4), "%d bits", bits)
	}
	p, err := prime(512)
	require.NoError(t, err)
	assert.Equal(t, 512, p.BitLen())
}

func TestShortRSA(t *testing.T) {
	for _, bits := range []int{512, 768} {
		key, err := ShortRSA(bits)
		require.NoError(t, err)
		assert.Equal(t, bits, key.N.BitLen())
		signature, err := signRSA(key, crypto.SHA1, make([]byte, 20))
		require.NoError(t, err)
		opened := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, bits/8))
		assert.Equal(t, append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 3)...), opened[:5])
		assert.Equal(t, slices.Concat(prefixes[crypto.SHA1], make([]byte, 20)), opened[bits/8-35:])
	}
	tiny, err := ShortRSA(128)
	require.NoError(t, err)
	_, err = signRSA(tiny, crypto.SHA256, make([]byte, 32))
	assert.Error(t, err)
}

// dial serves one connection on loopback.
func dial(t *testing.T, s *Server) (addr string, result func() Exchange) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	results := make(chan Exchange, 1)
	go func() {
		defer close(results)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		x, _ := s.Serve(conn)
		results <- x
	}()
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String(), func() Exchange { _ = l.Close(); return <-results }
}

// Go's own client takes the flight for good, and so goes on.
func TestGoClientGoesOn(t *testing.T) {
	all := servers(t)
	for _, suite := range slices.Concat(tls.InsecureCipherSuites(), tls.CipherSuites()) {
		m, ok := methodOf(suite.ID)
		if !ok {
			continue
		}
		for _, version := range suite.SupportedVersions {
			addr, result := dial(t, all[m.by])
			_, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, &tls.Config{InsecureSkipVerify: true,
				MinVersion: version, MaxVersion: version, CipherSuites: []uint16{suite.ID}})
			require.Error(t, err, "nothing is ever encrypted")
			x := result()
			assert.Equal(t, ClientKeyExchange, x.Next, "%s in %#04x: %v", suite.Name, version, err)
		}
	}
}

// Debian's OpenSSL still knows some suites that Go never had.
func TestOpenSSLGoesOn(t *testing.T) {
	all := servers(t)
	for _, tt := range []struct {
		name, flag string
		by         signer
	}{
		{"NULL-SHA", "-tls1", byRSA}, {"NULL-SHA256", "-tls1_2", byRSA}, {"AES128-SHA", "-tls1_1", byRSA}, {"DHE-RSA-AES128-SHA", "-tls1", byRSA},
		{"ECDHE-RSA-NULL-SHA", "-tls1", byRSA}, {"ECDHE-ECDSA-NULL-SHA", "-tls1_2", byECDSA}, {"ADH-AES128-SHA", "-tls1", nobody},
		{"AECDH-NULL-SHA", "-tls1_2", nobody}, {"AES128-CCM8", "-tls1_2", byRSA}, {"ECDHE-ECDSA-AES128-CCM8", "-tls1_2", byECDSA},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := all[tt.by]
			s.DHBits, s.Renegotiation = 2048, true
			addr, result := dial(t, s)
			cmd := peers.Command(t, "usr/bin/openssl", "s_client", "-connect", addr, tt.flag, "-cipher", tt.name+":@SECLEVEL=0")
			cmd.Env = append(cmd.Env, "OPENSSL_CONF=/dev/null")
			cmd.Stdin = strings.NewReader("")
			out, _ := cmd.CombinedOutput()
			x := result()
			assert.Equal(t, ClientKeyExchange, x.Next, "%s", out)
		})
	}
}

// What was read can be put back for a whole server to take over.
func TestReplay(t *testing.T) {
	s := servers(t)[byRSA]
	client, server := net.Pipe()
	go func() {
		hello, err := ReadHello(server)
		if err != nil {
			return
		}
		conn := tls.Server(Replay(server, hello), &tls.Config{Certificates: []tls.Certificate{{Certificate: s.Chain, PrivateKey: s.Key}}})
		_, _ = io.WriteString(conn, hello.ServerName)
		_ = conn.Close()
	}()
	conn := tls.Client(client, &tls.Config{InsecureSkipVerify: true, ServerName: "old.example"})
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.Equal(t, "old.example", string(got))
}

func TestListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() { defer close(done); (&Server{Versions: []uint16{TLS10}}).Listen(l) }()
	for range 2 {
		_, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		_, refused := errors.AsType[tls.AlertError](err)
		assert.True(t, refused || strings.Contains(err.Error(), "handshake failure"), "%v", err)
	}
	_ = l.Close()
	<-done
}
