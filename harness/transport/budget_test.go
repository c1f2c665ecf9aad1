package transport

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestPurse(t *testing.T) {
	p := newPurse("bytes", 10)
	for _, step := range []struct{ want, got int64 }{{4, 4}, {4, 4}, {4, 2}} {
		if got, err := p.take(step.want); err != nil || got != step.got {
			t.Errorf("take(%d) = %d, %v; want %d", step.want, got, err, step.got)
		}
	}
	if got, err := p.take(1); got != 0 || !errors.Is(err, ErrBudget) {
		t.Errorf("an empty purse gave %d, %v", got, err)
	}
	p.put(3)
	if got, err := p.take(9); err != nil || got != 3 {
		t.Errorf("after something came back: %d, %v", got, err)
	}
	for _, none := range []int64{0, -1} {
		if got, err := newPurse("bytes", none).take(1 << 40); err != nil || got != 1<<40 {
			t.Errorf("no limit: %d, %v", got, err)
		}
	}
}

// However many take at once, no more comes out than was in.
func TestPurseIsShared(t *testing.T) {
	const in = 10_000
	p := newPurse("connections", in)
	var out atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				got, err := p.take(7)
				if err != nil {
					return
				}
				out.Add(got)
			}
		})
	}
	all.Wait()
	if out.Load() != in {
		t.Errorf("%d of %d came out", out.Load(), in)
	}
}

// A knock that runs out of budget in the middle says so of the rest.
func TestKnockBudget(t *testing.T) {
	at := free(t)
	n := New(Config{Scope: onlyLoopback, Limits: Limits{Connections: 10}})
	addrs := make([]netip.AddrPort, 25)
	for i := range addrs {
		addrs[i] = at
	}
	refused, spent := 0, 0
	Knock(t.Context(), n, addrs, time.Second, func(_ int, err error) {
		switch act, ours := Did(t.Context(), err); {
		case act == Refused:
			refused++
		case errors.Is(ours, ErrBudget):
			spent++
		default:
			t.Errorf("err = %v", err)
		}
	})
	if refused != 10 || spent != 15 {
		t.Errorf("%d refused, %d without budget", refused, spent)
	}
}

// Two dialers share the log-ins of an account: no more are tried than allowed.
func TestLoginsAreShared(t *testing.T) {
	n := New(Config{Ledger: &ledger{tried: map[string]int{}}, Limits: Limits{Logins: 5}})
	var allowed atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if n.Login(t.Context(), "mqtt", "admin") == nil {
				allowed.Add(1)
			}
		})
	}
	all.Wait()
	if allowed.Load() != 5 {
		t.Errorf("%d tries were allowed, want 5", allowed.Load())
	}
}

func TestTurns(t *testing.T) {
	two := newTurns(2)
	if !two.try() || two.take(t.Context()) != nil || two.try() {
		t.Error("two turns are not two")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := two.take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("no turn: %v", err)
	}
	two.give()
	if !two.try() {
		t.Error("a turn that was given back is gone")
	}
	for range 100 {
		if none := newTurns(0); !none.try() || none.take(t.Context()) != nil {
			t.Fatal("no limit is a limit")
		}
	}
}

func TestWithin(t *testing.T) {
	now := time.Now()
	if got := end(t.Context(), now); !got.IsZero() {
		t.Errorf("nothing bounds it, and it ends at %s", got)
	}
	ctx := Within(t.Context(), time.Minute)
	if got := end(ctx, now); !got.Equal(now.Add(time.Minute)) {
		t.Errorf("ends at %s", got)
	}
	sooner, cancel := context.WithDeadline(ctx, now.Add(time.Second))
	defer cancel()
	if got := end(sooner, now); !got.Equal(now.Add(time.Second)) {
		t.Errorf("with a deadline before: ends at %s", got)
	}
	if got := end(Within(sooner, time.Millisecond), now); !got.Equal(now.Add(time.Millisecond)) {
		t.Errorf("the innermost: ends at %s", got)
	}
}
