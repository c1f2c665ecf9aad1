package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/assay-iot/assay/internal/peers"
)

func TestDid(t *testing.T) {
	tests := []struct {
		err  error
		want Act
	}{
		{nil, Answered}, {ErrSelf, Refused}, {os.NewSyscallError("connect", syscall.ECONNREFUSED), Refused}, {io.EOF, Closed},
		{&net.OpError{Err: syscall.ECONNRESET}, Closed}, {os.ErrDeadlineExceeded, Silent}, {context.DeadlineExceeded, Silent}, {syscall.ETIMEDOUT, Silent},
		{ErrScope, ""}, {ErrBudget, ""}, {ErrTooMuch, ""}, {ErrWaited, ""}, {ErrUnresponsive, ""}, {context.Canceled, ""},
		{syscall.EMFILE, ""}, {syscall.EADDRNOTAVAIL, ""}, {syscall.EHOSTUNREACH, ""}, {syscall.ENETUNREACH, ""},
	}
	for _, tt := range tests {
		if got, err := Did(t.Context(), tt.err); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("Did(%v) = %q, %v; want %q", tt.err, got, err, tt.want)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if act, err := Did(over, os.ErrDeadlineExceeded); act != "" || err == nil {
		t.Errorf("after the end of the run: %q, %v", act, err)
	}
}

// Whatever a peer does, an exchange ends when it has to, and says why.
func TestHostilePeers(t *testing.T) {
	const patience = 300 * time.Millisecond
	tests := []struct {
		name string
		at   netip.AddrPort
		want []error
	}{
		{"silence", peers.Tarpit(t), []error{os.ErrDeadlineExceeded}},
		{"drip", peers.Drip(t, "x"), []error{os.ErrDeadlineExceeded}},
		{"flood", peers.Flood(t, "endless"), []error{ErrTooMuch}},
		{"reset", peers.Reset(t), []error{syscall.ECONNRESET, io.EOF, syscall.EPIPE}},
		{"refusal", free(t), []error{syscall.ECONNREFUSED}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := New(Config{Scope: onlyLoopback, Transcript: newMembers().create})
			begun := time.Now()
			c, err := n.Dial(Within(t.Context(), patience), tt.at)
			if err == nil {
				defer c.Close()
				one := make([]byte, 1000)
				for err == nil {
					c.SetReadDeadline(time.Now().Add(time.Hour)) // as a library does that means idle time
					_, err = c.Read(one)
				}
			}
			if took := time.Since(begun); took > patience+time.Second {
				t.Errorf("it took %s", took)
			}
			for _, want := range tt.want {
				if errors.Is(err, want) {
					return
				}
			}
			t.Errorf("ended with %v, want one of %v", err, tt.want)
		})
	}
}

