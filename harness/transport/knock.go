package transport

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// A Knocker is a Dialer that tries many endpoints faster than one by one.
type Knocker interface {
	// Knock is described at the function of the same name.
	Knock(ctx context.Context, addrs []netip.AddrPort, patience time.Duration, tell func(i int, err error))
}

// Knock connects to each of addrs, without a byte, and hangs up at once. It
// tells of each one, by its place in addrs, the error that Dial would have
// returned; tell is never called twice at the same time. It spends budgets and
// keeps the pace as Dial does.
func Knock(ctx context.Context, d Dialer, addrs []netip.AddrPort, patience time.Duration, tell func(i int, err error)) {
	if k, ok := d.(Knocker); ok {
		k.Knock(ctx, addrs, patience, tell)
		return
	}
	for i, addr := range addrs {
		tell(i, knock(ctx, d, addr, patience))
	}
}

func knock(ctx context.Context, d Dialer, addr netip.AddrPort, patience time.Duration) error {
	c, err := d.Dial(Within(ctx, patience), addr)
	if err != nil {
		return err
	}
	return c.Close()
}

// share lets several workers take places from one list, and tell of them one
// at a time.
type share struct {
	mu    sync.Mutex
	addrs []netip.AddrPort
	next  int
	tell  func(i int, err error)
}

// take returns the next place, false if none is left.
func (s *share) take() (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == len(s.addrs) {
		return 0, false
	}
	s.next++
	return s.next - 1, true
}

func (s *share) report(i int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(i, err)
}
