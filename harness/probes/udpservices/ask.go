package udpservices

import (
	"context"
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/transport"
)

// maxDatagram bounds a datagram, in bytes: the most that UDP carries.
const maxDatagram = 64 << 10

// maxAnswer bounds what the record keeps of an answer, in bytes.
const maxAnswer = 1 << 10

// maxStray is how many datagrams that answer something else are passed over.
const maxStray = 64

// An asker asks ports.
type asker struct {
	ctx      context.Context
	net      transport.Dialer
	patience time.Duration // of one try
	controls map[netip.Addr]netip.AddrPort
}

// look asks one port until a protocol is understood twice.
func (a *asker) look(addr netip.AddrPort) (Endpoint, error) {
	e := Endpoint{Addr: addr, Protocol: Unidentified}
	for _, q := range likelyFirst(addr.Port()) {
		if e.Protocol != Unidentified {
			e.Asked = append(e.Asked, unasked(q))
			continue
		}
		asked, err := a.ask(&e, q)
		if err != nil {
			return e, err
		}
		if asked.Seen == rounds {
			e.Protocol = q.protocol
		}
		e.Asked = append(e.Asked, asked)
	}
	byOrder(e.Asked)
	e.State = state(e.Asked)
	return e, nil
}

// ask asks one question. What was answered, or closed, is asked again. Before
// the first try and after every silent one, somebody else at the same address
// is asked.
func (a *asker) ask(e *Endpoint, q question) (Asked, error) {
	asked := Asked{Question: q.protocol}
	if err := a.control(e); err != nil {
		return asked, err
	}
	for range rounds {
		r, err := a.round(e, q)
		if err != nil {
			return asked, err
		}
		asked.add(r)
		if r.state == Silent {
			break
		}
	}
	return asked, nil
}

// add takes in one more round.
func (k *Asked) add(r round) {
	k.Tries += r.tries
	if r.understood {
		k.Seen++
	}
	switch k.State {
	case "", r.state:
		k.State = r.state
	default:
		k.State = Mixed
	}
	if len(k.Answer) == 0 {
		k.Answer, k.Span = r.answer, r.span
	}
}

// A round is one question on a socket of its own.
type round struct {
	tries      int
	state      State
	understood bool
	answer     []byte
	span       evidence.Span
}

// round asks up to three times. Its error says nothing about the device.
func (a *asker) round(e *Endpoint, q question) (r round, err error) {
	c, err := a.net.DialUDP(transport.Within(a.ctx, tries*(a.patience+controlPatience)), e.Addr)
	if err != nil {
		return r, err
	}
	defer func() { _ = c.Close() }()
	for r.tries < tries {
		r.tries++
		if err := a.try(c, q, &r); err != nil || r.state != Silent {
			return r, err
		}
		if err := a.control(e); err != nil {
			return r, err
		}
	}
	return r, nil
}

// try sends the question once and reads until it is answered.
func (a *asker) try(c transport.Conn, q question, r *round) error {
	datagram, answers := q.ask()
	_, err := c.Write(datagram)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(a.patience))
	}
	b := make([]byte, maxDatagram)
	for stray := 0; err == nil && stray < maxStray; stray++ {
		var n int
		if n, err = c.Read(b); err != nil {
			break
		}
		if r.state, r.understood = Answered, answers(b[:n]); len(r.answer) == 0 || r.understood {
			r.answer, r.span = append([]byte(nil), b[:min(n, maxAnswer)]...), c.Span()
		}
		if r.understood {
			return nil
		}
	}
	return r.ended(a.ctx, err)
}

// ended says how a try ended that was not answered to the end.
func (r *round) ended(ctx context.Context, err error) error {
	if r.state == Answered { // by something that nobody understood
		return nil
	}
	act, err := transport.Did(ctx, err)
	if err != nil {
		return err
	}
	if r.state = Silent; act == transport.Refused {
		r.state = Closed
	}
	return nil
}

// control asks somebody else at the same address, over TCP: an answer and a
// refusal show alike that nothing was lost.
func (a *asker) control(e *Endpoint) error {
	addr, ok := a.controls[e.Addr.Addr()]
	if !ok {
		return a.ctx.Err()
	}
	ctx := transport.Within(a.ctx, controlPatience)
	c, err := a.net.Dial(ctx, addr)
	if err == nil {
		_ = c.Close()
	}
	act, err := transport.Did(a.ctx, err)
	if err != nil {
		return err
	}
	e.Control.Asked++
	if act != transport.Silent {
		e.Control.Answered++
	}
	return nil
}

// state sums up how a port took its questions.
func state(all []Asked) State {
	var s State
	for _, k := range all {
		switch {
		case k.State == Answered:
			return Answered
		case k.State == NotAsked || k.State == s:
		case s == "":
			s = k.State
		default:
			s = Mixed
		}
	}
	return s
}
