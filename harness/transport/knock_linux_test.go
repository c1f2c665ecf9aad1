package transport

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

func all(addr netip.Addr) []netip.AddrPort {
	var addrs []netip.AddrPort
	for p := 1; p <= 65535; p++ {
		addrs = append(addrs, netip.AddrPortFrom(addr, uint16(p)))
	}
	return addrs
}

// counts looks at all ports of an address that no daemon uses.
func counts(t testing.TB, n *Net, addrs []netip.AddrPort) map[Act]int {
	got := map[Act]int{}
	Knock(t.Context(), n, addrs, 3*time.Second, func(i int, err error) {
		act, err := Did(t.Context(), err)
		if err != nil {
			t.Errorf("%s: %v", addrs[i], err)
		}
		got[act]++
	})
	return got
}

func TestKnockAtAllPorts(t *testing.T) {
	open := []netip.AddrPort{device(t, say("")), device(t, say("hello"))}
	n := New(Config{Scope: onlyLoopback, Limits: LimitsOf(Bench)})
	addrs := all(loopback)
	answered := map[netip.AddrPort]bool{}
	refused := 0
	begun := time.Now()
	Knock(t.Context(), n, addrs, 3*time.Second, func(i int, err error) {
		switch act, ours := Did(t.Context(), err); {
		case ours != nil:
			t.Errorf("%s: %v", addrs[i], ours)
		case act == Refused:
			refused++
		default:
			answered[addrs[i]] = true
		}
	})
	t.Logf("65,535 ports in %s", time.Since(begun))
	if !answered[open[0]] || !answered[open[1]] || refused+len(answered) != 65535 || refused < 65000 {
		t.Errorf("%d refused, %d answered", refused, len(answered))
	}
	if n.dials.left.Load() != int64(maxConnections-65535) {
		t.Errorf("%d connections are left", n.dials.left.Load())
	}
}

// A port that is not answered gives up its turn and is waited for all the same.
func TestKnockAtSilentPorts(t *testing.T) {
	const patience = 500 * time.Millisecond
	n := New(Config{Scope: onlyLoopback, Limits: Limits{AtOnce: 1}})
	var addrs []netip.AddrPort
	for range 8 {
		at, _ := full(t)
		c := mustDial(t, New(Config{Scope: onlyLoopback}), at) // takes its only place
		defer c.Close()
		addrs = append(addrs, at)
	}
	for range 8 { // only now: a port that is free may be given to the next listener
		addrs = append(addrs, free(t))
	}
	got := map[Act]int{}
	begun := time.Now()
	Knock(t.Context(), n, addrs, patience, func(i int, err error) {
		act, ours := Did(t.Context(), err)
		if ours != nil {
			t.Errorf("%s: %v", addrs[i], ours)
		}
		got[act]++
	})
	if got[Silent] != 8 || got[Refused] != 8 {
		t.Errorf("got %v", got)
	}
	if took := time.Since(begun); took < patience || took > 3*patience {
		t.Errorf("8 silent ports took %s", took)
	}
	if len(n.turns) != 0 {
		t.Errorf("%d turns are not given back", len(n.turns))
	}
}

func TestKnockEndsWithCtx(t *testing.T) {
	at, _ := full(t)
	mustDial(t, New(Config{Scope: onlyLoopback}), at)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun, told := time.Now(), 0
	Knock(ctx, New(Config{Scope: onlyLoopback, Limits: Limits{PerSecond: 1}}), []netip.AddrPort{at, at, at}, time.Hour, func(_ int, err error) {
		told++
		if _, ours := Did(t.Context(), err); !errors.Is(ours, ErrWaited) {
			t.Errorf("err = %v", err)
		}
	})
	if took := time.Since(begun); took > 2*time.Second || told != 3 {
		t.Errorf("told %d times in %s", told, took)
	}
}

// What is short on our side is never the device's act.
func TestKnockWithoutFiles(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	n := New(Config{Scope: onlyLoopback})
	at := free(t)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Skipf("cannot limit open files: %v", err)
	}
	err := knock(t.Context(), n, at, time.Second)
	var knocked error
	Knock(t.Context(), n, []netip.AddrPort{at}, time.Second, func(_ int, err error) { knocked = err })
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{err, knocked} {
		if _, ours := Did(t.Context(), err); !errors.Is(ours, syscall.EMFILE) {
			t.Errorf("err = %v", err)
		}
	}
}

// plainDialer has no Knock of its own.
type plainDialer struct{ Dialer }

func TestKnockOneByOne(t *testing.T) {
	n := New(Config{Scope: onlyLoopback})
	addrs := []netip.AddrPort{device(t, say("")), free(t), netip.MustParseAddrPort("192.0.2.1:80")}
	var got []error
	Knock(t.Context(), plainDialer{n}, addrs, time.Second, func(_ int, err error) { got = append(got, err) })
	if got[0] != nil || !errors.Is(got[1], syscall.ECONNREFUSED) || !errors.Is(got[2], ErrScope) {
		t.Errorf("got %v", got)
	}
}

func TestKnockOverIPv6(t *testing.T) {
	six := netip.AddrPortFrom(netip.IPv6Loopback(), free(t).Port())
	n := New(Config{Scope: []netip.Prefix{netip.MustParsePrefix("::1/128")}})
	Knock(t.Context(), n, []netip.AddrPort{six}, time.Second, func(_ int, err error) {
		if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
			t.Skip("no IPv6 on loopback")
		}
		if act, ours := Did(t.Context(), err); act != Refused || ours != nil {
			t.Errorf("act = %q, %v", act, ours)
		}
	})
}

func BenchmarkTwoLooks(b *testing.B) {
	addrs := all(loopback)
	for b.Loop() {
		n := New(Config{Scope: onlyLoopback, Limits: LimitsOf(Bench)})
		counts(b, n, addrs)
		counts(b, n, addrs)
	}
}
