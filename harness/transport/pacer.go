package transport

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A pacer spaces out new connections. Slots lie one interval apart, so that no
// 100 ms hold more than a tenth of the rate and one; a slot that nobody came
// for in time is lost, and is not made up for.
type pacer struct {
	mu       sync.Mutex
	interval time.Duration // 0 for no limit
	halved   int           // how often the rate was halved
	next     time.Time
}

func newPacer(perSecond int) *pacer {
	p := &pacer{}
	if perSecond > 0 {
		p.interval = time.Second / time.Duration(perSecond)
	}
	return p
}

// maxHalved keeps a rate above a thirtieth of what was asked for: what is
// slower would not end.
const maxHalved = 5

// slot hands out the time of the next connection.
func (p *pacer) slot(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.interval == 0 {
		return now
	}
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.interval << p.halved)
	return at
}

// slower halves the rate, faster doubles it again.
func (p *pacer) slower() { p.shift(1) }
func (p *pacer) faster() { p.shift(-1) }

func (p *pacer) shift(by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halved = min(max(0, p.halved+by), maxHalved)
}

// unchanged reports whether the rate is the one that was asked for.
func (p *pacer) unchanged() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.halved == 0
}

// wait returns when the time has come. That the ctx ends before is our doing
// and not the device's, whatever the ctx says.
func wait(ctx context.Context, until time.Time) error {
	d := time.Until(until)
	if d <= 0 && ctx.Err() == nil {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return waited(ctx)
	case <-timer.C:
		return nil
	}
}

// waited is the error of a turn that did not come before ctx ended. It never
// wraps the end of a deadline, which Did would read as silence.
func waited(ctx context.Context) error {
	if ctx.Err() == context.Canceled {
		return ctx.Err()
	}
	return fmt.Errorf("the deadline passed: %w", ErrWaited)
}
