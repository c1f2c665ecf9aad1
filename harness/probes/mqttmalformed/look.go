package mqttmalformed

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/comeback"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// calm is how long a connection has to stay open to show that our address
	// is not turned away: those who do that reset it at once.
	calm = 150 * time.Millisecond
	// benchCalm is that on a bench, where nothing stands between us and the
	// device.
	benchCalm = 50 * time.Millisecond
	// pingPatience bounds the witness's answer.
	pingPatience = 5 * time.Second
)

// serves asks the control, but only once a connection stays open: a log-in
// that meets a closed door might be counted as a wrong one.
func (s *siege) serves(ctx context.Context) (bool, comeback.Word, error) {
	outcome, err := s.calm(ctx)
	if err != nil || outcome != mqttdoor.Accepted {
		return false, comeback.Word(outcome), err
	}
	session, answer, err := s.open(ctx, s.version, time.Second)
	if session != nil {
		session.Close()
	}
	return s.good(answer), comeback.Word(answer.Outcome), s.absent(ctx, err)
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
