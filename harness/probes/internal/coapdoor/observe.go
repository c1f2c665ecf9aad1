package coapdoor

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// An Observation is one that a server accepted (RFC 7641). It must be cancelled;
// closing the session does that too, and also after the end of its ctx.
type Observation struct {
	s     *Session
	token []byte
	path  string
	begun time.Time
	from  int64 // bytes that had been received before

	queue []Notification
	// Lost counts notifications that came while nobody fetched them, and were
	// dropped.
	Lost int
	over bool
}

// Observe registers for a resource. There is no observation unless the response
// carries Observe, which is the server's way to accept it.
func (s *Session) Observe(ctx context.Context, path string) (*Observation, Exchange, error) {
	o := &Observation{s: s, token: token(), path: path, begun: time.Now(), from: s.conn.Span().Length}
	s.watched = append(s.watched, o) // what comes while further blocks are fetched
	x, err := s.exchange(ctx, Request{Path: path}, o.token)
	if x.Success() && x.Observe == evidence.Yes {
		return o, x, err
	}
	if x.Outcome == Answered {
		o.end()
		return nil, x, err
	}
	// Whether it is registered is not known: it is cancelled when the session
	// is closed.
	return nil, x, err
}

// put takes a notification.
func (o *Observation) put(m coapwire.Message) {
	if len(o.queue) == maxQueue {
		o.Lost++
		return
	}
	n := Notification{
		Code: Code(m.Code.String()), Sequence: -1, Payload: m.Payload, Truncated: evidence.No,
		OSCORE: tri(m.Has(coapwire.OSCORE)), After: time.Since(o.begun), Span: o.s.since(o.from),
	}
	o.from = o.s.conn.Span().Length
	if v, ok := m.Uint(coapwire.Observe); ok {
		n.Sequence = int(v)
	}
	if b, err := blockOf(m); err == nil && b.More {
		n.Truncated = evidence.Yes
	}
	o.queue = append(o.queue, n)
}

// Next waits for a notification, for as long as within. ok is false if none
// came, also where the server hung up meanwhile. An error says nothing about the
// device.
func (o *Observation) Next(ctx context.Context, within time.Duration) (n Notification, ok bool, err error) {
	defer o.s.guard(ctx)()
	until := time.Now().Add(within)
	for len(o.queue) == 0 {
		m, _, what, err := o.s.next(ctx, until)
		switch what {
		case message:
			o.s.aside(m)
		case nothing:
			outcome, err := did(ctx, true, err)
			if err != nil || outcome == Silent || !time.Now().Before(until) {
				return Notification{}, false, err
			}
			if err := pause(ctx, min(time.Until(until), gone)); err != nil {
				return Notification{}, false, err
			}
		}
	}
	n = o.queue[0]
	o.queue = slices.Delete(o.queue, 0, 1)
	return n, true, nil
}

// gone is how long it is waited before a server that hung up, or has closed its
// port, is listened to again.
const gone = 100 * time.Millisecond

// pause waits, but no longer than ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// All yields the notifications that come until within is over.
func (o *Observation) All(ctx context.Context, within time.Duration) iter.Seq2[Notification, error] {
	return func(yield func(Notification, error) bool) {
		until := time.Now().Add(within)
		for {
			n, ok, err := o.Next(ctx, time.Until(until))
			if err == nil && !ok || !yield(n, err) || err != nil {
				return
			}
		}
	}
}

// Cancel tells the server to send no more. Where that is not answered, what
// still comes is rejected, which cancels as well (RFC 7641, 3.6).
func (o *Observation) Cancel(ctx context.Context) (Exchange, error) {
	x, begun := o.s.blank(Request{Path: o.path}), o.s.conn.Span().Length
	if o.over {
		return x, nil
	}
	o.end()
	m := coapwire.Message{Code: coapwire.GET, Token: o.token, Options: coapwire.PathOptions(o.path)}
	m.Set(coapwire.Uint(coapwire.Observe, 1))
	d := &dialogue{s: o.s, x: &x, first: m}
	c := &call{s: o.s, m: m, x: &x, leaving: true}
	t, outcome, err := c.run(ctx)
	x.Request, x.Response, x.Tries, x.Took, x.Outcome = t.sent, t.size, t.tries, t.took, outcome
	if outcome == Answered {
		d.read(t.reply)
	}
	x.Span = o.s.since(begun)
	return x, err
}

// end forgets the observation: what still comes is rejected.
func (o *Observation) end() {
	o.over = true
	o.s.watched = slices.DeleteFunc(o.s.watched, func(other *Observation) bool { return other == o })
	o.s.old = append(o.s.old[max(0, len(o.s.old)-maxSeen+1):], o.token)
}
