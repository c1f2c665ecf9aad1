package tlswire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func record(kind byte, body ...byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

func message(kind byte, body ...byte) []byte {
	return append([]byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

// cut puts b into records of n bytes.
func cut(b []byte, n int) (out []byte) {
	for len(b) > 0 {
		out = append(out, record(contentHandshake, b[:min(n, len(b))]...)...)
		b = b[min(n, len(b)):]
	}
	return out
}

func TestReader(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 70_000)
	flight := append(append(message(2, 1, 2, 3), message(11, long...)...), message(14)...)
	for name, in := range map[string]io.Reader{
		"coalesced": bytes.NewReader(cut(flight, 1<<14)), "fragmented": bytes.NewReader(cut(flight, 33)),
		"byte_by_byte": iotest.OneByteReader(bytes.NewReader(cut(flight, 1000))),
		"warned":       bytes.NewReader(append(record(contentAlert, 1, 112), cut(flight, 100)...)),
		"empty_first":  bytes.NewReader(append(record(contentHandshake), cut(flight, 100)...)),
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(in)
			for _, want := range []struct {
				kind   byte
				length int
			}{{2, 3}, {11, len(long)}, {14, 0}} {
				m, err := r.Next()
				if err != nil || m.Alert != nil || m.Type != want.kind || len(m.Body) != want.length {
					t.Fatalf("got type %d of %d bytes, %v; want %+v", m.Type, len(m.Body), err, want)
				}
			}
			if _, err := r.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("at the end: %v", err)
			}
		})
	}
}

