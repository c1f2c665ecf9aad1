package mqttmalformed

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// pollEvery is how often it is asked whether the broker is back.
	pollEvery = time.Second
	// pollFirst is how soon the first two times: most brokers that hang up on
	// everybody for a packet are back in a moment.
	pollFirst = 200 * time.Millisecond
	// calm is how long a connection has to stay open to show that our address
	// is not turned away: those who do that reset it at once.
	calm = 150 * time.Millisecond
	// benchCalm is that on a bench, where nothing stands between us and the
	// device.
	benchCalm = 50 * time.Millisecond
	// pingPatience bounds the witness's answer.
	pingPatience = 5 * time.Second
)

// look asks the control until it is good or the time is up. Between, a second
// address of ours asks, if there is one.
func (s *siege) look(ctx context.Context, limit time.Duration) (Look, error) {
	l := Look{First: evidence.No, Last: mqttdoor.NotTried}
	second := s.in.Target.Second
	if second.IsValid() {
		l.Second = evidence.No
	}
	begun := time.Now()
	for {
		l.Asked++
		s.polls++
		served, err := s.serves(ctx, &l)
		if err == nil && !served && second.IsValid() && l.Asked > 1 && l.Second != evidence.Yes {
			l.Second, err = s.servesSecond(transport.From(ctx, second), &l)
		}
		l.Waited = time.Since(begun)
		switch {
		case err != nil:
			return l, err
		case served:
			l.First = evidence.Yes
			return l, nil
		case l.Waited >= limit:
			return l, nil
		case s.polls >= mostPolls:
			l.First, l.Second = evidence.Unknown, evidence.Unknown
			return l, nil
		}
		if err := s.pause(ctx, l.Asked, begun, limit); err != nil {
			return l, err
		}
	}
}

// pause waits for the next turn, and a little longer where that takes long.
func (s *siege) pause(ctx context.Context, asked int, begun time.Time, limit time.Duration) error {
	wait := max(pollEvery, limit/60)
	if asked <= 2 {
		wait = pollFirst
	}
	wait = min(wait, max(limit-time.Since(begun), 0))
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serves asks the control, but only once a connection stays open: a log-in
// that meets a closed door might be counted as a wrong one.
func (s *siege) serves(ctx context.Context, l *Look) (bool, error) {
	outcome, err := s.calm(ctx)
	if l.Last = outcome; err != nil || outcome != mqttdoor.Accepted {
		return false, err
	}
	session, answer, err := s.open(ctx, s.version, time.Second)
	if session != nil {
		session.Close()
	}
	l.Last = answer.Outcome
	return s.good(answer), s.absent(ctx, err)
}

// servesSecond does so from the second address, to which an answer of any kind
// is enough.
func (s *siege) servesSecond(ctx context.Context, l *Look) (evidence.Tri, error) {
	var first Look
	served, err := s.serves(ctx, &first)
	switch {
	case err != nil && ctx.Err() == nil:
		return evidence.Unknown, nil // our second address is of no use here
	case err != nil:
		return evidence.Unknown, err
	case served:
		return evidence.Yes, nil
	}
	return l.Second, nil
}

// calm says whether a connection is taken and not hung up on before anything
// was said: accepted if so.
func (s *siege) calm(ctx context.Context) (mqttdoor.Outcome, error) {
	still := calm
	if s.in.Target.Pace == transport.Bench {
		still = benchCalm
	}
	conn, answer, err := mqttdoor.Raw(ctx, s.in, s.door(s.version), still)
	if conn == nil {
		return answer.Outcome, s.absent(ctx, err)
	}
	_, err = conn.Read(make([]byte, 1))
	act, err := transport.Did(ctx, err)
	if err = errors.Join(err, conn.Close()); err != nil || act == transport.Closed {
		return mqttdoor.Closed, err
	}
	return mqttdoor.Accepted, nil
}

// openWitness opens a session that nothing bad is sent on. Without a log-in
// that is let in there is none.
func (s *siege) openWitness(ctx context.Context) (err error) {
	if !s.letIn {
		return nil
	}
	s.witness, s.Witness.Connection, err = s.open(ctx, s.version, longest)
	return err
}

func (s *siege) closeWitness() {
	if s.witness != nil {
		s.witness.Close()
	}
}

// observe asks the witness, and opens another one if it was dropped and the
// broker serves again.
func (s *siege) observe(ctx context.Context, after Name, l *Look) error {
	if s.witness == nil {
		return nil
	}
	held, err := s.ping(ctx)
	if l.Witness = held; err != nil || held != evidence.No {
		return err
	}
	s.dropped(after)
	if l.First == evidence.Yes {
		s.witness, _, err = s.open(ctx, s.version, longest)
	}
	return err
}

// dropped notes that the witness is gone.
func (s *siege) dropped(after Name) {
	s.Witness.Drops = append(s.Witness.Drops, Drop{after, s.witness.Conn.Span()})
	s.Witness.Held = evidence.No
	s.witness.Close()
	s.witness = nil
}

// ping asks the witness for a sign of life. Silence says nothing.
func (s *siege) ping(ctx context.Context) (evidence.Tri, error) {
	if err := s.witness.Wait(pingPatience); err != nil {
		return evidence.Unknown, err
	}
	err := s.witness.Ping()
	if err == nil {
		return evidence.Yes, nil
	}
	outcome, err := mqttdoor.Did(ctx, err)
	if err != nil || outcome == mqttdoor.Silent {
		return evidence.Unknown, err
	}
	return evidence.No, nil
}
