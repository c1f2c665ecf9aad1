package tlswire

import (
	"bytes"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/internal/peers"
)

// heard13 makes a handshake of TLS 1.3 and returns what the server said, and the
// secrets.
func heard13(t *testing.T, server *tls.Config) (heard []byte, log string, served tls.Certificate) {
	t.Helper()
	served = peers.NewAuthority(t).Issue(t, "device").TLS
	server.Certificates, server.MinVersion = []tls.Certificate{served}, TLS13
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		theirs, err := l.Accept()
		if err == nil {
			defer theirs.Close()
			theirs.SetDeadline(time.Now().Add(5 * time.Second))
			err = tls.Server(theirs, server).Handshake()
		}
		done <- err
	}()
	ours, err := net.DialTimeout("tcp", l.Addr().String(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	ours.SetDeadline(time.Now().Add(5 * time.Second))
	tap, text := &tapped{Conn: ours}, &strings.Builder{}
	client := tls.Client(tap, &tls.Config{InsecureSkipVerify: true, KeyLogWriter: text})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return tap.heard.Bytes(), text.String(), served
}

func TestFlight13(t *testing.T) {
	for name, config := range map[string]*tls.Config{
		"at_once":    {},
		"retried":    {CurvePreferences: []tls.CurveID{tls.CurveP521}},
		"with_alpn":  {NextProtos: []string{"h2"}},
		"asks_also":  {ClientAuth: tls.RequestClientCert},
		"no_tickets": {SessionTicketsDisabled: true},
	} {
		heard, log, served := heard13(t, config)
		f, err := ReadFlight13(log, heard)
		if err != nil || f.Served != 1 || len(f.Chain) != 1 || !bytes.Equal(f.Chain[0], served.Certificate[0]) || f.Signature != 0x0403 {
			t.Errorf("%s: got %d certificates, scheme %04x, %v", name, f.Served, f.Signature, err)
		}
		for _, bad := range [][2]string{{"", string(heard)}, {log, ""}, {log, string(heard[:len(heard)/3])}, {strings.ToUpper(log)[:40], string(heard)}} {
			if f, err := ReadFlight13(bad[0], []byte(bad[1])); err == nil {
				t.Errorf("%s: broken, and read as %+v", name, f)
			}
		}
	}
}

// Each suite has keys of its own.
func TestHalf13(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, 48)
	for suite, inner := range map[uint16]string{0x1301: "hello\x16", 0x1302: "hello\x16\x00\x00", 0x1303: "hello\x16\x00"} {
		k, err := newHalf13(suite, secret)
		if err != nil {
			t.Fatal(err)
		}
		head := []byte{23, 3, 3, 0, byte(len(inner) + k.aead.Overhead())}
		sealed := k.aead.Seal(nil, k.iv, []byte(inner), head)
		if kind, plain, err := k.open(sealed); err != nil || kind != contentHandshake || string(plain) != "hello" {
			t.Errorf("%04x: got %d, %q, %v", suite, kind, plain, err)
		}
		if _, _, err := k.open(sealed); err == nil {
			t.Errorf("%04x: the same record is taken twice", suite)
		}
	}
}

func TestCertificates13(t *testing.T) {
	var f Flight13
	if err := f.certificates([]byte{0, 0, 0, 7, 0, 0, 2, 'a', 'b', 0, 0}); err != nil || f.Served != 1 || string(f.Chain[0]) != "ab" {
		t.Errorf("got %+v, %v", f, err)
	}
	for _, bad := range [][]byte{nil, {1}, {0, 0, 0, 1}, {0, 0, 0, 4, 0, 0, 0, 0}, {0, 0, 0, 5, 0, 0, 2, 'a', 'b'}} {
		if err := f.certificates(bad); err == nil {
			t.Errorf("%x is taken", bad)
		}
	}
}

func FuzzFlight13(f *testing.F) {
	hello := record(22, message(2, serverHello(TLS12, 1, 0x1301, 0, 43, 0, 2, 3, 4, 0, 51, 0, 5, 0, 29, 0, 1, 1)...)...)
	f.Add(append(bytes.Clone(hello), record(23, make([]byte, 40)...)...), []byte{0, 0, 0, 7, 0, 0, 2, 'a', 'b', 0, 0})
	f.Fuzz(func(t *testing.T, b, body []byte) {
		if got, err := ReadFlight13("SERVER_HANDSHAKE_TRAFFIC_SECRET 00 0011", append(bytes.Clone(hello), b...)); err == nil {
			t.Fatalf("forged: %+v", got)
		}
		var c Flight13
		if err := c.certificates(body); err == nil && (len(c.Chain) > maxCertificates || c.Served < len(c.Chain)) {
			t.Fatalf("%d of %d certificates", len(c.Chain), c.Served)
		}
	})
}
