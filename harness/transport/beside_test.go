package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/assay-iot/assay/internal/peers"
)

// oneAtATime is a Net that holds one connection open at a time.
func oneAtATime() *Net {
	return New(Config{Scope: onlyLoopback, Limits: Limits{AtOnce: 1}})
}

// A connection beside another one neither waits for its turn nor gives it away.
func TestBeside(t *testing.T) {
	at, n := device(t, say("hello")), oneAtATime()
	first := mustDial(t, n, at)
	beside, err := n.Dial(Beside(t.Context()), at)
	if err != nil {
		t.Fatal(err)
	}
	if err := beside.Close(); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if c, err := n.Dial(short, at); err == nil || !errors.Is(err, ErrWaited) {
		t.Errorf("a second turn: %v, %v", c, err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	mustDial(t, n, at)
}

// A connection beside another one costs as much as any.
func TestBesideSpends(t *testing.T) {
	at := device(t, say("hello"))
	n := New(Config{Scope: onlyLoopback, Limits: Limits{AtOnce: 1, Connections: 1}})
	mustDial(t, n, at)
	if _, err := n.Dial(Beside(t.Context()), at); !errors.Is(err, ErrBudget) {
		t.Errorf("err = %v", err)
	}
}

func TestFrom(t *testing.T) {
	seen := make(chan netip.Addr, 1)
	at := device(t, func(c net.Conn) { seen <- c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr() })
	for name, want := range map[string]netip.Addr{"second": netip.MustParseAddr("127.0.0.2"), "any": {}} {
		t.Run(name, func(t *testing.T) {
			c, err := New(Config{Scope: onlyLoopback}).Dial(From(t.Context(), want), at)
			peers.Need(t, !errors.Is(err, syscall.EADDRNOTAVAIL), "a second loopback address")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if !want.IsValid() {
				want = loopback
			}
			if got := <-seen; got != want {
				t.Errorf("it came from %s, want %s", got, want)
			}
		})
	}
}

// A device that is expected to be away neither slows the run down nor ends it.
func TestExpectAbsence(t *testing.T) {
	n, at := quick(t), device(t, say("hello"))
	mustDial(t, n, at)
	ctx := ExpectAbsence(t.Context())
	away := Within(ctx, 20*time.Millisecond)
	for range 2 * maxFailed {
		n.health.saw(at, Answered, time.Millisecond)
		if _, err := n.dial(away, netip.MustParseAddrPort("127.0.0.1:1"), n.turns.give); err == nil {
			t.Fatal("something listens on port 1")
		}
		if err := n.noted(ctx, at, nil, time.Millisecond, os.ErrDeadlineExceeded); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("noted = %v", err)
		}
	}
	if due, _, _, dead := n.health.state(); due || dead != nil {
		t.Errorf("due = %t, dead = %v", due, dead)
	}
	n.health.dead = ErrUnresponsive
	if _, err := n.Dial(t.Context(), at); !errors.Is(err, ErrUnresponsive) {
		t.Errorf("without it: %v", err)
	}
	if c, err := n.Dial(ctx, at); err != nil {
		t.Errorf("a run that has ended is asked nevertheless whether it is back: %v", err)
	} else {
		c.Close()
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := n.Dial(over, at); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func quick(t *testing.T) *Net {
	t.Helper()
	return New(Config{Scope: onlyLoopback})
}

func TestAbsent(t *testing.T) {
	unreachable := fmt.Errorf("dial: %w", os.NewSyscallError("connect", syscall.EHOSTUNREACH))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want Act
		ours bool
	}{
		{"answers", t.Context(), nil, Answered, false},
		{"refuses", t.Context(), syscall.ECONNREFUSED, Refused, false},
		{"silent", t.Context(), os.ErrDeadlineExceeded, Silent, false},
		{"nobody_has_the_address", t.Context(), unreachable, Silent, false},
		{"host_is_down", t.Context(), syscall.EHOSTDOWN, Silent, false},
		{"no_network", t.Context(), syscall.ENETUNREACH, "", true},
		{"our_own_trouble", t.Context(), syscall.EMFILE, "", true},
		{"end_of_the_run", over, unreachable, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if act, err := Absent(tt.ctx, tt.err); act != tt.want || (err != nil) != tt.ours {
				t.Errorf("Absent = %q, %v", act, err)
			}
		})
	}
}
