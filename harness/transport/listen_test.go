package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// at is an address of this machine whose port the system chooses.
var at = netip.AddrPortFrom(loopback, 0)

func mustListen(t *testing.T, n *Net, what Listening) Listener {
	t.Helper()
	if !what.Local.IsValid() {
		what.Local = at
	}
	if what.From == nil {
		what.From = []netip.Addr{loopback}
	}
	if what.Peers == 0 {
		what.Peers = 4
	}
	l, err := n.ListenUDP(t.Context(), what)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// sender is a device that sends to a listener from an address of its own.
func sender(t *testing.T, l Listener, from string) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from+":0")), net.UDPAddrFromAddrPort(l.Addr()))
	if err != nil {
		t.Skip("this system has one loopback address only")
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c *net.UDPConn, all ...string) {
	t.Helper()
	for _, s := range all {
		if _, err := c.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
}

func accept(t *testing.T, l Listener) Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// reads fails the test unless c brings these datagrams, in this order.
func reads(t *testing.T, c Conn, want ...string) {
	t.Helper()
	b := make([]byte, 100)
	for _, w := range want {
		if n, err := c.Read(b); err != nil || string(b[:n]) != w {
			t.Fatalf("Read = %q, %v, want %q", b[:n], err, w)
		}
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func TestListen(t *testing.T) {
	m := newMembers()
	n := New(Config{Scope: onlyLoopback, Transcript: m.create})
	l := mustListen(t, n, Listening{})
	one, two := sender(t, l, "127.0.0.1"), sender(t, l, "127.0.0.1")
	send(t, one, "hello", "again")
	c := accept(t, l)
	reads(t, c, "hello", "again")
	remote := netip.MustParseAddrPort(one.LocalAddr().String())
	if c.RemoteAddr().String() != remote.String() || !n.Ours(l.Addr(), remote) {
		t.Errorf("from %s, want %s, known as ours", c.RemoteAddr(), remote)
	}
	send(t, two, "other")
	reads(t, accept(t, l), "other")
	if _, err := c.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if k, err := one.Read(b); err != nil || string(b[:k]) != "answer" {
		t.Errorf("the device got %q, %v", b[:k], err)
	}
	if span := c.Span(); span.Length != 10 {
		t.Errorf("span = %+v", span)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if in, out := m.text["transcript/000001"].String(), m.text["transcript/000001.out"].String(); in != "helloagain" || out != "answer" {
		t.Errorf("transcript: %q, %q", in, out)
	}
	send(t, one, "anew")
	reads(t, accept(t, l), "anew")
}

// What comes from elsewhere is neither read nor written down.
func TestListenToNobodyElse(t *testing.T) {
	m := newMembers()
	n := New(Config{Scope: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Transcript: m.create})
	l := mustListen(t, n, Listening{})
	stranger := sender(t, l, "127.0.0.9")
	send(t, stranger, "lie", "lie")
	send(t, sender(t, l, "127.0.0.1"), "truth")
	reads(t, accept(t, l), "truth")
	if strangers, missed := l.Heard(); strangers != 2 || missed != 0 {
		t.Errorf("strangers = %d, missed = %d", strangers, missed)
	}
	if len(m.text) != 1 {
		t.Errorf("%d members were written", len(m.text))
	}
}

func TestListenInLanes(t *testing.T) {
	l := mustListen(t, New(Config{Scope: onlyLoopback}), Listening{Lane: func(b []byte) int { return int(b[0]) }})
	send(t, sender(t, l, "127.0.0.1"), "a1", "b1", "a2", "b2")
	reads(t, accept(t, l), "a1", "a2")
	reads(t, accept(t, l), "b1", "b2")
}

func TestListenIsCapped(t *testing.T) {
	flood := func(t *testing.T, l Listener) {
		t.Helper()
		c := sender(t, l, "127.0.0.1")
		for range 40 {
			send(t, c, strings.Repeat("x", 8<<10))
		}
	}
	t.Run("queue", func(t *testing.T) {
		l := mustListen(t, New(Config{Scope: onlyLoopback}), Listening{})
		flood(t, l)
		eventually(t, "nothing was missed", func() bool { _, missed := l.Heard(); return missed > 0 })
	})
	t.Run("bytes", func(t *testing.T) {
		l := mustListen(t, New(Config{Scope: onlyLoopback}), Listening{Bytes: 10 << 10})
		flood(t, l)
		c := accept(t, l)
		n, err := io.Copy(io.Discard, c)
		if n != 10<<10 || !errors.Is(err, ErrTooMuch) {
			t.Errorf("read %d, %v", n, err)
		}
	})
	t.Run("peers", func(t *testing.T) {
		l := mustListen(t, New(Config{Scope: onlyLoopback}), Listening{Peers: 2})
		for i := range 5 {
			send(t, sender(t, l, "127.0.0.1"), fmt.Sprint(i))
		}
		reads(t, accept(t, l), "0")
		reads(t, accept(t, l), "1")
		eventually(t, "not three were missed", func() bool { _, missed := l.Heard(); return missed == 3 })
	})
	t.Run("connections", func(t *testing.T) {
		l := mustListen(t, New(Config{Scope: onlyLoopback, Limits: Limits{Connections: 1}}), Listening{})
		send(t, sender(t, l, "127.0.0.1"), "a")
		accept(t, l)
		send(t, sender(t, l, "127.0.0.1"), "b")
		if _, err := l.Accept(); !errors.Is(err, ErrBudget) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestDeadlinesOfAPeer(t *testing.T) {
	l := mustListen(t, New(Config{Scope: onlyLoopback}), Listening{})
	device := sender(t, l, "127.0.0.1")
	send(t, device, "a")
	c := accept(t, l)
	reads(t, c, "a")
	for range 2 {
		if err := c.SetReadDeadline(time.Now().Add(30 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	send(t, device, "b")
	reads(t, c, "b")
}

func TestTheEndOfListening(t *testing.T) {
	n := New(Config{Scope: onlyLoopback})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	what := Listening{Local: at, From: []netip.Addr{loopback}, Peers: 1}
	l, err := n.ListenUDP(ctx, what)
	if err != nil {
		t.Fatal(err)
	}
	send(t, sender(t, l, "127.0.0.1"), "a")
	c := accept(t, l)
	reads(t, c, "a")
	cancel()
	if _, err := l.Accept(); !errors.Is(err, context.Canceled) {
		t.Errorf("Accept: %v", err)
	}
	if _, err := c.Read(make([]byte, 9)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}

	closed := mustListen(t, n, Listening{})
	send(t, sender(t, closed, "127.0.0.1"), "b")
	c = accept(t, closed)
	if err := closed.Close(); err != nil {
		t.Error(err)
	}
	reads(t, c, "b") // what came is not lost
	if _, err := c.Read(make([]byte, 9)); err != io.EOF {
		t.Errorf("Read: %v", err)
	}
	if _, err := closed.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
}

func TestListenWhereNobodyMay(t *testing.T) {
	n := New(Config{Scope: onlyLoopback})
	taken := mustListen(t, n, Listening{})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	here, far := []netip.Addr{loopback}, []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	for name, tt := range map[string]struct {
		ctx   context.Context
		local string
		from  []netip.Addr
	}{
		"unspecified": {t.Context(), "0.0.0.0:0", here}, "multicast": {t.Context(), "224.0.0.1:0", here},
		"elsewhere": {t.Context(), "192.0.2.7:5683", here}, "taken": {t.Context(), taken.Addr().String(), here},
		"out_of_scope": {t.Context(), "127.0.0.1:0", far}, "cancelled": {cancelled, "127.0.0.1:0", here},
	} {
		if l, err := n.ListenUDP(tt.ctx, Listening{Local: netip.MustParseAddrPort(tt.local), From: tt.from, Peers: 1}); err == nil {
			t.Errorf("%s: no error", name)
			l.Close()
		}
	}
}
