//go:build !linux

package transport

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// Knock is part of Knocker.
func (n *Net) Knock(ctx context.Context, addrs []netip.AddrPort, patience time.Duration, tell func(i int, err error)) {
	s := &share{addrs: addrs, tell: tell}
	width := n.cfg.Limits.AtOnce
	if width <= 0 {
		width = benchWidth
	}
	var workers sync.WaitGroup
	for range width {
		workers.Go(func() {
			for i, ok := s.take(); ok; i, ok = s.take() {
				s.report(i, knock(ctx, n, addrs[i], patience))
			}
		})
	}
	workers.Wait()
}
