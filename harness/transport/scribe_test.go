package transport

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

const canary = "correct horse battery staple"

// talk is an exchange in which the device sends text back, in pieces of the
// given size, after the log-in was sent as a secret.
func talk(t *testing.T, m *members, text string, piece int) evidence.Span {
	t.Helper()
	at := device(t, func(c net.Conn) {
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
			return
		}
		for rest := text; rest != ""; {
			n := min(piece, len(rest))
			io.WriteString(c, rest[:n])
			rest = rest[n:]
		}
	})
	n := New(Config{Scope: onlyLoopback, Transcript: m.create, Seal: m.seal, CompareKey: []byte("k")})
	if got, want := n.Hide("password", []byte(canary)), evidence.Hide([]byte("k"), "password", []byte(canary)); got.Tag != want.Tag {
		t.Errorf("Hide = %+v, want %+v", got, want)
	}
	c := mustDial(t, n, at)
	if _, err := c.WriteSecret([]byte("=pin"), 1, 3); err != nil {
		t.Fatal(err)
	}
	var got []byte
	one := make([]byte, piece)
	for {
		k, err := c.Read(one)
		got = append(got, one[:k]...)
		if err != nil {
			break
		}
	}
	if string(got) != text {
		t.Errorf("the probe read %q", got)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	return c.Span()
}

func TestSecretsAreMaskedAtTheSource(t *testing.T) {
	text := "hello " + canary + canary + ", and again " + canary + " correct horse bat"
	for _, piece := range []int{1, 2, 7, 27, 28, 29, 4096} {
		m := newMembers()
		span := talk(t, m, text, piece)
		if span.Length != int64(len(text)) || span.Offset != 0 {
			t.Errorf("span = %+v", span)
		}
		got := m.text[span.Member].String()
		if want := strings.ReplaceAll(text, canary, strings.Repeat("*", len(canary))); got != want {
			t.Errorf("in pieces of %d: transcript = %q, want %q", piece, got, want)
		}
		if out := m.text[span.Member+".out"].String(); out != "=***" || m.sealed[span.Member+".out"][1] != "pin" {
			t.Errorf("sent = %q, sealed = %v", out, m.sealed)
		}
		if again := unmask(m, span.Member); again != text {
			t.Errorf("in pieces of %d: with the sealed parts = %q", piece, again)
		}
		if m.open != 0 {
			t.Errorf("%d members are open", m.open)
		}
	}
}

// unmask puts the sealed originals back.
func unmask(m *members, name evidence.Member) string {
	b := bytes.Clone(m.text[name].Bytes())
	for at, original := range m.sealed[name] {
		copy(b[at:], original)
	}
	return string(b)
}

// Whatever the pieces, the transcript is as long as the stream, holds no
// secret, and is the stream again with the sealed parts.
func TestScribeOnRandomStreams(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	list := [][]byte{[]byte("aaaa"), []byte("abab"), []byte("bbbbbbab"), []byte("aab"), bytes.Repeat([]byte("ab"), 40)}
	for round := range 300 {
		m := newMembers()
		l := &log{open: m.create, seal: m.seal, secrets: &secrets{}}
		for _, s := range list {
			l.secrets.add(s)
		}
		s := &scribe{log: l, name: func() evidence.Member { return "m" }}
		var all []byte
		for range r.IntN(60) {
			piece := make([]byte, r.IntN(50))
			for i := range piece {
				piece[i] = "aabbc"[r.IntN(5)]
			}
			all = append(all, piece...)
			if err := s.write(piece, 0, 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			continue
		}
		masked := m.text["m"].Bytes()
		l.secrets.each(masked, func(from, to int) { t.Errorf("round %d: %q is readable", round, masked[from:to]) })
		l.secrets.each(all, func(from, to int) {
			if strings.Trim(string(masked[from:to]), "*") != "" {
				t.Errorf("round %d: %q became %q", round, all[from:to], masked[from:to])
			}
		})
		if unmask(m, "m") != string(all) {
			t.Errorf("round %d: %q became %q", round, all, masked)
		}
	}
}

func TestLongSecretsAreSealedInPieces(t *testing.T) {
	m := newMembers()
	l := &log{open: m.create, seal: m.seal, secrets: &secrets{}}
	l.secrets.add([]byte("aaaa"))
	s := &scribe{log: l, name: func() evidence.Member { return "m" }}
	all := bytes.Repeat([]byte("a"), 5*sealAtOnce)
	for piece := range slices.Chunk(all, 1000) {
		if err := s.write(piece, 0, 0); err != nil {
			t.Fatal(err)
		}
		if len(s.buf) > sealAtOnce+2000 {
			t.Fatalf("%d bytes are held back", len(s.buf))
		}
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if got := m.text["m"].String(); got != strings.Repeat("*", len(all)) {
		t.Errorf("a part of %d bytes is readable or missing", len(all))
	}
}

func TestTranscriptThatCannotBeWritten(t *testing.T) {
	full := errors.New("no space left on device")
	at := device(t, say("hello"))
	n := New(Config{Scope: onlyLoopback, Transcript: func(evidence.Member) (io.WriteCloser, error) { return nil, full }})
	_, err := mustDial(t, n, at).Read(make([]byte, 10))
	if _, ours := Did(t.Context(), err); !errors.Is(ours, full) {
		t.Errorf("err = %v", err)
	}
}

func TestMask(t *testing.T) {
	n := New(Config{})
	for _, s := range []string{"secretA", "retABC", "abc"} {
		n.Hide("password", []byte(s))
	}
	b := []byte("xx secretABC abc secret")
	n.Mask(b)
	if want := "xx ********* abc secret"; string(b) != want {
		t.Errorf("got %q, want %q", b, want)
	}
}

func TestInside(t *testing.T) {
	m := newMembers()
	n := New(Config{Scope: onlyLoopback, Transcript: m.create, Limits: Limits{PerExchange: 10}})
	ours, theirs := net.Pipe()
	go func() {
		io.WriteString(theirs, "0123456789abc")
		theirs.Close()
	}()
	c := n.Inside(ours)
	got, err := io.ReadAll(c)
	if string(got) != "0123456789" || !errors.Is(err, ErrTooMuch) {
		t.Errorf("read %q, %v", got, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if span := c.Span(); m.text[span.Member].String() != "0123456789" {
		t.Errorf("span = %+v", span)
	}
	theirs.Close()
}
