package coapdoor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// A Request is what is asked of a server.
type Request struct {
	Method  Method // empty for GET
	Path    string // with query, as a link has it: "/a/b?x=1"
	Options []coapwire.Option
	Payload []byte // sent in blocks if it is long
	Non     bool   // asks for no acknowledgement
	Once    bool   // is one datagram only, never sent again
	First   bool   // the first response is enough: no further blocks, no challenge met
}

// codes of the methods.
var codes = map[Method]coapwire.Code{
	"": coapwire.GET, GET: coapwire.GET, POST: coapwire.POST, PUT: coapwire.PUT, DELETE: coapwire.DELETE, FETCH: coapwire.FETCH,
}

// Do makes one request, with all the blocks of a long answer. An error says
// nothing about the device; what came before it is in the exchange.
func (s *Session) Do(ctx context.Context, r Request) (Exchange, error) {
	return s.exchange(ctx, r, nil)
}

// exchange does so with a token, nil for a fresh one.
func (s *Session) exchange(ctx context.Context, r Request, observing []byte) (Exchange, error) {
	x, begun := s.blank(r), s.conn.Span().Length
	d, err := s.dialogue(r, &x)
	if err != nil {
		return x, err
	}
	if observing != nil {
		d.first.Token = observing
		d.first.Set(coapwire.Uint(coapwire.Observe, 0))
	}
	err = d.run(ctx)
	x.Span = s.since(begun)
	return x, err
}

// blank is an exchange that has not taken place.
func (s *Session) blank(r Request) Exchange {
	x := Exchange{Method: r.Method, Path: []byte(r.Path), Outcome: NotTried, Format: -1, Truncated: evidence.No, Confirmable: evidence.Yes}
	if x.Method == "" {
		x.Method = GET
	}
	switch {
	case !s.Door.Datagrams():
		x.Confirmable = evidence.Unknown
	case r.Non:
		x.Confirmable = evidence.No
	}
	return x
}

// A dialogue is a request with everything that is said about it.
type dialogue struct {
	s      *Session
	r      Request
	x      *Exchange
	first  coapwire.Message
	echoed bool
	called bool
}

func (s *Session) dialogue(r Request, x *Exchange) (*dialogue, error) {
	code, ok := codes[r.Method]
	if !ok {
		return nil, fmt.Errorf("request with method %q", r.Method)
	}
	if len(r.Payload) > coapwire.MaxMessage {
		return nil, fmt.Errorf("request with a payload of %d bytes, and at most %d are sent", len(r.Payload), coapwire.MaxMessage)
	}
	m := coapwire.Message{Code: code, Token: token(), Payload: r.Payload}
	if r.Non && s.Door.Datagrams() {
		m.Type = coapwire.NonConfirmable
	}
	m.Options = slices.Concat(coapwire.PathOptions(r.Path), r.Options)
	m.Sort()
	return &dialogue{s: s, r: r, x: x, first: m}, nil
}

// run asks, meets a challenge, and fetches what is left.
func (d *dialogue) run(ctx context.Context) error {
	reply, outcome, err := d.upload(ctx)
	if err == nil && outcome == Answered && challenged(reply) && !d.r.First {
		again := d.first
		echo, _ := reply.Get(coapwire.Echo)
		d.x.Echo, d.echoed = evidence.Yes, true
		again.Token = token()
		if d.first.Has(coapwire.Observe) {
			again.Token = d.first.Token
		}
		again.Set(echo)
		d.first = again
		reply, outcome, err = d.upload(ctx)
	}
	d.x.Outcome = outcome
	if err != nil || outcome != Answered {
		return err
	}
	d.read(reply)
	if d.r.First {
		if b, err := blockOf(reply); err == nil && b.More {
			d.x.Truncated = evidence.Yes
		}
		return nil
	}
	return d.rest(ctx, reply)
}

// challenged reports whether a server wants to see first that we receive what is
// sent to our address (RFC 9175, 2.3).
func challenged(m coapwire.Message) bool {
	return m.Code == coapwire.Unauthorized && m.Has(coapwire.Echo)
}

// call makes one call of the dialogue. The first one is what sizes and tries
// speak of.
func (d *dialogue) call(ctx context.Context, m coapwire.Message) (coapwire.Message, Outcome, error) {
	c := &call{s: d.s, m: m, x: d.x, once: d.r.Once}
	t, outcome, err := c.run(ctx)
	if !d.called {
		d.called = true
		d.x.Request, d.x.Response, d.x.Tries, d.x.Took = t.sent, t.size, t.tries, t.took
		if outcome == Answered && d.s.Door.Datagrams() {
			d.x.Separate = tri(t.acked || t.reply.Type == coapwire.Confirmable)
		}
	}
	return t.reply, outcome, err
}

// read takes the first response down.
func (d *dialogue) read(m coapwire.Message) {
	x := d.x
	x.Code, x.Payload = Code(m.Code.String()), m.Payload
	x.Observe, x.OSCORE = tri(m.Has(coapwire.Observe)), tri(m.Has(coapwire.OSCORE))
	x.Block = tri(m.Has(coapwire.Block2) || m.Has(coapwire.Block1))
	_, bad := m.BadCritical()
	x.Critical = tri(bad)
	x.Echo = tri(d.echoed || m.Has(coapwire.Echo))
	if f, ok := m.Uint(coapwire.ContentFormat); ok {
		x.Format = int(f)
	}
	if tag, ok := m.Get(coapwire.ETag); ok {
		x.ETag = tag.Value
	}
	if len(m.Payload) > 0 {
		x.Blocks = 1
	}
}

func tri(yes bool) evidence.Tri {
	if yes {
		return evidence.Yes
	}
	return evidence.No
}

// Ping asks whether a server is there, by an empty message that it has to
// reject (RFC 7252, 4.3), or by Ping over TCP. Reset is the answer over UDP, and
// Answered over TCP.
func (s *Session) Ping(ctx context.Context) (Exchange, error) { return s.ping(ctx, false) }

func (s *Session) ping(ctx context.Context, once bool) (Exchange, error) {
	x, begun := s.blank(Request{Method: Ping}), s.conn.Span().Length
	m := coapwire.Message{Code: coapwire.Empty}
	if !s.Door.Datagrams() {
		m = coapwire.Message{Code: coapwire.Ping, Token: token()}
	}
	if s.Door.Datagrams() {
		if err := pause(ctx, time.Until(s.pinged.Add(pingGap))); err != nil {
			return x, err
		}
	}
	c := &call{s: s, m: m, x: &x, once: once}
	t, outcome, err := c.run(ctx)
	s.pinged = time.Now()
	x.Request, x.Response, x.Tries, x.Took, x.Outcome = t.sent, t.size, t.tries, t.took, outcome
	x.Span = s.since(begun)
	return x, err
}

// pingGap lies between two pings: libcoap rejects no more than four messages a
// second of one client.
const pingGap = 300 * time.Millisecond

// There reports whether the exchange shows that the server is there: it answered
// anything, in the protocol's own words.
func (x Exchange) There() bool { return x.Outcome == Answered || x.Outcome == Reset }
