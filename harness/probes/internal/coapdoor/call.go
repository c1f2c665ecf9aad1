package coapdoor

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/transport"
)

// A call is one message of ours and what answers it.
type call struct {
	s    *Session
	m    coapwire.Message
	x    *Exchange // what is counted
	once bool
	// leaving says that the message cancels an observation, whose
	// notifications may still be on the way with the same token.
	leaving bool

	ids   []uint16 // of the datagrams that were sent
	acked bool
	until time.Time // when the wait for the answer is over
	size  int       // of all that answered so far
}

// tally is what a call adds to an exchange.
type tally struct {
	reply coapwire.Message
	sent  int // bytes of the message
	tries int
	size  int
	acked bool
	took  time.Duration
}

// run sends the message and waits for the answer. An error says nothing about
// the device.
func (c *call) run(ctx context.Context) (tally, Outcome, error) {
	defer c.s.guard(ctx)()
	t, begun := tally{}, time.Now()
	wait := c.s.timing.ack
	for {
		sent, err := c.send(ctx)
		if t.sent == 0 {
			t.sent = sent
		}
		if err != nil {
			outcome, err := did(ctx, t.tries > 0, err)
			return t, outcome, err
		}
		t.tries++
		c.until = time.Now().Add(c.patience(wait))
		m, outcome, err := c.await(ctx)
		t.size, t.acked = c.size, c.acked
		if outcome == Silent && !c.acked && !c.last(t.tries) {
			wait *= 2
			continue
		}
		if outcome == Answered || outcome == Reset {
			t.reply, t.took = m, time.Since(begun)
		}
		if outcome == Silent && c.x.Bad > 0 {
			outcome = Malformed
		}
		return t, outcome, err
	}
}

// patience is how long the next answer is waited for.
func (c *call) patience(wait time.Duration) time.Duration {
	switch {
	case !c.s.Door.Datagrams():
		return c.s.timing.separate
	case c.once:
		return c.s.timing.once
	}
	return wait
}

// last reports whether the message is not sent again.
func (c *call) last(tries int) bool {
	return c.once || tries == Times || !c.s.Door.Datagrams()
}

// send sends the message. Who sends a message again that needs no
// acknowledgement gives it a new ID, or it would be taken for a copy (RFC 7252,
// 4.3).
func (c *call) send(ctx context.Context) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if len(c.ids) == 0 || c.m.Type == coapwire.NonConfirmable {
		c.m.ID = c.s.nextID()
		c.ids = append(c.ids, c.m.ID)
	}
	if err := c.s.conn.SetWriteDeadline(time.Now().Add(c.s.timing.separate)); err != nil {
		return 0, err
	}
	return c.s.line.send(c.m)
}

// await takes what comes until the answer is there. What belongs to nothing is
// counted and dropped; it never moves the deadline.
func (c *call) await(ctx context.Context) (coapwire.Message, Outcome, error) {
	for {
		m, size, what, err := c.s.next(ctx, c.until)
		switch {
		case what == nothing:
			outcome, err := c.ended(ctx, err)
			return m, outcome, err
		case what == noMessage:
			c.x.Bad++
			continue
		}
		switch c.take(m) {
		case answer:
			c.size += size
			return m, Answered, nil
		case rejection:
			c.size += size
			return m, Reset, nil
		case acknowledgement:
			c.size += size
			if !c.acked {
				c.acked, c.until = true, time.Now().Add(c.s.timing.separate)
			}
		case stray:
			c.x.Strays++
		}
	}
}

// ended tells what the device did where nothing more can be received.
func (c *call) ended(ctx context.Context, err error) (Outcome, error) {
	if malformed(err) {
		c.x.Bad++
	}
	if errors.Is(err, transport.ErrTooMuch) {
		c.x.Truncated = evidence.Yes
	}
	return did(ctx, true, err)
}

// A part is what a message is to a call.
type part int

const (
	stray part = iota
	ours       // but not of this call
	acknowledgement
	rejection
	answer
)

// take tells what a message is, and does what it asks for.
func (c *call) take(m coapwire.Message) part {
	switch {
	case c.m.Code == coapwire.Empty || c.m.Code == coapwire.Ping:
		return c.takePong(m)
	case m.Code == coapwire.Abort && !c.s.Door.Datagrams():
		return rejection
	case c.s.Door.Datagrams() && (m.Type == coapwire.Acknowledgement || m.Type == coapwire.Reset):
		return c.takeReply(m)
	case m.Code.Response() && slices.Equal(m.Token, c.m.Token):
		if c.leaving && m.Has(coapwire.Observe) {
			c.s.acknowledge(m)
			return ours
		}
		if !c.s.acknowledge(m) {
			return ours
		}
		return answer
	}
	return c.other(m)
}

// other is a message that does not answer this call.
func (c *call) other(m coapwire.Message) part {
	if c.s.aside(m) {
		return ours
	}
	return stray
}

// takeReply takes an acknowledgement or a reset, which bear the ID of what they
// answer.
func (c *call) takeReply(m coapwire.Message) part {
	switch {
	case !slices.Contains(c.ids, m.ID):
		return stray
	case m.Type == coapwire.Reset:
		return rejection
	case m.Code == coapwire.Empty:
		return acknowledgement
	case slices.Equal(m.Token, c.m.Token):
		return answer
	}
	return stray
}

// takePong takes the answer to a ping: a reset (RFC 7252, 4.3), or Pong over
// TCP. Some servers acknowledge it, which shows as well that they are there.
func (c *call) takePong(m coapwire.Message) part {
	switch {
	case !c.s.Door.Datagrams() && m.Code == coapwire.Pong && (len(m.Token) == 0 || slices.Equal(m.Token, c.m.Token)):
		return answer // some servers leave the token out
	case !c.s.Door.Datagrams() && m.Code == coapwire.Abort:
		return rejection
	case m.Code == coapwire.Empty && m.Type != coapwire.Confirmable && c.s.Door.Datagrams() && slices.Contains(c.ids, m.ID):
		return rejection
	}
	return c.other(m)
}
