package mutualtls

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collect runs the probe and reads the evidence back as a judge would.
func collect(ctx context.Context, t *testing.T, bench *doortest.Bench, found ...services.Service) (Evidence, error) {
	t.Helper()
	in := bench.Input
	in.Target.Open = len(found)
	in.Evidence = evidence.NewView(evidence.DUT, map[string]evidence.Page{
		services.Probe.Name: {Value: services.Evidence{Services: found}},
		declaration.Probe.Name: {Value: declaration.Evidence{Services: []declaration.Service{
			{TCP: []uint16{1}, Protocol: "http"}, {TCP: ports(found), Protocol: "coap", Enabled: evidence.No}, {TCP: ports(found), Protocol: "mqtt"},
		}}},
	})
	end, err := Probe.Begin(ctx, in)
	require.NoError(t, err)
	data, failed := end(ctx)
	if data == nil {
		return Evidence{}, failed
	}
	page, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: data})
	require.NoError(t, err)
	return page.Value.(Evidence), failed
}

// ports are those that a device file names: as MQTT, once it is enabled.
func ports(found []services.Service) (list []uint16) {
	for _, s := range found {
		if s.Protocol == services.OtherTLS {
			list = append(list, s.Addr.Port())
		}
	}
	return list
}

// holder gives one client certificate.
type holder struct {
	probe.Logins
	pem string
}

func (h holder) For(service string) []probe.Login {
	if service != Service || h.pem == "" {
		return nil
	}
	return []probe.Login{{ID: "app", User: "app", Password: h.pem}, {ID: "second", Password: "not looked at"}}
}

// holding gives what the files of a certificate hold.
func holding(t *testing.T, c peers.Certificate) holder {
	t.Helper()
	var all []byte
	for _, name := range []string{c.CertFile, c.KeyFile} {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		all = append(all, b...)
	}
	return holder{pem: string(all)}
}

// Strangers are tried between two tries with the declared certificate, in the
// protocol that the device file names where nobody else can tell.
func TestDeclaredCertificate(t *testing.T) {
	ca := peers.NewAuthority(t)
	at := server(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "device").TLS}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool}, answers)
	for _, tt := range []struct {
		name     string
		with     peers.Certificate
		seen     services.Protocol
		want     services.Protocol
		answered bool
	}{
		{"good", ca.Issue(t, "app"), services.HTTP, services.HTTP, true},
		{"of_another_authority", peers.NewAuthority(t).Issue(t, "app"), services.HTTP, services.HTTP, false},
		{"protocol_by_device_file", ca.Issue(t, "app"), services.OtherTLS, services.MQTT, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bench := doortest.New(t)
			bench.Input.Logins = holding(t, tt.with)
			e, err := collect(t.Context(), t, bench, over(at, tt.seen))
			require.NoError(t, err)
			l := e.Listeners[0]
			assert.Equal(t, declaration.Name("app"), l.Credential)
			assert.Equal(t, tt.want, l.Protocol)
			var turns []Shown
			for _, try := range l.Tries {
				turns = append(turns, try.Shown)
				assert.Equal(t, try.Shown == Declared && tt.answered, try.Answered(), "%+v", try)
				assert.Equal(t, try.Shown != Declared || !tt.answered, try.Refused(), "%+v", try)
			}
			assert.Equal(t, []Shown{Declared, Nothing, SelfMade, Nothing, SelfMade, Declared}, turns)
		})
	}
	t.Run("no_certificate", func(t *testing.T) {
		bench := doortest.New(t)
		bench.Input.Logins = holder{pem: "secret garbage"}
		_, err := collect(t.Context(), t, bench, over(at, services.HTTP))
		require.ErrorContains(t, err, "\"app\"")
		assert.NotContains(t, err.Error(), "garbage")
	})
}

func over(at netip.AddrPort, p services.Protocol) services.Service {
	return services.Service{Addr: at, Protocol: p, TLS: evidence.Yes, Seen: 2}
}

