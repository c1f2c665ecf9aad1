package tlsinside

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 5 * time.Second

func device(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				c.SetDeadline(time.Now().Add(patience))
				serve(c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func loopback(l transport.Limits) transport.Dialer {
	return transport.New(transport.Config{Scope: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Limits: l})
}

func open(ctx context.Context, t *testing.T, d transport.Dialer, at netip.AddrPort) (Handshake, error) {
	t.Helper()
	c, err := d.Dial(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	return Open(ctx, d, c)
}

func TestOpen(t *testing.T) {
	cert := peers.NewAuthority(t).Issue(t, "device")
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS12, tls.VersionTLS13} {
		at := device(t, func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert.TLS}, MinVersion: version, MaxVersion: version})
			io.WriteString(s, "hello")
			s.Close()
		})
		h, err := open(t.Context(), t, loopback(transport.Limits{}), at)
		if err != nil || h.Session == nil || h.First != ServerHello || h.Act != transport.Answered {
			t.Fatalf("version %x: %+v, %v", version, h, err)
		}
		if got, _ := io.ReadAll(h.Session); string(got) != "hello" || h.Session.Span().Length != 5 {
			t.Errorf("inside: %q, %+v", got, h.Session.Span())
		}
		if h.Session.State.Version != version || len(h.Session.State.PeerCertificates) == 0 {
			t.Errorf("state = %+v", h.Session.State)
		}
		h.Session.Close()
	}
}

func TestNoHandshake(t *testing.T) {
	cert := peers.NewAuthority(t).Issue(t, "device")
	tests := []struct {
		name  string
		at    netip.AddrPort
		first Record
		act   transport.Act
	}{
		{"alert", device(t, func(c net.Conn) {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert.TLS}, CurvePreferences: []tls.CurveID{9999}})
			s.Handshake()
		}), Alert, transport.Answered},
		{"silence", peers.Tarpit(t), None, transport.Silent},
		{"closed", peers.Closer(t), None, transport.Closed},
		{"reset", device(t, func(c net.Conn) {
			c.Read(make([]byte, 1))
			c.(*net.TCPConn).SetLinger(0)
		}), None, transport.Closed},
		{"flood", peers.Flood(t, "HTTP/1.0 400 Bad Request\r\n"), None, transport.Answered},
		{"drip", peers.Drip(t, "\x16\x03\x03\x02\x00\x02"), None, transport.Silent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begun := time.Now()
			ctx := transport.Within(t.Context(), time.Second)
			h, err := open(ctx, t, loopback(transport.Limits{}), tt.at)
			if err != nil || h.Session != nil || h.First != tt.first || h.Act != tt.act {
				t.Errorf("got %+v, %v; want %s, %s", h, err, tt.first, tt.act)
			}
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// In TLS 1.3 the refusal of a client without a certificate comes after the
// handshake: it is the device's act, not our trouble.
func TestRefusedAfterTheHandshake(t *testing.T) {
	cert := peers.NewAuthority(t).Issue(t, "device")
	at := device(t, func(c net.Conn) {
		tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert.TLS}, ClientAuth: tls.RequireAnyClientCert}).Handshake()
	})
	h, err := open(t.Context(), t, loopback(transport.Limits{}), at)
	if err != nil || h.Session == nil {
		t.Fatalf("got %+v, %v", h, err)
	}
	defer h.Session.Close()
	_, err = h.Session.Read(make([]byte, 1))
	if act, ours := transport.Did(t.Context(), err); act != transport.Closed || ours != nil {
		t.Errorf("act = %q, %v", act, err)
	}
	silent := device(t, func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert.TLS}})
		s.Read(make([]byte, 1))
	})
	h, err = open(transport.Within(t.Context(), 300*time.Millisecond), t, loopback(transport.Limits{}), silent)
	if err != nil || h.Session == nil {
		t.Fatalf("got %+v, %v", h, err)
	}
	defer h.Session.Close()
	_, err = h.Session.Read(make([]byte, 1))
	if act, ours := transport.Did(t.Context(), err); act != transport.Silent || ours != nil {
		t.Errorf("act = %q, %v", act, err)
	}
}

func TestOurOwnTrouble(t *testing.T) {
	at := peers.Flood(t, "\x16\x03\x03\x40\x00")
	_, err := open(t.Context(), t, loopback(transport.Limits{Bytes: 100}), at)
	if !errors.Is(err, transport.ErrBudget) {
		t.Errorf("err = %v", err)
	}
}

func TestHello(t *testing.T) {
	cert := peers.NewAuthority(t).Issue(t, "device")
	at := device(t, func(c net.Conn) {
		tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert.TLS}, MinVersion: tls.VersionTLS10}).Handshake()
	})
	c, err := loopback(transport.Limits{}).Dial(transport.Within(t.Context(), patience), at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := make([]byte, recordStart)
	if _, err := c.Write(Hello()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, b); err != nil || Classify(b) != ServerHello {
		t.Errorf("answer = %x, %v", b, err)
	}
}

func TestClassify(t *testing.T) {
	for in, want := range map[string]Record{
		"\x15\x03\x01\x00\x02\x02\x28": Alert, "\x15\x03\x00\x00\x02\x01\x00": Alert,
		"\x16\x03\x03\x00\x7a\x02\x00\x00\x76": ServerHello, "\x16\x03\x00\x00\x4a\x02\x00\x00\x46": ServerHello,
		"": None, "\x15\x03\x01\x00\x02": None, "\x15\x03\x01\x00\x03\x02\x28": None, "\x15\x03\x01\x00\x02\x07\x28": None,
		"\x16\x03\x03\x00\x7a\x01\x00\x00\x76": None, "\x16\x03\x03\x00\x7a\x02\xff\x00\x76": None, "\x16\x02\x03\x00\x7a\x02\x00\x00\x76": None,
		"HTTP/1.0 ": None, "SSH-2.0-x": None, "\x20\x02\x00\x05": None,
	} {
		if got := Classify([]byte(in)); got != want {
			t.Errorf("Classify(%x) = %s, want %s", in, got, want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add([]byte("\x15\x03\x01\x00\x02\x02\x28"))
	f.Add([]byte("\x16\x03\x03\x00\x7a\x02\x00\x00\x76"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := Classify(b); got != None && (b[0] != contentAlert && b[0] != contentHandshake || b[1] != 3) {
			t.Errorf("%x is %s", b, got)
		}
	})
}
