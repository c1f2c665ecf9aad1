package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/internal/peers"
)

// No way to set a deadline moves the end of a connection.
func TestNoDeadlineMovesTheEnd(t *testing.T) {
	const most = 200 * time.Millisecond
	at := peers.Tarpit(t)
	hour := time.Now().Add(time.Hour)
	for name, set := range map[string]func(Conn) error{
		"none":         func(Conn) error { return nil },
		"both":         func(c Conn) error { return c.SetDeadline(hour) },
		"read":         func(c Conn) error { return c.SetReadDeadline(hour) },
		"taken_away":   func(c Conn) error { return c.SetDeadline(time.Time{}) },
		"write_sooner": func(c Conn) error { return c.SetWriteDeadline(time.Now()) },
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			c, err := New(Config{Scope: onlyLoopback}).Dial(Within(t.Context(), most), at)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := set(c); err != nil {
				t.Fatal(err)
			}
			_, err = c.Read(make([]byte, 1))
			if took := time.Since(begun); !errors.Is(err, os.ErrDeadlineExceeded) || took < most/2 || took > most+time.Second {
				t.Errorf("ended with %v after %s", err, took)
			}
		})
	}
}

// A sooner deadline holds, and may be taken back up to the end.
func TestSoonerDeadline(t *testing.T) {
	c, err := New(Config{Scope: onlyLoopback}).Dial(Within(t.Context(), time.Minute), device(t, func(c net.Conn) {
		time.Sleep(300 * time.Millisecond)
		io.WriteString(c, "late")
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 4)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("sooner: %v", err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "late" || err != nil {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}

func TestSpanGrows(t *testing.T) {
	m := newMembers()
	at := device(t, func(c net.Conn) { io.Copy(c, c) })
	n := New(Config{Scope: onlyLoopback, Transcript: m.create})
	quiet, c := mustDial(t, n, at), mustDial(t, n, at)
	if span := c.Span(); span != (evidence.Span{}) {
		t.Errorf("before anything: %+v", span)
	}
	for i, text := range []string{"one", "three"} {
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(text))); err != nil {
			t.Fatal(err)
		}
		if want := []int64{3, 8}[i]; c.Span() != (evidence.Span{Member: "transcript/000001", Length: want}) {
			t.Errorf("span = %+v, want %d bytes", c.Span(), want)
		}
	}
	c.Close()
	quiet.Close()
	if len(m.text) != 2 || m.text["transcript/000001"].String() != "onethree" || m.text["transcript/000001.out"].String() != "onethree" {
		t.Errorf("members = %v: a connection without a byte has none", m.text)
	}
}

// A secret that the device sends back is masked although it was sent in the
// clear, and one that is written in two halves is masked in both directions.
func TestSecretsBothWays(t *testing.T) {
	m := newMembers()
	n := New(Config{Scope: onlyLoopback, Transcript: m.create})
	n.Hide("password", []byte(canary))
	c := mustDial(t, n, device(t, func(c net.Conn) { io.Copy(c, c) }))
	for _, part := range []string{"PASS " + canary[:9], canary[9:] + "\r\n"} {
		if _, err := io.WriteString(c, part); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.ReadFull(c, make([]byte, len(canary)+7)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	want := "PASS " + strings.Repeat("*", len(canary)) + "\r\n"
	for name, got := range m.text {
		if got.String() != want {
			t.Errorf("%s = %q", name, got)
		}
	}
}

// Reading, writing, asking for the span and hiding go on at the same time.
func TestManyHands(t *testing.T) {
	m := newMembers()
	n := New(Config{Scope: onlyLoopback, Transcript: m.create, Seal: m.seal})
	at := device(t, func(c net.Conn) { io.Copy(c, c) })
	const size = 100_000
	var all sync.WaitGroup
	for range 4 {
		c := mustDial(t, n, at)
		all.Go(func() {
			for range size / 1000 {
				if _, err := c.Write([]byte(strings.Repeat("secret-1 ", 111) + "x")); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			if _, err := io.ReadFull(c, make([]byte, size)); err != nil {
				t.Error(err)
			}
			if c.Span().Length != size {
				t.Errorf("span = %+v", c.Span())
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() { n.Hide("token", []byte("secret-1")) })
	}
	all.Wait()
	for name, text := range m.text {
		if text.Len() != size {
			t.Errorf("%s has %d bytes", name, text.Len())
		}
	}
}

// FuzzScribe cuts a stream into pieces and looks for the secret in what is
// written down.
func FuzzScribe(f *testing.F) {
	f.Add([]byte("user admin\r\npass s3cret!\r\n"), []byte("s3cret!"), 1)
	f.Add([]byte("aaaaaaaaaa"), []byte("aaaa"), 3)
	f.Fuzz(func(t *testing.T, stream, secret []byte, piece int) {
		if piece < 1 || len(secret) < minSecret || strings.Contains(string(secret), "*") {
			return
		}
		m := newMembers()
		l := &log{open: m.create, seal: m.seal, secrets: &secrets{}}
		l.secrets.add(secret)
		s := &scribe{log: l, name: func() evidence.Member { return "m" }}
		for rest := stream; len(rest) > 0; {
			n := min(piece, len(rest))
			if err := s.write(rest[:n], 0, 0); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		if len(stream) == 0 {
			return
		}
		if got := m.text["m"].String(); strings.Contains(got, string(secret)) || len(got) != len(stream) || unmask(m, "m") != string(stream) {
			t.Errorf("%q became %q", stream, got)
		}
	})
}