// server speaks TLS and then does what after says.
func server(t *testing.T, c *tls.Config, after func(*tls.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				if conn.SetDeadline(time.Now().Add(10*time.Second)) != nil {
					return
				}
				if s := tls.Server(conn, c); s.Handshake() == nil {
					after(s)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func answers(s *tls.Conn) {
	if n, _ := s.Read(make([]byte, 100)); n > 0 {
		io.WriteString(s, "HTTP/1.0 200 OK\r\n\r\n")
	}
	s.Close()
}

func hangsUp(s *tls.Conn) { s.Read(make([]byte, 100)) }

func waits(s *tls.Conn) { io.Copy(io.Discard, s) }

func TestRun(t *testing.T) {
	ca := peers.NewAuthority(t)
	cert := []tls.Certificate{ca.Issue(t, "device").TLS}
	names := x509.NewCertPool() // what the server names, without verifying
	for _, c := range []tls.Certificate{cert[0]} {
		parsed, err := x509.ParseCertificate(c.Certificate[0])
		require.NoError(t, err)
		names.AddCert(parsed)
	}
	byName := func(raw [][]byte, _ [][]*x509.Certificate) error {
		c, err := x509.ParseCertificate(raw[0])
		if err != nil || c.Issuer.CommonName != "device" {
			return errors.New("not of ours")
		}
		return nil
	}
	const yes, no = true, false
	tests := []struct {
		name              string
		config            *tls.Config
		after             func(*tls.Conn)
		protocol          services.Protocol
		nothing, selfMade [2]bool // refused, answered
		asked             evidence.Tri
		outcome           tlsserver.Outcome // after the handshake, with the self-made certificate
	}{
		{"open", &tls.Config{}, answers, services.HTTP, [2]bool{no, yes}, [2]bool{no, yes}, evidence.No, tlsserver.Accepted},
		{"mutual_1_3", &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool}, answers, services.HTTP, [2]bool{yes, no}, [2]bool{yes, no}, evidence.Yes, tlsserver.Alerted},
		{"mutual_1_2", &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool, MaxVersion: tls.VersionTLS12}, answers, services.MQTT, [2]bool{yes, no}, [2]bool{yes, no}, evidence.Yes, tlsserver.NotTried},
		{"any_certificate", &tls.Config{ClientAuth: tls.RequireAnyClientCert}, answers, services.MQTT, [2]bool{yes, no}, [2]bool{no, yes}, evidence.Yes, tlsserver.Accepted},
		{"right_name", &tls.Config{ClientAuth: tls.RequireAnyClientCert, ClientCAs: names, VerifyPeerCertificate: byName}, answers, services.HTTP, [2]bool{yes, no}, [2]bool{no, yes}, evidence.Yes, tlsserver.Accepted},
		{"asked_and_left", &tls.Config{ClientAuth: tls.RequestClientCert}, answers, services.HTTP, [2]bool{no, yes}, [2]bool{no, yes}, evidence.Yes, tlsserver.Accepted},
		{"hangs_up", &tls.Config{ClientAuth: tls.RequestClientCert}, hangsUp, services.HTTP, [2]bool{yes, no}, [2]bool{yes, no}, evidence.Yes, tlsserver.Closed},
		{"waits", &tls.Config{}, waits, services.SSH, [2]bool{no, no}, [2]bool{no, no}, evidence.No, tlsserver.Silent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.config.Certificates = cert
			e, err := collect(t.Context(), t, doortest.New(t), over(server(t, tt.config, tt.after), tt.protocol))
			require.NoError(t, err)
			require.Len(t, e.Listeners, 1)
			l := e.Listeners[0]
			require.Len(t, l.Tries, 2*rounds)
			assert.Empty(t, l.Credential)
			for shown, want := range map[Shown][2]bool{Nothing: tt.nothing, SelfMade: tt.selfMade} {
				require.Len(t, l.Of(shown), rounds)
				for _, try := range l.Of(shown) {
					assert.Equal(t, want, [2]bool{try.Refused(), try.Answered()}, "%s: %+v", shown, try)
					assert.Equal(t, tt.asked, try.Asked)
					assert.Equal(t, tt.protocol != services.SSH && try.Outcome == tlsserver.Completed, try.Request == evidence.Yes)
				}
			}
			last := l.Of(SelfMade)[1]
			assert.Equal(t, tt.outcome, last.After)
			assert.Equal(t, tt.config.ClientCAs != nil, len(last.Issuer) > 0)
			assert.Equal(t, last.Answered(), bytes.HasPrefix(last.Answer, []byte("HTTP/1.0 200")))
			assert.Positive(t, last.Span.Length+int64(len(last.Answer)), "something is cited")
		})
	}
}

