package coapmalformed

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/internal/comeback"
	"github.com/assay-iot/assay/harness/transport"
)

// An assault is the run of messages against one door.
type assault struct {
	Door
	in      probe.Input
	account *coapdoor.Account // nil for a stranger
	// recovery and ban are comeback.Recovery and comeback.Ban.
	recovery, ban time.Duration

	watcher comeback.Watcher
	witness witness // nil if there is none
	over    bool    // no more messages are sent
}

// run sends the messages, each between two controls. Its error says nothing
// about the device.
func (a *assault) run(ctx context.Context) error {
	a.Before, a.After = coapdoor.NotTried, coapdoor.NotTried
	corpus := a.list()
	a.Corpus = len(corpus)
	if err := a.begin(ctx); err != nil || a.Control == NoControl {
		return err
	}
	if err := a.openWitness(ctx); err != nil {
		return err
	}
	defer a.closeWitness()
	a.watcher = comeback.Watcher{Serves: a.serves, Second: a.in.Target.Second}
	ctx = transport.ExpectAbsence(a.beside(ctx))
	for _, bad := range corpus {
		m, err := a.message(ctx, bad)
		if err != nil {
			return err
		}
		a.Messages = append(a.Messages, m)
	}
	return a.end(ctx)
}

// list is what exists for this kind of door.
func (a *assault) list() []coapwire.BadMessage {
	if a.Way.Datagrams() {
		return coapwire.MalformedDatagrams()
	}
	return coapwire.MalformedStream(a.Way.Path != "")
}

// begin finds a control that is answered.
func (a *assault) begin(ctx context.Context) error {
	a.Control = NoControl
	s, answer, err := a.enter(ctx)
	if a.Before = answer.Outcome; s == nil {
		return err
	}
	defer s.Close()
	for _, a.Control = range []Control{Listing, Ping} {
		x, err := a.ask(ctx, s)
		if a.Before = x.Outcome; err != nil || x.There() {
			return err
		}
	}
	a.Control = NoControl
	return nil
}

// enter opens the door for the first time, with all that the log-in is charged.
func (a *assault) enter(ctx context.Context) (*coapdoor.Session, coapdoor.Answer, error) {
	if a.account == nil {
		return coapdoor.Open(ctx, a.in, a.Way, coapdoor.Client{})
	}
	return a.account.Open(ctx, a.in, a.Way, coapdoor.Client{})
}

// open opens the door again. The log-in was just accepted: that it is not now
// says nothing of it.
func (a *assault) open(ctx context.Context, stay time.Duration) (*coapdoor.Session, coapdoor.Answer, error) {
	c := coapdoor.Client{Stay: stay}
	if a.account == nil {
		return coapdoor.Open(ctx, a.in, a.Way, c)
	}
	return a.account.OpenAside(ctx, a.in, a.Way, c)
}

// ask makes the control exchange.
func (a *assault) ask(ctx context.Context, s *coapdoor.Session) (coapdoor.Exchange, error) {
	if a.Control == Ping {
		return s.Ping(ctx)
	}
	return s.Do(ctx, coapdoor.Request{Path: coapdoor.Core, First: true})
}

// serves asks the control on a fresh session.
func (a *assault) serves(ctx context.Context) (bool, comeback.Word, error) {
	s, answer, err := a.open(ctx, coapdoor.LongestCall)
	if s == nil {
		return false, comeback.Word(answer.Outcome), a.absent(ctx, err)
	}
	defer s.Close()
	x, err := a.ask(ctx, s)
	return x.There(), comeback.Word(x.Outcome), a.absent(ctx, err)
}

// absent takes an address that nobody answers for as the device's doing.
func (a *assault) absent(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	_, err = transport.Absent(ctx, err)
	return err
}

// beside lets what is opened take no turn if the witness holds one.
func (a *assault) beside(ctx context.Context) context.Context {
	if a.witness == nil {
		return ctx
	}
	return transport.Beside(ctx)
}

// message sends one message and waits until the control is good again.
func (a *assault) message(ctx context.Context, bad coapwire.BadMessage) (Message, error) {
	m := Message{Name: Name(bad.Name), Sent: NotSent}
	for sending := 1; sending <= 2 && !a.over; sending++ {
		if err := a.send(ctx, bad, &m); err != nil {
			return m, err
		}
		again, err := a.outlast(ctx, &m, sending)
		if err != nil || !again && m.Sent != NotSent {
			return m, err
		}
	}
	return m, nil
}

// outlast waits until the server serves again, and asks for the message to be
// sent a second time if that took too long.
func (a *assault) outlast(ctx context.Context, m *Message, sending int) (again bool, err error) {
	drops := len(a.Witness.Drops)
	look, err := a.look(ctx, m.Name, a.recovery)
	if err != nil {
		return false, err
	}
	if look.First == evidence.Yes {
		m.Back = look.Waited
		if len(a.Witness.Drops) == drops || a.Witness.Kind != Counter || sending == 2 {
			return false, nil
		}
		return true, a.settle(ctx) // what began anew is seen twice, or it is not believed
	}
	look.Sending = sending
	a.Looks = append(a.Looks, look)
	if sending == 2 || look.First == evidence.Unknown {
		a.over = true
		return false, nil
	}
	return a.lookAgain(ctx, m.Name)
}

