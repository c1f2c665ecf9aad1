package services

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/transport"
)

func signer(t testing.TB) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestIsTelnet(t *testing.T) {
	for in, want := range map[string]bool{
		"\xff\xfb\x01": true, "\xff\xfd\x18\xff\xfd\x20": true, "hello\r\n\xff\xfe\x01": true, "\xff\xfb\x01\xff\xfb": true,
		"\xff\xfa\x18\x01\xff\xf0\xff\xfb\x01": true, "\xff\xf1\xff\xfb\x01": true,
		"login: ": true, "BusyBox v1\r\n\r\ncam login:": true, "Password:\r\n": true, "User Name :": true, "\r\nuser:\x00": true,
		"": false, "\xff": false, "\xff\xfb": false, "\xff\xff\xff\xff": false, "\xff\x01\x01": false, "\xff\xf0": false, "\xff\xfb\x01\xff\x02": false,
		"\xff\xfa\x18\x01": false, "login": false, "last login: monday": false, "login:\r\nwelcome": false, "blogin:": false,
		"220 FTP ready": false, "SSH-2.0-x\r\n": false, "HTTP/1.1 200 OK\r\nlogin: \r\n\r\n<html>": false, "\x01\x02login:": false,
	} {
		if got := isTelnet([]byte(in)); got != want {
			t.Errorf("isTelnet(%q) = %t", in, got)
		}
	}
}

func TestReadSSHBanner(t *testing.T) {
	for in, want := range map[string]sshBanner{
		"SSH-2.0-dropbear\r\nrest":      {18, false},
		"SSH-2.0-x\n":                   {10, false},
		"SSH-1.99-Cisco-1.25\n":         {20, false},
		"SSH-1.5-old\n":                 {12, true},
		"hello\r\nSSH-2.0-x y\r\n":      {20, false},
		"SSH-2.0-x":                     {},
		"SSH-2.0-\r\n":                  {},
		"SSH-2.0\r\n":                   {},
		"SSH-3.0-x\r\n":                 {},
		"xSSH-2.0-x\r\n":                {},
		"":                              {},
		"SSH-2.0-" + long(300) + "\r\n": {},
	} {
		if got := readSSHBanner([]byte(in)); got != want {
			t.Errorf("readSSHBanner(%q) = %+v, want %+v", in, got, want)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func TestGoesOn(t *testing.T) {
	two, one := sshBanner{end: 10}, sshBanner{end: 10, old: true}
	banner := "SSH-2.0-x\n"
	for _, tt := range []struct {
		b    sshBanner
		in   string
		want bool
	}{
		{two, "\x00\x00\x03\x00\x06\x14" + long(7), true},
		{two, "\x00\x00\x03\x00\x06\x15" + long(7), false},
		{two, "\x7f\x00\x03\x00\x06\x14" + long(7), false},
		{two, "\x00\x00\x00\x01\x06\x14" + long(7), false},
		{two, "\x00\x00\x00\x20\x20\x14" + long(7), false},
		{two, "\x00\x00\x03\x00\x06\x14", false},
		{one, "\x00\x00\x01\x0c\x00\x00\x00\x00\x02" + long(4), true},
		{one, "\x00\x00\x01\x0c\x00\x00\x00\x00\x03" + long(4), false},
		{one, "\x00\x00\x01\x08" + "\x00\x00\x00\x00\x00\x00\x00\x00\x02", true},
		{two, "", false},
	} {
		if got := tt.b.goesOn([]byte(banner + tt.in)); got != tt.want {
			t.Errorf("goesOn(%q) = %t", tt.in, got)
		}
	}
	if (sshBanner{end: 100}).goesOn([]byte("short")) {
		t.Error("a packet beyond the end")
	}
}

func TestHTTPStatus(t *testing.T) {
	for in, want := range map[string]int{
		"HTTP/1.1 200 OK\r\n": 200, "HTTP/1.0 404\n": 404, "HTTP/1.1 400 \r\nx": 400, "HTTP/1.1 599 x\r\n": 599,
		"HTTP/1.1 200 OK": 0, "HTTP/2.0 200 OK\r\n": 0, "HTTP/1.1 2x0 OK\r\n": 0, "HTTP/1.1 099 x\r\n": 0, "HTTP/1.1 600 x\r\n": 0,
		"HTTP/1.1  200\r\n": 0, "HTTP/1.1 2000 x\r\n": 0, "RTSP/1.0 200 OK\r\n": 0, "ICY 200 OK\r\n": 0, "SSH-2.0-HTTP/1.1 200\r\n": 0, "\n": 0, "": 0,
	} {
		if got, ok := httpStatus([]byte(in)); ok != (want > 0) || ok && got != want {
			t.Errorf("httpStatus(%q) = %d, %t", in, got, ok)
		}
	}
}

func FuzzTelnet(f *testing.F) {
	for _, s := range []string{"\xff\xfb\x01login: ", "\xff\xfa\x18\x01\xff\xf0", "Password:"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, options, ok := splitTelnet(b)
		if len(text)+3*options > len(b) {
			t.Errorf("%q has %d bytes of text and %d options", b, len(text), options)
		}
		if isTelnet(b) && (!ok || bytes.IndexByte(b, iac) < 0 && bytes.IndexByte(b, ':') < 0) {
			t.Errorf("%q is Telnet", b)
		}
	})
}

func FuzzSSHBanner(f *testing.F) {
	f.Add([]byte("SSH-2.0-dropbear\r\n\x00\x00\x03\x00\x06\x14xxxxxxxxx"))
	f.Add([]byte("SSH-1.5-x\n\x00\x00\x01\x0c\x00\x00\x00\x00\x02xxxx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		banner := readSSHBanner(b)
		if banner.end > len(b) || banner.end > 0 && !bytes.Contains(b[:banner.end], []byte("SSH-")) {
			t.Errorf("%q has a banner up to %d", b, banner.end)
		}
		if banner.goesOn(b) && len(b) < banner.end+sshStart {
			t.Errorf("%q goes on", b)
		}
	})
}

func FuzzHTTPStatus(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if code, ok := httpStatus(b); ok && (code < 100 || code > 599 || !bytes.HasPrefix(b, []byte("HTTP/1."))) {
			t.Errorf("%q has status %d", b, code)
		}
	})
}

