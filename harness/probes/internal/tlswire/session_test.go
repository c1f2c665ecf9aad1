package tlswire

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/internal/peers"
)

// tapped keeps what goes both ways.
type tapped struct {
	net.Conn
	said, heard bytes.Buffer
}

func (t *tapped) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.heard.Write(b[:n])
	return n, err
}

func (t *tapped) Write(b []byte) (int, error) {
	t.said.Write(b)
	return t.Conn.Write(b)
}

// shaken makes a handshake with a server of crypto/tls, which takes no
// renegotiation and says so in an alert.
func shaken(t *testing.T, suite uint16) (*tapped, string) {
	t.Helper()
	cert := peers.NewAuthority(t).Issue(t, "device")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert.TLS}, MaxVersion: TLS12})
		io.WriteString(s, "data first")
		s.Read(make([]byte, 1))
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		l.Close()
		<-done
	})
	c.SetDeadline(time.Now().Add(5 * time.Second))
	var log strings.Builder
	tap := &tapped{Conn: c}
	config := &tls.Config{InsecureSkipVerify: true, MaxVersion: TLS12, CipherSuites: []uint16{suite}, KeyLogWriter: &log}
	if err := tls.Client(tap, config).Handshake(); err != nil {
		t.Fatal(err)
	}
	return tap, log.String()
}

func TestSession(t *testing.T) {
	for _, suite := range []uint16{0xc02b, 0xc02c} {
		tap, log := shaken(t, suite)
		s, err := Continue(log, tap.said.Bytes(), tap.heard.Bytes(), tap.Conn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tap.Conn.Write(s.Renegotiate(Hello{Version: TLS12, Suites: []uint16{suite}})); err != nil {
			t.Fatal(err)
		}
		m, err := s.Next()
		if err != nil || m.Alert == nil || m.Alert.Description == 20 {
			t.Errorf("%04x: got %+v, %v; want an alert other than bad_record_mac", suite, m, err)
		}
	}
}

func TestContinueBroken(t *testing.T) {
	tap, log := shaken(t, 0xc02b)
	said, heard := tap.said.Bytes(), tap.heard.Bytes()
	for name, call := range map[string]func() (*Session, error){
		"no_log":     func() (*Session, error) { return Continue("", said, heard, tap) },
		"no_hex":     func() (*Session, error) { return Continue("CLIENT_RANDOM zz zz", said, heard, tap) },
		"other_keys": func() (*Session, error) { return Continue("CLIENT_RANDOM 00 00", said, heard, tap) },
		"not_heard":  func() (*Session, error) { return Continue(log, said, nil, tap) },
		"not_said":   func() (*Session, error) { return Continue(log, nil, heard, tap) },
		"half_said":  func() (*Session, error) { return Continue(log, said[:len(said)-1], heard, tap) },
	} {
		if s, err := call(); err == nil {
			t.Errorf("%s: got %+v", name, s)
		}
	}
	s, err := Continue(log, said, heard, bytes.NewReader(record(23, make([]byte, 40)...)))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.Next(); err == nil {
		t.Errorf("a record that nobody sealed is %+v", m)
	}
}

func FuzzSession(f *testing.F) {
	f.Add(record(20, 1), "CLIENT_RANDOM 00 00")
	f.Add(append(record(20, 1), record(22, make([]byte, 40)...)...), "CLIENT_RANDOM 0011 2233")
	hello := cut(message(2, serverHello(TLS12, 1, 0xc02f)...), 100)
	f.Fuzz(func(t *testing.T, b []byte, log string) {
		if s, err := Continue(log, b, append(hello, b...), bytes.NewReader(b)); err == nil {
			if m, err := s.Next(); err == nil {
				t.Fatalf("forged: %+v", m)
			}
		}
	})
}
