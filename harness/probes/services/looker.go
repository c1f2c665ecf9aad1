package services

import (
	"context"
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/transport"
)

// A looker finds out what single ports speak.
type looker struct {
	ctx  context.Context
	dial transport.Dialer
	manner
	member *member
}

// A way leads to a connection over which a dialogue is held. The connection is
// nil if the device did not let it come about.
type way func(ctx context.Context) (transport.Conn, transport.Act, error)

// identify takes up dialogues until one is understood, and repeats that one.
func (l *looker) identify(addr netip.AddrPort) (Service, error) {
	if l.member.knows(addr) {
		r, err := l.asMember(addr)
		if err != nil || r.protocol != Unidentified {
			return l.service(addr, r, nil, err)
		}
	}
	all, err := l.round(l.plain(addr), likelyFirst(addr.Port(), outside))
	if err != nil {
		return Service{}, err
	}
	best := most(all)
	if best.shook {
		within, err := l.round(l.inside(addr), likelyFirst(addr.Port(), inside))
		if err != nil {
			return Service{}, err
		}
		if inner := most(within); inner.protocol != Unidentified {
			best = inner
		}
		best.tls = evidence.Yes
	}
	return l.service(addr, best, all, nil)
}

// service repeats the dialogue that said most, unless there was trouble of our
// own, and tells of the port.
func (l *looker) service(addr netip.AddrPort, best reply, all []reply, err error) (Service, error) {
	if err != nil {
		return Service{}, err
	}
	s := Service{
		Addr: addr, Protocol: best.protocol, TLS: best.tls,
		Answer: best.answer, Ended: best.ended(), Span: best.span,
	}
	if best.protocol == Unidentified {
		s.Telnet, err = l.otherwise(all)
	} else {
		s.Seen, err = l.confirm(best)
	}
	return s, err
}

// asMember logs in to a declared broker before anything else is tried: it may
// tell strangers nothing, and ban them for greetings of another protocol. The
// password goes out in the clear only if the port does not speak TLS.
func (l *looker) asMember(addr netip.AddrPort) (reply, error) {
	way, tls := l.plain(addr), evidence.No
	outer, err := l.speak(l.ctx, secured, way, nil)
	if err != nil {
		return reply{}, err
	}
	if outer.shook {
		way, tls = l.inside(addr), evidence.Yes
	}
	r, err := l.speak(l.ctx, l.member.dialogue(), way, nil)
	r.tls = tls
	return r, err
}

// confirm holds the dialogue that was understood once more, and returns in how
// many it was.
func (l *looker) confirm(best reply) (int, error) {
	again, err := l.speak(l.ctx, best.by, best.way, nil)
	if err == nil && again.protocol == best.protocol {
		return 2, nil
	}
	return 1, err
}

// otherwise waits once more for the device to speak first, if it did or hung
// up, and returns how that ended if it ended so twice.
func (l *looker) otherwise(all []reply) (Ending, error) {
	for _, first := range all {
		if !first.by.listens || first.ended() == Silence {
			continue
		}
		again, err := l.speak(l.ctx, first.by, first.way, nil)
		if err != nil || again.ended() != first.ended() {
			return "", err
		}
		return first.ended(), nil
	}
	return "", nil
}

// plain leads to the port itself.
func (l *looker) plain(addr netip.AddrPort) way {
	return func(ctx context.Context) (transport.Conn, transport.Act, error) {
		c, err := l.dial.Dial(ctx, addr)
		if err != nil {
			act, err := transport.Did(ctx, err)
			return nil, act, err
		}
		return c, transport.Answered, nil
	}
}

// inside leads into a fresh TLS session.
func (l *looker) inside(addr netip.AddrPort) way {
	return func(ctx context.Context) (transport.Conn, transport.Act, error) {
		c, act, err := l.plain(addr)(ctx)
		if c == nil {
			return nil, act, err
		}
		h, err := tlsinside.Open(ctx, l.dial, c)
		if err != nil || h.Session == nil {
			return nil, h.Act, err
		}
		return h.Session, h.Act, nil
	}
}

// speak holds one dialogue, and calls hears, if it is not nil, once the device
// says something. Its error says nothing about the device.
func (l *looker) speak(ctx context.Context, d *dialogue, way way, hears func()) (reply, error) {
	r := reply{by: d, way: way, protocol: Unidentified, tls: evidence.No}
	patience := l.patience
	if d.handshake {
		patience = l.handshake
	}
	c, act, err := way(transport.Within(ctx, patience))
	if r.act = act; err != nil || c == nil {
		return r, err
	}
	e := &ear{Conn: c, hears: hears}
	said := d.hold(ctx, l.dial, e)
	r.protocol, r.weak, r.shook = said.protocol, said.weak, said.shook
	if d.handshake && r.protocol != Unidentified {
		r.tls = evidence.Yes
	}
	r.answer, r.span = e.heard, e.Span()
	closing := e.Close()
	if r.protocol != Unidentified {
		return r, nil
	}
	if r.act, err = transport.Did(ctx, e.failed); err == nil {
		err = closing
	}
	return r, err
}
