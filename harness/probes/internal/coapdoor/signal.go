package coapdoor

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// baseMessage is what a server takes that has not said more (RFC 8323, 5.3.1).
const baseMessage = 1152

// introduced exchanges what comes first over TCP: each side says what it can
// (RFC 8323, 5.3).
func (s *Session) introduced(ctx context.Context, answer Answer) (*Session, Answer, error) {
	fail := func(o Outcome, err error) (*Session, Answer, error) {
		span := s.conn.Span()
		if o == Closed || o == Silent && span.Length > 0 {
			o = map[Outcome]Outcome{Closed: Declined, Silent: Malformed}[o]
		}
		return nil, Answer{Outcome: o, Span: span}, errors.Join(err, s.conn.Close())
	}
	defer s.guard(ctx)()
	until := time.Now().Add(Patience)
	if err := s.conn.SetWriteDeadline(until); err != nil {
		return fail(NotTried, err)
	}
	hello := coapwire.Message{Code: coapwire.CSM, Options: []coapwire.Option{
		coapwire.Uint(coapwire.MaxMessageSize, coapwire.MaxMessage), {Number: coapwire.BlockWiseTransfer},
	}}
	_, err := s.line.send(hello)
	if err != nil {
		return fail(did(ctx, false, err))
	}
	m, _, what, err := s.next(ctx, until)
	switch {
	case err != nil:
		return fail(did(ctx, true, err))
	case what != message || m.Code != coapwire.CSM:
		return fail(Malformed, nil)
	}
	s.signal(m)
	answer.Span = s.conn.Span()
	return s, answer, nil
}

// signal takes a message about the connection, and reports whether it has a
// meaning.
func (s *Session) signal(m coapwire.Message) bool {
	if s.Door.Datagrams() {
		return false
	}
	switch m.Code {
	case coapwire.CSM:
		if most, ok := m.Uint(coapwire.MaxMessageSize); ok {
			s.most = int(min(most, coapwire.MaxMessage))
		}
	case coapwire.Ping:
		if s.pongs < maxPongs {
			s.pongs++
			s.reply(coapwire.Message{Code: coapwire.Pong, Token: m.Token})
		}
	case coapwire.Release, coapwire.Pong:
	default:
		return false
	}
	return true
}
