package transport

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// health watches how the device bears the run, by how it takes connections. The
// rate is halved when the answers take twice as long as at first or an endpoint
// that accepted stops answering; in the latter case nothing goes on before the
// device is known to be there.
type health struct {
	pacer    *pacer
	asking   turns         // one at a time
	pause    time.Duration // before the first check
	patience time.Duration // of one check

	mu      sync.Mutex
	open    []netip.AddrPort // endpoints that accepted
	suspect bool             // one of them did not answer
	failed  int              // checks in a row without an answer
	dead    error

	answers int           // since the rate last changed
	usual   time.Duration // mean of the first answers
	recent  time.Duration // moving mean
}

const (
	// maxKnown bounds the endpoints that are asked whether the device is there.
	maxKnown = 8
	// maxFailed is the number of checks after which the run is stopped.
	maxFailed = 3
	// checkPause, doubled each time, lets a device that ran out of something
	// get it back, or start again.
	checkPause = time.Second
	// checkPatience includes that the system sends the first packet again,
	// which it does after one second.
	checkPatience = 3 * time.Second

	// firstAnswers is how many answers make the usual time.
	firstAnswers = 16
	// calmAnswers is how many answers in usual time allow the doubled rate.
	calmAnswers = 64
	// leastDelay is the time below which a doubled delay is the noise of a
	// network and not the load of a device.
	leastDelay = 10 * time.Millisecond
	// leastGrace is how long an unanswered attempt holds its turn: longer than
	// the answers of a device on the same network take.
	leastGrace = 20 * time.Millisecond
	// smoothing is the weight of the past in the moving mean: the last eight
	// answers count.
	smoothing = 8
)

func newHealth(p *pacer) *health {
	return &health{pacer: p, asking: newTurns(1), pause: checkPause, patience: checkPatience}
}

// saw takes in how an endpoint took a connection, and how long it needed.
func (h *health) saw(addr netip.AddrPort, act Act, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := slices.Contains(h.open, addr)
	if act == Silent {
		if known && !h.suspect {
			h.suspect = true
			h.pacer.slower()
		}
		return
	}
	if act == Answered && !known && len(h.open) < maxKnown {
		h.open = append(h.open, addr)
	}
	h.suspect, h.failed = false, 0
	h.time(took)
}

// time compares an answer with what is usual.
func (h *health) time(took time.Duration) {
	h.answers++
	if h.usual == 0 || h.recent == 0 {
		h.usual, h.recent = took, took
	}
	h.recent += (took - h.recent) / smoothing
	if h.answers <= firstAnswers && h.pacer.unchanged() {
		h.usual += (took - h.usual) / time.Duration(h.answers)
		return
	}
	usual := max(h.usual, leastDelay)
	switch {
	case h.recent > 2*usual && h.answers > firstAnswers:
		h.pacer.slower()
		h.answers, h.recent = 0, usual
	case h.recent <= usual+usual/2 && h.answers > calmAnswers:
		h.pacer.faster()
		h.answers = 0
	}
}

// grace returns how long an answer may take before it is late.
func (h *health) grace() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(leastGrace, 4*h.usual, 4*h.recent)
}

// state returns whether a check is due, how many failed before it, and whom to
// ask.
func (h *health) state() (due bool, failed int, ask netip.AddrPort, dead error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.suspect {
		ask = h.open[h.failed%len(h.open)]
	}
	return h.suspect, h.failed, ask, h.dead
}

// lost counts a check without an answer and returns what that means.
func (h *health) lost() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed++; h.failed >= maxFailed && h.dead == nil {
		h.dead = fmt.Errorf("%d health checks failed: %w", h.failed, ErrUnresponsive)
	}
	return h.dead
}

// ready returns once the device is known to be there, and an error if it no
// longer is.
func (n *Net) ready(ctx context.Context) error {
	due, _, _, dead := n.health.state()
	if !due || dead != nil {
		return dead
	}
	if err := n.health.asking.take(ctx); err != nil {
		return err
	}
	defer n.health.asking.give()
	for {
		due, failed, ask, dead := n.health.state()
		if !due || dead != nil {
			return dead
		}
		if err := n.check(ctx, ask, n.health.pause<<failed); err != nil {
			return err
		}
	}
}

// check asks one endpoint after a pause. Its error ends the run, or is ours.
func (n *Net) check(ctx context.Context, addr netip.AddrPort, pause time.Duration) error {
	if err := wait(ctx, time.Now().Add(pause)); err != nil {
		return err
	}
	give, err := n.turn(ctx)
	if err != nil {
		return err
	}
	c, err := n.dial(Within(ctx, n.health.patience), addr, give)
	if err == nil {
		return c.Close()
	}
	give()
	if ctx.Err() != nil {
		return waited(ctx)
	}
	act, err := Did(ctx, err)
	if act != Silent {
		return err
	}
	dead := n.health.lost()
	if dead != nil && n.cfg.Stop != nil {
		n.cfg.Stop(dead)
	}
	return dead
}