// settled is how long a server that began anew is left alone, so that what it
// counts has moved on before it begins anew once more.
const settled = 5 * time.Second

// settle waits for that, and looks what the counter says then.
func (a *assault) settle(ctx context.Context) error {
	select {
	case <-time.After(min(settled, a.recovery)):
	case <-ctx.Done():
		return ctx.Err()
	}
	_, err := a.witness.look(ctx, true)
	return err
}

// look waits for the control, and for a sign of life of the witness.
func (a *assault) look(ctx context.Context, after Name, limit time.Duration) (Look, error) {
	look, err := a.watcher.Look(ctx, limit)
	look.After = after
	if err != nil || a.witness == nil {
		return look, err
	}
	look.Witness, err = a.observe(ctx, after, look.First == evidence.Yes)
	return look, err
}

// lookAgain tells a server that is gone from one that was slow to return or
// turned our address away. Only what came back can be sent the message again.
func (a *assault) lookAgain(ctx context.Context, after Name) (again bool, err error) {
	wait := a.recovery
	if !a.in.Target.Second.IsValid() {
		wait = a.ban
	}
	first := a.Looks[len(a.Looks)-1]
	if first.Second == evidence.Yes || first.Witness == evidence.Yes {
		a.over = true // it serves others: what is left is between it and our address
		return false, nil
	}
	look, err := a.look(ctx, after, wait)
	if err != nil {
		return false, err
	}
	look.Sending = 1
	a.Looks = append(a.Looks, look)
	a.over = look.First != evidence.Yes || !a.in.Target.Second.IsValid()
	return !a.over, nil
}

// end asks for the last control and looks at the witness.
func (a *assault) end(ctx context.Context) error {
	if a.over {
		return nil
	}
	_, how, err := a.serves(ctx)
	if a.After = Outcome(how); err != nil || a.witness == nil {
		return err
	}
	held, err := a.witness.end(ctx)
	switch {
	case held == evidence.No:
		a.dropped("")
	case len(a.Witness.Drops) == 0:
		a.Witness.Held = held
	}
	return err
}

const (
	// react is how long a reaction is waited for: who ignores a message, which
	// is right, says nothing at all.
	react = 500 * time.Millisecond
	// benchReact is that on a bench, where nothing stands between us and the
	// device.
	benchReact = 100 * time.Millisecond
	// writing bounds the write of one message.
	writing = 5 * time.Second
)

// send sends one message on a fresh session and notes what it brought.
func (a *assault) send(ctx context.Context, bad coapwire.BadMessage, m *Message) error {
	conn, done, err := a.connection(ctx, bad.First)
	if conn == nil {
		return a.absent(ctx, err)
	}
	m.Sent = Whole
	return errors.Join(a.write(ctx, conn, bad, m), done())
}

// connection returns one on which a message can be sent.
func (a *assault) connection(ctx context.Context, first bool) (transport.Conn, func() error, error) {
	if first {
		conn, _, err := coapdoor.Raw(ctx, a.in, a.Way, writing+react)
		if conn == nil {
			return nil, nil, err
		}
		return conn, conn.Close, nil
	}
	s, _, err := a.open(ctx, writing+react)
	if s == nil {
		return nil, nil, err
	}
	return s.Conn(), s.Conn().Close, nil
}

// write sends the bytes and reads what comes of them.
func (a *assault) write(ctx context.Context, conn transport.Conn, bad coapwire.BadMessage, m *Message) error {
	before := conn.Span().Length
	if err := conn.SetDeadline(time.Now().Add(writing)); err != nil {
		return err
	}
	if _, err := conn.Write(a.bytes(bad)); err != nil {
		m.Sent = NotSent // not all of it, as far as we know
		_, err = coapdoor.Did(ctx, err)
		return err
	}
	wait := react
	if a.in.Target.Pace == transport.Bench {
		wait = benchReact
	}
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	reaction, err := first(ctx, conn)
	m.Reaction = reaction
	whole := conn.Span()
	m.Span = evidence.Span{Member: whole.Member, Offset: whole.Offset + before, Length: whole.Length - before}
	return err
}

// bytes are what is sent of a message.
func (a *assault) bytes(bad coapwire.BadMessage) []byte {
	if a.Way.Datagrams() {
		return bad.Fresh(coapdoor.MessageID())
	}
	return bad.Bytes
}

// first waits for the first thing that comes.
func first(ctx context.Context, conn transport.Conn) (Reaction, error) {
	n, err := conn.Read(make([]byte, coapwire.MaxMessage))
	if n > 0 {
		return Answered, nil
	}
	switch outcome, err := coapdoor.Did(ctx, err); {
	case err != nil:
		return None, err
	case outcome == coapdoor.Silent:
		return Ignored, nil
	case outcome == coapdoor.Malformed:
		return Answered, nil
	}
	return Closed, nil
}
