package transport

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var known, other = netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("192.0.2.1:81")

func TestHealthBacksOff(t *testing.T) {
	answer := func(h *health, n int, took time.Duration) {
		for range n {
			h.saw(other, Refused, took)
		}
	}
	p := newPacer(100)
	h := newHealth(p)
	answer(h, 100, 20*time.Millisecond)
	if !p.unchanged() {
		t.Fatal("steady answers changed the rate")
	}
	answer(h, 40, 70*time.Millisecond)
	if p.halved == 0 {
		t.Fatal("answers that take three times as long did not halve the rate")
	}
	slowed := p.halved
	answer(h, 100*slowed, 20*time.Millisecond)
	if !p.unchanged() {
		t.Errorf("still halved %d times after it calmed down", p.halved)
	}
	quick := newPacer(100)
	h = newHealth(quick)
	answer(h, 100, 20*time.Microsecond)
	answer(h, 100, 2*time.Millisecond)
	if !quick.unchanged() {
		t.Error("the noise of a network halved the rate")
	}
}

func TestHealthSuspects(t *testing.T) {
	p := newPacer(100)
	h := newHealth(p)
	suspect := func() bool { due, _, _, _ := h.state(); return due }
	h.saw(known, Silent, 0)
	if suspect() {
		t.Error("a port that never accepted is silent")
	}
	h.saw(known, Answered, time.Millisecond)
	h.saw(known, Silent, 0)
	if !suspect() || p.halved != 1 {
		t.Errorf("a port that accepted is silent: suspect %t, halved %d", suspect(), p.halved)
	}
	h.saw(other, Refused, time.Millisecond)
	if suspect() {
		t.Error("the device answers")
	}
}

// full is a port that accepts one connection and then drops packets, as a
// device does that hangs. It has no process to stop.
func full(t *testing.T) (at netip.AddrPort, revive func()) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: loopback.As4()}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	at, err = localEnd(fd)
	if err != nil {
		t.Fatal(err)
	}
	return at, func() {
		if c, _, err := unix.Accept(fd); err == nil {
			unix.Close(c)
		}
	}
}

func hasty(n *Net) *Net {
	n.health.pause, n.health.patience = 10*time.Millisecond, 100*time.Millisecond
	return n
}

func TestDeviceBecameUnresponsive(t *testing.T) {
	var told []error
	n := hasty(New(Config{Scope: onlyLoopback, Stop: func(err error) { told = append(told, err) }}))
	at, _ := full(t)
	mustDial(t, n, at)
	_, err := n.Dial(Within(t.Context(), 100*time.Millisecond), at)
	if act, _ := Did(t.Context(), err); act != Silent {
		t.Fatalf("the first time: %v", err)
	}
	for range 2 {
		_, err = n.Dial(t.Context(), at)
		if _, ours := Did(t.Context(), err); !errors.Is(ours, ErrUnresponsive) {
			t.Errorf("after three checks: %v", err)
		}
	}
	if len(told) != 1 || !errors.Is(told[0], ErrUnresponsive) {
		t.Errorf("told %v", told)
	}
	Knock(t.Context(), n, []netip.AddrPort{at}, time.Second, func(_ int, err error) {
		if !errors.Is(err, ErrUnresponsive) {
			t.Errorf("a knock: %v", err)
		}
	})
}

func TestDeviceRecovers(t *testing.T) {
	n := hasty(New(Config{Scope: onlyLoopback, Stop: func(err error) { t.Error(err) }}))
	n.health.patience = 2 * time.Second // the system sends its packet again after one
	at, revive := full(t)
	mustDial(t, n, at)
	_, err := n.Dial(Within(t.Context(), 50*time.Millisecond), at)
	if act, _ := Did(t.Context(), err); act != Silent {
		t.Fatalf("the first time: %v", err)
	}
	time.AfterFunc(100*time.Millisecond, revive)
	if err := n.ready(t.Context()); err != nil {
		t.Errorf("after it recovered: %v", err)
	}
}

func TestCheckThatIsCutShort(t *testing.T) {
	n := hasty(New(Config{Scope: onlyLoopback, Stop: func(err error) { t.Error(err) }}))
	n.health.patience = time.Minute
	at, _ := full(t)
	mustDial(t, n, at)
	if _, err := n.Dial(Within(t.Context(), 50*time.Millisecond), at); err == nil {
		t.Fatal("it answers")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := n.Dial(ctx, at)
	if _, ours := Did(t.Context(), err); !errors.Is(ours, ErrWaited) {
		t.Errorf("err = %v", err)
	}
}
