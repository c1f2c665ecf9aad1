package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// meter is a device that notes when connections come and how many there are.
type meter struct {
	mu    sync.Mutex
	times []time.Time
	now   int
	most  int
}

func (m *meter) serve(c net.Conn) {
	m.mu.Lock()
	m.times = append(m.times, time.Now())
	m.now++
	m.most = max(m.most, m.now)
	m.mu.Unlock()
	c.Read(make([]byte, 1)) // until the other end hangs up
	m.mu.Lock()
	m.now--
	m.mu.Unlock()
}

// fullest returns the most connections in any window of 100 ms.
func (m *meter) fullest() int {
	most := 0
	for i, from := range m.times {
		n := 0
		for _, t := range m.times[i:] {
			if t.Sub(from) < 100*time.Millisecond {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// The pace is measured where it counts: on the device.
func TestPace(t *testing.T) {
	const rate, count = 200, 300
	ways := map[string]func(n *Net, at netip.AddrPort){
		"dial": func(n *Net, at netip.AddrPort) {
			for range count {
				if err := knock(t.Context(), n, at, time.Second); err != nil {
					t.Error(err)
				}
			}
		},
		"knock": func(n *Net, at netip.AddrPort) {
			addrs := make([]netip.AddrPort, count)
			for i := range addrs {
				addrs[i] = at
			}
			Knock(t.Context(), n, addrs, time.Second, func(_ int, err error) {
				if err != nil {
					t.Error(err)
				}
			})
		},
		"crowd": func(n *Net, at netip.AddrPort) {
			var all sync.WaitGroup
			for range count {
				all.Go(func() {
					if err := knock(t.Context(), n, at, time.Second); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			m := &meter{}
			at := device(t, m.serve)
			n := New(Config{Scope: onlyLoopback, Limits: Limits{PerSecond: rate, AtOnce: 1}})
			n.health.pacer = newPacer(0) // a busy machine is not a tired device
			begun := time.Now()
			way(n, at)
			mean := float64(count-1) / time.Since(begun).Seconds()
			m.mu.Lock()
			defer m.mu.Unlock()
			// A busy machine makes it slower; nothing may make it faster.
			if mean > rate*1.02 || mean < rate*0.8 {
				t.Errorf("%.1f connections a second, want %d", mean, rate)
			}
			// The device's own scheduling may move one into the window, not a burst.
			if got := m.fullest(); got > rate/10+1+rate/50 {
				t.Errorf("%d connections in 100 ms, want at most %d", got, rate/10+1)
			}
			if m.most > 2 { // the device may learn late that one ended
				t.Errorf("%d connections at once", m.most)
			}
			t.Logf("%.1f/s, at most %d in 100 ms, %d at once", mean, m.fullest(), m.most)
		})
	}
}

// Slots are exact whatever the machine does.
func TestSlots(t *testing.T) {
	p := newPacer(100)
	now := time.Now()
	for i := range 50 {
		if got := p.slot(now).Sub(now); got != time.Duration(i)*10*time.Millisecond {
			t.Fatalf("slot %d after %s", i, got)
		}
	}
	later := now.Add(time.Minute)
	if first, second := p.slot(later), p.slot(later); !first.Equal(later) || second.Sub(first) != 10*time.Millisecond {
		t.Errorf("after a break: %s, %s", first.Sub(later), second.Sub(later))
	}
	p.slower()
	if first, second := p.slot(later), p.slot(later); second.Sub(first) != 20*time.Millisecond {
		t.Errorf("at half the rate: %s apart", second.Sub(first))
	}
	for range 20 {
		p.slower()
	}
	if p.halved != maxHalved {
		t.Errorf("halved %d times", p.halved)
	}
	for range 20 {
		p.faster()
	}
	if !p.unchanged() {
		t.Error("not back to the rate that was asked for")
	}
	free := newPacer(0)
	if at := free.slot(now); !at.Equal(now) || !free.slot(now).Equal(now) {
		t.Error("no limit is a limit")
	}
}

// What an attempt waits for is not the device's silence.
func TestWaitingIsOurs(t *testing.T) {
	at := device(t, say(""))
	n := New(Config{Scope: onlyLoopback, Limits: Limits{AtOnce: 1}})
	first := mustDial(t, n, at)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := n.Dial(ctx, at)
	if _, ours := Did(t.Context(), err); !errors.Is(ours, ErrWaited) {
		t.Errorf("no turn: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatalf("closed twice: %v", err)
	}
	mustDial(t, n, at).Close()

	slow := New(Config{Scope: onlyLoopback, Limits: Limits{PerSecond: 5}})
	mustDial(t, slow, at)
	c, err := slow.Dial(Within(t.Context(), 50*time.Millisecond), at) // after 200 ms
	if err != nil {
		t.Fatalf("the wait counts as the device's: %v", err)
	}
	c.Close()
}

func TestLimitsOf(t *testing.T) {
	gentle, normal, bench := LimitsOf(Gentle), LimitsOf(Normal), LimitsOf(Bench)
	if normal.AtOnce != 1 || normal.PerSecond != 100 || gentle.AtOnce != 1 || gentle.PerSecond >= normal.PerSecond || gentle.PerSecond == 0 {
		t.Errorf("gentle = %+v, normal = %+v", gentle, normal)
	}
	if bench.PerSecond != 0 || bench.AtOnce < 2 || LimitsOf("") != gentle {
		t.Errorf("bench = %+v, none = %+v", bench, LimitsOf(""))
	}
	for _, l := range []Limits{gentle, normal, bench} {
		if l.Connections == 0 || l.Bytes == 0 || l.PerExchange == 0 || l.Logins == 0 || l.Time == 0 {
			t.Errorf("something has no limit: %+v", l)
		}
	}
}