func TestReaderEnds(t *testing.T) {
	var format error // stands for a FormatError
	tests := []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, io.EOF},
		{"half_a_header", []byte{22, 3}, io.ErrUnexpectedEOF},
		{"half_a_record", []byte{22, 3, 3, 0, 9, 1}, io.ErrUnexpectedEOF},
		{"half_a_message", record(22, 2, 0, 0, 9, 1), io.ErrUnexpectedEOF},
		{"http", []byte("HTTP/1.1 400 Bad Request\r\n"), format},
		{"ssh", []byte("SSH-2.0-x\r\n"), format},
		{"sslv2", []byte{0x80, 0x03, 0, 0, 1}, format},
		{"sslv2_hello", append([]byte{0x80, 0x2e, 4, 0, 1, 0, 2}, make([]byte, 40)...), format},
		{"unknown_version", []byte{22, 3, 9, 0, 4, 2, 0, 0, 0}, format},
		{"dtls", []byte{22, 0xfe, 0xfd, 0, 4, 2, 0, 0, 0}, format},
		{"long_record", []byte{22, 3, 3, 0x48, 1, 0}, format},
		{"long_message", record(22, 11, 4, 0, 1), ErrTooMuch},
		{"odd_alert", record(21, 3, 40), format},
		{"long_alert", record(21, 2, 40, 0), format},
		{"cipher_spec", record(20, 1), ErrEncrypted},
		{"data", record(23, 1), ErrEncrypted},
		{"empty_records", bytes.Repeat(record(22), maxRecords+1), ErrTooMuch},
		{"warnings", bytes.Repeat(record(21, 1, 112), maxWarnings+1), ErrTooMuch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewReader(bytes.NewReader(tt.in)).Next()
			if _, bad := errors.AsType[*FormatError](err); err == nil || bad != (tt.want == nil) || !bad && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestReaderTotal(t *testing.T) {
	endless := bytes.Repeat(cut(message(11, make([]byte, 16_000)...), 1<<14), 100)
	r, n := NewReader(bytes.NewReader(endless)), 0
	for {
		if _, err := r.Next(); err != nil {
			if !errors.Is(err, ErrTooMuch) {
				t.Errorf("ended with %v", err)
			}
			break
		}
		n++
	}
	if n == 0 || n > maxTotal/16_000 {
		t.Errorf("%d messages were read", n)
	}
}

func TestReaderAlert(t *testing.T) {
	for _, tt := range []struct {
		in   []byte
		want Alert
	}{
		{record(21, 2, 40), Alert{2, 40}}, {record(21, 1, 0), Alert{1, 0}}, {append(record(21, 1, 112), record(21, 2, 70)...), Alert{2, 70}},
	} {
		m, err := NewReader(bytes.NewReader(tt.in)).Next()
		if err != nil || m.Alert == nil || *m.Alert != tt.want {
			t.Errorf("%x: got %+v, %v", tt.in, m.Alert, err)
		}
	}
}

func serverHello(version uint16, random byte, suite uint16, extensions ...byte) []byte {
	b := append([]byte{byte(version >> 8), byte(version)}, bytes.Repeat([]byte{random}, 32)...)
	b = append(b, 0, byte(suite>>8), byte(suite), 0)
	if len(extensions) == 0 {
		return b
	}
	return append(append(b, byte(len(extensions)>>8), byte(len(extensions))), extensions...)
}

func TestServerHello(t *testing.T) {
	modern := []byte{0, 43, 0, 2, 3, 4, 0, 51, 0, 6, 0, 29, 0, 2, 1, 2}
	s, err := ParseServerHello(serverHello(TLS12, 1, 0x1301, modern...))
	if err != nil || s.Version != TLS13 || s.Suite != 0x1301 || s.Group != X25519 || s.Retry {
		t.Errorf("got %+v, %v", s, err)
	}
	retry := serverHello(TLS12, 1, 0x1302, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 24)
	copy(retry[2:], retryRandom)
	if s, err = ParseServerHello(retry); err != nil || !s.Retry || s.Group != P384 {
		t.Errorf("got %+v, %v", s, err)
	}
	old := serverHello(TLS10, 1, 0x002f, 0xff, 1, 0, 1, 0, 0, 16, 0, 5, 0, 3, 2, 'h', '2')
	if s, err = ParseServerHello(old); err != nil || s.Version != TLS10 || !s.SecureRenegotiation() || string(s.Protocol) != "h2" {
		t.Errorf("got %+v, %v", s, err)
	}
	if s, err = ParseServerHello(serverHello(SSL30, 1, 5)); err != nil || s.Version != SSL30 || s.SecureRenegotiation() {
		t.Errorf("got %+v, %v", s, err)
	}
	for name, bad := range map[string][]byte{
		"short": serverHello(TLS12, 1, 5)[:37], "trailing": append(serverHello(TLS12, 1, 5, modern...), 0),
		"twice": serverHello(TLS12, 1, 5, 0, 23, 0, 0, 0, 23, 0, 0), "cut": serverHello(TLS12, 1, 5, 0, 43, 0, 2, 3),
		"version": serverHello(TLS12, 1, 5, 0, 43, 0, 1, 3), "share": serverHello(TLS12, 1, 5, 0, 51, 0, 2, 0, 29),
		"alpn": serverHello(TLS12, 1, 5, 0, 16, 0, 3, 0, 1, 2), "session": append(bytes.Repeat([]byte{3}, 34), append([]byte{33}, make([]byte, 40)...)...),
	} {
		if s, err := ParseServerHello(bad); err == nil {
			t.Errorf("%s: taken as %+v", name, s)
		}
	}
}

func chainOf(sizes ...int) (body []byte) {
	for _, n := range sizes {
		body = append(append(body, byte(n>>16), byte(n>>8), byte(n)), make([]byte, n)...)
	}
	return append([]byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

func TestCertificate(t *testing.T) {
	many := make([]int, 12)
	for i := range many {
		many[i] = 5
	}
	for _, tt := range []struct {
		in           []byte
		kept, served int
	}{{chainOf(), 0, 0}, {chainOf(3, 70_000), 2, 2}, {chainOf(many...), 10, 12}} {
		chain, served, err := ParseCertificate(tt.in)
		if err != nil || len(chain) != tt.kept || served != tt.served {
			t.Errorf("got %d of %d, %v; want %d of %d", len(chain), served, err, tt.kept, tt.served)
		}
	}
	for _, bad := range [][]byte{nil, {0, 0}, {0, 0, 1}, {0, 0, 3, 0, 0, 0}, {0, 0, 3, 0, 0, 9}, append(chainOf(2), 0)} {
		if _, _, err := ParseCertificate(bad); err == nil {
			t.Errorf("%x is taken", bad)
		}
	}
}

func TestKeyExchange(t *testing.T) {
	dh := append(append([]byte{0, 3, 0, 0x80, 0}, 0, 1, 2, 0, 1, 9), 4, 1, 0, 0)
	for _, tt := range []struct {
		suite, version uint16
		in             []byte
		want           KeyExchange
	}{
		{0xc02f, TLS12, []byte{3, 0, 29, 1, 9, 4, 3, 0, 0}, KeyExchange{Group: X25519, Signature: 0x0403}},
		{0xc013, TLS10, []byte{3, 0, 23, 1, 9, 4, 3, 0, 0}, KeyExchange{Group: P256}},
		{0xc018, TLS12, []byte{3, 0, 23, 1, 9}, KeyExchange{Group: P256}},
		{0xc035, TLS12, []byte{0, 2, 'h', 'i', 3, 0, 24, 1, 9}, KeyExchange{Group: P384}},
		{0x009e, TLS12, dh, KeyExchange{DHBits: 16, Signature: 0x0401}},
		{0x0018, TLS10, dh[:11], KeyExchange{DHBits: 16}},
		{0x002f, TLS12, []byte("whatever"), KeyExchange{}},
	} {
		suite, _ := Lookup(tt.suite)
		if got, err := ParseKeyExchange(tt.in, suite, tt.version); err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v; want %+v", suite.Name, got, err, tt.want)
		}
	}
	for code, bad := range map[uint16]string{0xc02f: "\x01\x00\x17\x01\x09", 0x009e: "\x00\x09\x01", 0xc035: "\x00\x09"} {
		suite, _ := Lookup(code)
		if got, err := ParseKeyExchange([]byte(bad), suite, TLS12); err == nil {
			t.Errorf("%s: taken as %+v", suite.Name, got)
		}
	}
	if bitLen(nil) != 0 || bitLen([]byte{0, 1}) != 1 || bitLen([]byte{0xff, 0}) != 16 {
		t.Error("bitLen counts otherwise")
	}
}

func TestCertificateRequest(t *testing.T) {
	body := []byte{1, 1, 0, 2, 4, 3, 0, 5, 0, 3, 'a', 'b', 'c'}
	if got, err := ParseCertificateRequest(body, TLS12); err != nil || len(got) != 1 || string(got[0]) != "abc" {
		t.Errorf("got %q, %v", got, err)
	}
	many := append([]byte{1, 1, 0, 60}, []byte(strings.Repeat("\x00\x03abc", 12))...)
	if got, err := ParseCertificateRequest(many, TLS11); err != nil || len(got) != maxAuthorities {
		t.Errorf("got %d, %v", len(got), err)
	}
	for _, bad := range [][]byte{nil, {1, 1}, {1, 1, 0, 2, 4, 3}, {1, 1, 0, 0, 0, 2, 0, 9}, append(body, 0)} {
		if _, err := ParseCertificateRequest(bad, TLS12); err == nil {
			t.Errorf("%x is taken", bad)
		}
	}
}

// FuzzAnswer reads what a server may say, as the probe does: it ends, within its
// caps, and what is taken is what was there.
func FuzzAnswer(f *testing.F) {
	flight := append(message(2, serverHello(TLS12, 1, 0xc02f, 0xff, 1, 0, 1, 0)...), message(11, chainOf(3, 4)...)...)
	flight = append(flight, message(12, 3, 0, 29, 1, 9, 4, 3, 0, 0)...)
	flight = append(append(flight, message(13, 1, 1, 0, 2, 4, 3, 0, 0)...), message(14)...)
	for _, seed := range [][]byte{cut(flight, 20), cut(flight, 1<<14), record(21, 2, 40), []byte("HTTP/1.0 400\r\n"), {0x80, 3, 0, 0, 1}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(bytes.NewReader(b))
		total := 0
		for range len(b) + 1 {
			m, err := r.Next()
			if err != nil || m.Alert != nil {
				return
			}
			if total += len(m.Body) + 4; total > len(b) {
				t.Fatalf("%d bytes out of %d", total, len(b))
			}
			parseAll(t, m)
		}
		t.Fatal("it does not end")
	})
}

func parseAll(t *testing.T, m Message) {
	if s, err := ParseServerHello(m.Body); err == nil && len(s.Protocol) > len(m.Body) {
		t.Fatal("a name longer than the message")
	}
	if chain, served, err := ParseCertificate(m.Body); err == nil && (len(chain) > maxCertificates || served < len(chain)) {
		t.Fatalf("%d of %d certificates", len(chain), served)
	}
	for _, code := range []uint16{0xc02f, 0x009e, 0xc035, 0x00aa} {
		suite, _ := Lookup(code)
		if k, err := ParseKeyExchange(m.Body, suite, TLS12); err == nil && k.DHBits > 8*len(m.Body) {
			t.Fatalf("%d bits", k.DHBits)
		}
	}
	if names, err := ParseCertificateRequest(m.Body, TLS12); err == nil && len(names) > maxAuthorities {
		t.Fatalf("%d names", len(names))
	}
}
