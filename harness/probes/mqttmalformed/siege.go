package mqttmalformed

import (
	"context"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/comeback"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/transport"
)

// A siege is the run of packets against one listener.
type siege struct {
	Listener
	in   probe.Input
	book mqttdoor.Book

	account *mqttdoor.Account // of the control, nil for a stranger
	version mqttdoor.Version  // of the control
	letIn   bool              // the control is let in, not only answered
	watcher comeback.Watcher
	over    bool              // no more packets are sent
	witness *mqttdoor.Session // nil if there is none
}

// run sends the packets, each between two controls. Its error says nothing
// about the device.
func (s *siege) run(ctx context.Context) error {
	s.Before, s.After = mqttdoor.Untried(mqttdoor.NotNeeded), mqttdoor.Untried(mqttdoor.NotNeeded)
	s.Witness.Connection = s.After
	if err := s.begin(ctx); err != nil || s.Control == NoControl {
		return err
	}
	if err := s.openWitness(ctx); err != nil {
		return err
	}
	defer s.closeWitness()
	ctx = transport.ExpectAbsence(s.beside(ctx))
	for _, bad := range mqttwire.Malformed()[:packets] {
		p, err := s.packet(ctx, bad)
		if err != nil {
			return err
		}
		s.Packets = append(s.Packets, p)
	}
	return s.end(ctx)
}

// begin finds a control: a declared log-in, else any CONNACK to a stranger.
func (s *siege) begin(ctx context.Context) error {
	for _, s.version = range []mqttdoor.Version{mqttdoor.V311, mqttdoor.V5} {
		if s.account = s.book.First(); s.account == nil {
			break
		}
		answer, err := s.account.Try(ctx, s.in, s.door(s.version))
		if err != nil {
			return err
		}
		if answer.Outcome == mqttdoor.Accepted {
			s.Control, s.Before, s.letIn = LogIn, answer, true
			return nil
		}
	}
	s.account, s.Control = nil, NoControl
	for _, s.version = range []mqttdoor.Version{mqttdoor.V311, mqttdoor.V5} {
		answer, err := mqttdoor.Try(ctx, s.in, s.door(s.version), mqttdoor.Client{})
		s.Before = answer
		if err != nil {
			return err
		}
		if answer.Code >= 0 {
			s.Control, s.letIn = Anonymous, answer.Outcome == mqttdoor.Accepted
			return nil
		}
	}
	return nil
}

func (s *siege) door(v mqttdoor.Version) mqttdoor.Door {
	return mqttdoor.Door{Addr: s.Addr, TLS: s.TLS, Version: v}
}

// open knocks as the control does, to stay for a while.
func (s *siege) open(ctx context.Context, v mqttdoor.Version, stay time.Duration) (*mqttdoor.Session, mqttdoor.Answer, error) {
	c := mqttdoor.Client{Stay: stay}
	if s.account == nil {
		return mqttdoor.Open(ctx, s.in, s.door(v), c)
	}
	return s.account.Open(ctx, s.in, s.door(v), c)
}

// good reports whether the control was answered as it has to be.
func (s *siege) good(a mqttdoor.Answer) bool {
	if s.letIn {
		return a.Outcome == mqttdoor.Accepted
	}
	return a.Code >= 0
}

// look waits for the control.
func (s *siege) look(ctx context.Context, limit time.Duration) (Look, error) {
	s.watcher.Serves, s.watcher.Second = s.serves, s.in.Target.Second
	return s.watcher.Look(ctx, limit)
}

// beside lets the connections of the packets take no turn if the witness holds
// one.
func (s *siege) beside(ctx context.Context) context.Context {
	if s.witness == nil {
		return ctx
	}
	return transport.Beside(ctx)
}

// packet sends one packet and waits until the control is good again.
func (s *siege) packet(ctx context.Context, bad mqttwire.BadPacket) (Packet, error) {
	p := Packet{Name: Name(bad.Name), Version: mqttdoor.V311, Sent: NotSent}
	if bad.Version == mqttwire.V5 {
		p.Version = mqttdoor.V5
	}
	for sending := 1; sending <= 2 && !s.over; sending++ {
		if err := s.send(ctx, bad, &p); err != nil {
			return p, err
		}
		again, err := s.outlast(ctx, &p, sending)
		if err != nil || !again && p.Sent != NotSent {
			return p, err
		}
	}
	return p, nil
}

// outlast waits until the broker serves again, and asks for the packet to be
// sent a second time if that took too long.
func (s *siege) outlast(ctx context.Context, p *Packet, sending int) (again bool, err error) {
	begun := time.Now()
	look, err := s.look(ctx, recovery)
	if err != nil {
		return false, err
	}
	if err := s.observe(ctx, p.Name, &look); err != nil {
		return false, err
	}
	if look.First == evidence.Yes {
		p.Back = time.Since(begun)
		return false, nil
	}
	look.After, look.Sending = p.Name, sending
	s.Looks = append(s.Looks, look)
	if sending == 2 || look.First == evidence.Unknown {
		s.over = true
		return false, nil
	}
	return s.lookAgain(ctx, p.Name)
}

// lookAgain tells a broker that is gone from one that was slow to return or
// turned our address away. Only what came back can be sent the packet again.
func (s *siege) lookAgain(ctx context.Context, after Name) (again bool, err error) {
	wait := recovery
	if !s.in.Target.Second.IsValid() {
		wait = ban
	}
	first := s.Looks[len(s.Looks)-1]
	if first.Second == evidence.Yes || first.Witness == evidence.Yes {
		s.over = true // it serves others: what is left is between it and our address
		return false, nil
	}
	look, err := s.look(ctx, wait)
	if err != nil {
		return false, err
	}
	if err := s.observe(ctx, after, &look); err != nil {
		return false, err
	}
	look.After, look.Sending = after, 1
	s.Looks = append(s.Looks, look)
	s.over = look.First != evidence.Yes || !s.in.Target.Second.IsValid()
	return !s.over, nil
}

// end asks for the last control and looks at the witness.
func (s *siege) end(ctx context.Context) error {
	if s.over {
		return nil
	}
	session, answer, err := s.open(ctx, s.version, time.Second)
	if s.After = answer; session != nil {
		session.Close()
	}
	if err != nil || s.witness == nil {
		return err
	}
	held, err := s.ping(ctx)
	if held == evidence.Yes && len(s.Witness.Drops) == 0 {
		s.Witness.Held = evidence.Yes
	}
	if held == evidence.No {
		s.dropped(Name(""))
	}
	if len(s.Witness.Drops) > 0 {
		s.Witness.Held = evidence.No
	}
	return err
}
