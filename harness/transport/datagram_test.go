package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// responder answers each datagram to a port of 127.0.0.1 by those that answer
// returns.
func responder(t *testing.T, answer func([]byte) []string) netip.AddrPort {
	t.Helper()
	s, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2048)
		for {
			n, from, err := s.ReadFrom(b)
			if err != nil {
				return
			}
			for _, a := range answer(b[:n]) {
				s.WriteTo([]byte(a), from)
			}
		}
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return netip.MustParseAddrPort(s.LocalAddr().String())
}

func twice(b []byte) []string { return []string{string(b), string(b)} }

func TestDatagrams(t *testing.T) {
	m := newMembers()
	n := New(Config{Scope: onlyLoopback, Transcript: m.create})
	at := responder(t, twice)
	c, err := n.DialUDP(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !n.Ours(netip.MustParseAddrPort(c.LocalAddr().String()), at) {
		t.Error("the socket is not known as ours")
	}
	if span := c.Span(); span != (evidence.Span{}) {
		t.Errorf("before anything came: %+v", span)
	}
	if _, err := c.WriteSecret([]byte("my secret"), 3, 6); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	for range 2 {
		if got, err := c.Read(b); got != 9 || err != nil || string(b[:9]) != "my secret" {
			t.Fatalf("Read = %q, %v", b[:got], err)
		}
	}
	if span := c.Span(); span.Length != 18 {
		t.Errorf("span = %+v", span)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got := m.text["transcript/000001.out"].String(); got != "my ******" {
		t.Errorf("sent: %q", got)
	}
	if got := m.text["transcript/000001"].String(); got != "my secretmy secret" {
		t.Errorf("received: %q", got)
	}
}

// A datagram from elsewhere never reaches the one who reads.
func TestDatagramsFromElsewhere(t *testing.T) {
	stranger, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	c, err := New(Config{Scope: onlyLoopback}).DialUDP(t.Context(), responder(t, twice))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := stranger.WriteTo([]byte("lie"), c.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	c.Write([]byte("x"))
	b := make([]byte, 10)
	if got, err := c.Read(b); err != nil || string(b[:got]) != "x" {
		t.Errorf("Read = %q, %v", b[:got], err)
	}
}

func TestWhatDatagramsEndWith(t *testing.T) {
	silent := responder(t, func([]byte) []string { return nil })
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := netip.MustParseAddrPort(gone.LocalAddr().String())
	gone.Close()
	flood := responder(t, func([]byte) []string { return []string{strings.Repeat("a", 600), strings.Repeat("b", 600)} })
	tests := []struct {
		name   string
		addr   netip.AddrPort
		limits Limits
		act    Act
		err    error
	}{
		{"silent", silent, Limits{}, Silent, nil},
		{"icmp", closed, Limits{}, Refused, nil},
		{"exchange_cap", flood, Limits{PerExchange: 1000}, "", ErrTooMuch},
		{"bytes_of_the_run", flood, Limits{Bytes: 1000}, "", ErrBudget},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(Config{Scope: onlyLoopback, Limits: tt.limits}).DialUDP(t.Context(), tt.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte("?")); err != nil {
				t.Fatal(err)
			}
			c.SetDeadline(time.Now().Add(200 * time.Millisecond))
			for err == nil {
				_, err = c.Read(make([]byte, 2048))
			}
			if act, err := Did(t.Context(), err); act != tt.act || !errors.Is(err, tt.err) {
				t.Errorf("Did = %q, %v", act, err)
			}
		})
	}
}

// What was not answered in time can be asked again.
func TestDatagramsAfterADeadline(t *testing.T) {
	n := 0
	at := responder(t, func(b []byte) []string {
		if n++; n == 1 {
			return nil
		}
		return []string{string(b)}
	})
	c, err := New(Config{Scope: onlyLoopback}).DialUDP(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for try, want := range []Act{Silent, Answered} {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := c.Read(make([]byte, 9))
		if act, err := Did(t.Context(), err); act != want || err != nil {
			t.Errorf("try %d: %q, %v", try, act, err)
		}
	}
}

func TestDatagramsThatAreNotOurs(t *testing.T) {
	at := responder(t, twice)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name  string
		ctx   context.Context
		cfg   Config
		again bool
		err   error
	}{
		{"out_of_scope", t.Context(), Config{}, false, ErrScope},
		{"cancelled", cancelled, Config{Scope: onlyLoopback}, false, context.Canceled},
		{"connections", t.Context(), Config{Scope: onlyLoopback, Limits: Limits{Connections: 1}}, true, ErrBudget},
		{"time", t.Context(), Config{Scope: onlyLoopback, Limits: Limits{Time: 1}}, false, ErrBudget},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := New(tt.cfg)
			if tt.again {
				c, err := n.DialUDP(tt.ctx, at)
				if err != nil {
					t.Fatal(err)
				}
				c.Close()
			}
			if c, err := n.DialUDP(tt.ctx, at); c != nil || !errors.Is(err, tt.err) {
				t.Errorf("err = %v, want %v", err, tt.err)
			}
		})
	}
}

// Datagrams are sent at the pace of connections, and end with their ctx.
func TestPaceOfDatagrams(t *testing.T) {
	n := New(Config{Scope: onlyLoopback, Limits: Limits{PerSecond: 100}})
	ctx, cancel := context.WithCancel(t.Context())
	c, err := n.DialUDP(ctx, responder(t, twice))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begun := time.Now()
	for range 11 {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begun); took < 95*time.Millisecond {
		t.Errorf("11 datagrams in %v", took)
	}
	cancel()
	if _, err := c.Write([]byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestDatagramsFromASecondAddress(t *testing.T) {
	second := netip.MustParseAddr("127.0.0.2")
	probe, err := net.ListenPacket("udp", netip.AddrPortFrom(second, 0).String())
	if err != nil {
		t.Skip("this system has one loopback address only")
	}
	probe.Close()
	c, err := New(Config{Scope: onlyLoopback}).DialUDP(From(t.Context(), second), responder(t, twice))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := netip.MustParseAddrPort(c.LocalAddr().String()).Addr(); got != second {
		t.Errorf("from %v", got)
	}
}