// A deadline of the attempt is the device's silence, the end of the ctx by any
// other hand is not.
func TestEndsOfACtx(t *testing.T) {
	at := peers.Tarpit(t)
	n := New(Config{Scope: onlyLoopback})
	ctx, cancel := context.WithCancel(t.Context())
	c, err := n.Dial(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = c.Read(make([]byte, 1))
	if _, ours := Did(t.Context(), err); !errors.Is(ours, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := c.SetDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("write after the end: %v", err)
	}
	attempt, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	c, err = n.Dial(attempt, at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Read(make([]byte, 1))
	if act, _ := Did(t.Context(), err); act != Silent {
		t.Errorf("timed out: %q, %v", act, err)
	}
}

func TestBudgets(t *testing.T) {
	at := device(t, say("0123456789"))
	silent := peers.Tarpit(t)
	read := func(n *Net) error {
		c, err := n.Dial(t.Context(), at)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = io.ReadFull(c, make([]byte, 8))
		return err
	}
	tests := []struct {
		name string
		l    Limits
	}{
		{"connections", Limits{Connections: 2}},
		{"bytes", Limits{Bytes: 20}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := New(Config{Scope: onlyLoopback, Limits: tt.l})
			for i := range 2 {
				if err := read(n); err != nil {
					t.Fatalf("exchange %d: %v", i, err)
				}
			}
			err := read(n)
			if _, ours := Did(t.Context(), err); !errors.Is(ours, ErrBudget) {
				t.Errorf("err = %v", err)
			}
		})
	}
	t.Run("time", func(t *testing.T) {
		n := New(Config{Scope: onlyLoopback, Limits: Limits{Time: 100 * time.Millisecond}})
		_, err := mustDial(t, n, silent).Read(make([]byte, 1))
		if _, ours := Did(t.Context(), err); !errors.Is(ours, ErrBudget) {
			t.Errorf("in the middle: %v", err)
		}
		if _, err := n.Dial(t.Context(), at); !errors.Is(err, ErrBudget) {
			t.Errorf("afterwards: %v", err)
		}
		Knock(t.Context(), n, []netip.AddrPort{at}, time.Second, func(_ int, err error) {
			if !errors.Is(err, ErrBudget) {
				t.Errorf("a knock afterwards: %v", err)
			}
		})
	})
}

// ledger counts in memory.
type ledger struct {
	tried map[string]int
	fail  error
}

func (l *ledger) Tried(service, account string) (int, error) {
	return l.tried[service+" "+account], nil
}

func (l *ledger) Try(service, account string) error {
	if l.fail == nil {
		l.tried[service+" "+account]++
	}
	return l.fail
}

func TestLogins(t *testing.T) {
	l := &ledger{tried: map[string]int{"ssh root": 2}} // two of them before a restart
	n := New(Config{Ledger: l, Limits: LimitsOf(Normal)})
	login := func(service, account string) error { return n.Login(t.Context(), service, account) }
	if err := login("ssh", "root"); err != nil {
		t.Error(err)
	}
	if err := login("ssh", "root"); !errors.Is(err, ErrBudget) {
		t.Errorf("fourth try: %v", err)
	}
	if err := errors.Join(login("ssh", "admin"), login("http", "root")); err != nil {
		t.Errorf("another account and another service: %v", err)
	}
	l.fail = errors.New("disk full")
	if err := login("mqtt", "root"); !errors.Is(err, l.fail) {
		t.Errorf("not journalled: %v", err)
	}
	if err := New(Config{Limits: LimitsOf(Normal)}).Login(t.Context(), "ssh", "root"); !errors.Is(err, ErrBudget) {
		t.Errorf("without a ledger: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Login(over, "coap", "x"); err == nil || l.tried["coap x"] != 0 {
		t.Errorf("after the end: %v", err)
	}
}

// Connections to a port out of which the system may dial end at themselves
// sooner or later.
func TestSelf(t *testing.T) {
	n := New(Config{Scope: onlyLoopback})
	at := free(t)
	looped, open := 0, 0
	tell := func(_ int, err error) {
		switch act, _ := Did(t.Context(), err); {
		case errors.Is(err, ErrSelf):
			looped++
			fallthrough
		case act == Refused:
		default:
			open++
		}
	}
	// The system gives out either odd or even ports first.
	same := make([]netip.AddrPort, 60_000)
	for i := range same {
		same[i] = netip.AddrPortFrom(at.Addr(), at.Port()^uint16(i&1))
	}
	Knock(t.Context(), n, same, time.Second, tell)
	for range 2000 {
		tell(0, knock(t.Context(), n, at, time.Second))
	}
	if open > 0 {
		t.Errorf("a port on which nothing listens was open %d times", open)
	}
	t.Logf("%d connections led to themselves", looped)
}

func TestSelfIsOneEnd(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:40000")
	for other, want := range map[string]bool{"127.0.0.1:40000": true, "[::ffff:127.0.0.1]:40000": true, "127.0.0.1:40001": false, "127.0.0.2:40000": false, "[::1]:40000": false} {
		if got := self(at, netip.MustParseAddrPort(other)); got != want {
			t.Errorf("self(%s, %s) = %t", at, other, got)
		}
	}
}

func TestOurs(t *testing.T) {
	at := device(t, say(""))
	n := New(Config{Scope: onlyLoopback})
	c := mustDial(t, n, at)
	local, remote := ends(c.(*conn).Conn)
	if !n.Ours(local, remote) || n.Ours(remote, local) || n.Ours(netip.AddrPortFrom(loopback, local.Port()+1), remote) {
		t.Errorf("Ours(%s, %s) is wrong", local, remote)
	}
}

func TestWriteSecretOutOfBounds(t *testing.T) {
	c := mustDial(t, New(Config{Scope: onlyLoopback}), device(t, say("")))
	for _, at := range [][2]int{{-1, 1}, {0, 5}, {3, 2}, {0, -1}} {
		if _, err := c.WriteSecret([]byte("1234"), at[0], at[1]); err == nil {
			t.Errorf("%v is accepted", at)
		}
	}
}