func TestNoHandshake(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed.Close()
	for name, tt := range map[string]struct {
		at   netip.AddrPort
		want tlsserver.Ending
	}{
		"silence":        {peers.Tarpit(t), tlsserver.Stalled},
		"drip":           {peers.Drip(t, "\x16\x03\x03\x40\x00"), tlsserver.Stalled},
		"closer":         {peers.Closer(t), tlsserver.HungUp},
		"flood":          {peers.Flood(t, "HTTP/1.1 400 Bad Request\r\n"), tlsserver.NotOurs},
		"endless":        {peers.Flood(t, "\x16\x03\x03\x00\x04\x0b\xff\xff\xff"), tlsserver.NotOurs},
		"nobody_listens": {closed.Addr().(*net.TCPAddr).AddrPort(), tlsserver.NotReached},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			e, err := collect(t.Context(), t, doortest.New(t), over(tt.at, services.HTTP))
			require.NoError(t, err)
			for _, try := range e.Listeners[0].Tries {
				assert.Equal(t, tt.want, try.Outcome)
				assert.Equal(t, evidence.Unknown, try.Asked)
				assert.False(t, try.Answered())
			}
			assert.Less(t, time.Since(begun), perListener*benchPatience+2*time.Second)
		})
	}
}

func TestOurOwnTrouble(t *testing.T) {
	at := server(t, &tls.Config{Certificates: []tls.Certificate{peers.NewAuthority(t).Issue(t, "device").TLS}}, answers)
	limits := transport.LimitsOf(transport.Bench)
	limits.Connections = 3
	e, err := collect(t.Context(), t, doortest.Limited(t, limits), over(at, services.HTTP))
	require.ErrorIs(t, err, transport.ErrBudget)
	assert.Empty(t, e.Listeners)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = collect(ctx, t, doortest.New(t), over(at, services.HTTP))
	require.ErrorIs(t, err, context.Canceled)
}

func TestDeclared(t *testing.T) {
	require.NoError(t, evidence.CheckType(reflect.TypeFor[Evidence]()))
	b := Probe.Bound(probe.Target{Open: 3, PerSecond: 10})
	assert.Equal(t, 3*perListener, b.Connections)
	assert.Equal(t, probe.Intrusive, Probe.Effect)
	e, err := collect(t.Context(), t, doortest.New(t), services.Service{Protocol: services.HTTP, TLS: evidence.No})
	require.NoError(t, err)
	assert.Empty(t, e.Listeners)
}

// A server can make us claim a name, and nothing that is none.
func TestIsName(t *testing.T) {
	made, err := selfMade(nil)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(made.Certificate[0])
	require.NoError(t, err)
	assert.True(t, isName(c.RawIssuer))
	named, err := selfMade(c.RawIssuer)
	require.NoError(t, err)
	again, err := x509.ParseCertificate(named.Certificate[0])
	require.NoError(t, err)
	assert.Equal(t, c.RawIssuer, again.RawIssuer)
	for _, bad := range [][]byte{nil, []byte("garbage"), {0x30, 0}, append(bytes.Clone(c.RawIssuer), 0), {0x30, 0x84, 0xff, 0xff, 0xff, 0xff}} {
		assert.False(t, isName(bad), "%x", bad)
	}
}

// Real servers that ask for a certificate: one refuses, one answers that it
// would have wanted one.
func TestPeers(t *testing.T) {
	ca := peers.NewAuthority(t)
	cert := ca.Issue(t, "device")
	openssl := peers.OpenSSLServer(t, peers.OpenSSLConfig{Certificate: cert, Args: []string{"-Verify", "1", "-verify_return_error"}})
	nginx := peers.Nginx(t, peers.NginxConfig{Certificate: &cert, Directives: []string{"ssl_verify_client on;", "ssl_client_certificate " + ca.File + ";"}})
	open := peers.OpenSSLServer(t, peers.OpenSSLConfig{Certificate: cert})
	e, err := collect(t.Context(), t, doortest.New(t), over(openssl.Addr, services.HTTP), over(nginx.Addrs[1], services.HTTP), over(open.Addr, services.HTTP))
	require.NoError(t, err)
	require.Len(t, e.Listeners, 3)
	for i, try := range e.Listeners[0].Tries {
		assert.True(t, try.Refused(), "openssl, %d: %+v", i, try)
		assert.NotEmpty(t, e.Listeners[1].Tries[i].Answer.String())
		assert.True(t, bytes.HasPrefix(e.Listeners[1].Tries[i].Answer, []byte("HTTP/1.1 400")), "nginx, %d", i)
		assert.True(t, e.Listeners[2].Tries[i].Answered(), "without, %d", i)
	}
}

func FuzzIsName(f *testing.F) {
	made, err := selfMade(nil)
	require.NoError(f, err)
	c, err := x509.ParseCertificate(made.Certificate[0])
	require.NoError(f, err)
	f.Add(c.RawIssuer)
	f.Fuzz(func(t *testing.T, b []byte) {
		if !isName(b) {
			return
		}
		if _, err := selfMade(b); err != nil {
			t.Errorf("%x is taken and cannot be claimed: %v", b, err)
		}
	})
}