// canned is a device that says one thing, whatever it is told.
type canned struct {
	transport.Conn
	r *bytes.Reader
}

func (c canned) Read(b []byte) (int, error)       { return c.r.Read(b) }
func (c canned) Write(b []byte) (int, error)      { return len(b), nil }
func (c canned) Close() error                     { return nil }
func (c canned) SetDeadline(time.Time) error      { return nil }
func (c canned) SetReadDeadline(time.Time) error  { return nil }
func (c canned) SetWriteDeadline(time.Time) error { return nil }
func (c canned) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }
func (c canned) LocalAddr() net.Addr              { return c.RemoteAddr() }
func (c canned) Span() evidence.Span              { return evidence.Span{} }

// insideNothing is a Dialer that lets nothing out.
type insideNothing struct{ transport.Dialer }

func (insideNothing) Inside(c net.Conn) transport.Conn { return canned{r: bytes.NewReader(nil)} }

// One answer is understood by one dialogue at the most, and what nobody
// understands ends.
func FuzzDialogues(f *testing.F) {
	for _, s := range []string{
		"\xff\xfb\x01login: ", "SSH-2.0-x\r\n\x00\x00\x03\x00\x06\x14xxxxxxx", "\x20\x02\x00\x00", "\x20\x03\x00\x00\x00",
		"HTTP/1.1 200 OK\r\n\r\n", "\x15\x03\x01\x00\x02\x02\x28", "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		understood := map[Protocol]bool{}
		for _, d := range outside {
			e := &ear{Conn: canned{r: bytes.NewReader(b)}}
			s := d.hold(context.Background(), insideNothing{}, e)
			if len(e.heard) > maxAnswer {
				t.Errorf("%d bytes are kept", len(e.heard))
			}
			if s.protocol != Unidentified {
				understood[s.protocol] = true
			}
			if e.failed != nil && !errors.Is(e.failed, io.EOF) && !errors.Is(e.failed, io.ErrUnexpectedEOF) {
				t.Errorf("failed: %v", e.failed)
			}
		}
		if len(understood) > 1 {
			t.Errorf("%q is %v", b, understood)
		}
	})
}
