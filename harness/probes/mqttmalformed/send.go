package mqttmalformed

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// react is how long a reaction is waited for. Most brokers hang up at
	// once; who waits for the rest of a packet would wait for minutes.
	react = 700 * time.Millisecond
	// benchReact is that on a bench, where nothing stands between us and the
	// device.
	benchReact = 150 * time.Millisecond
	// maxReaction bounds what is read of it.
	maxReaction = 4 << 10
	// writing bounds the write of one packet.
	writing = 5 * time.Second
)

// send sends one packet on a fresh connection and notes what it brought.
func (s *siege) send(ctx context.Context, bad mqttwire.BadPacket, p *Packet) error {
	if bad.Credentials && !s.charge(ctx) {
		p.Sent = NoBudget
		return nil
	}
	conn, sent, err := s.connection(ctx, bad.AfterConnect, p.Version)
	if p.Sent = sent; conn == nil {
		return s.absent(ctx, err)
	}
	received := conn.Span().Length
	if err := s.write(ctx, conn, bad.Bytes, p, received); err != nil {
		return errors.Join(err, conn.Close())
	}
	return conn.Close()
}

func (s *siege) react() time.Duration {
	if s.in.Target.Pace == transport.Bench {
		return benchReact
	}
	return react
}

// charge spends a log-in for a packet that a broker may take for one. The
// account is the listener's own: the packet names nobody.
func (s *siege) charge(ctx context.Context) bool {
	return s.in.Net.Login(ctx, "mqtt", "malformed at "+s.Addr.String()) == nil
}

// connection returns one on which the packet can be sent, or why there is none.
func (s *siege) connection(ctx context.Context, afterConnect bool, v mqttdoor.Version) (transport.Conn, Sent, error) {
	if !afterConnect {
		conn, _, err := mqttdoor.Raw(ctx, s.in, s.door(v), writing+react)
		if conn == nil {
			return nil, NotSent, err
		}
		return conn, Whole, nil
	}
	if !s.letIn {
		return nil, NotLetIn, nil
	}
	session, answer, err := s.open(ctx, v, writing+react)
	switch {
	case session != nil:
		return session.Conn, Whole, nil
	case answer.UnknownVersion():
		return nil, NoVersion, err
	case answer.Outcome == mqttdoor.Refused || answer.Outcome == mqttdoor.NotTried:
		return nil, NotLetIn, err
	}
	return nil, NotSent, err
}

// absent takes an address that nobody answers for as the device's doing.
func (s *siege) absent(ctx context.Context, err error) error {
	_, err = transport.Absent(ctx, err)
	return err
}

// write sends the bytes and reads what comes of them.
func (s *siege) write(ctx context.Context, conn transport.Conn, b []byte, p *Packet, before int64) error {
	if err := conn.SetDeadline(time.Now().Add(writing)); err != nil {
		return err
	}
	if _, err := conn.Write(b); err != nil {
		p.Sent = NotSent // not all of it, as far as we know
		_, err = transport.Did(ctx, err)
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(s.react())); err != nil {
		return err
	}
	n, act, err := drain(ctx, conn)
	switch {
	case n > 0:
		p.Reaction = Answered
	case act == transport.Closed:
		p.Reaction = Closed
	default:
		p.Reaction = Ignored
	}
	whole := conn.Span()
	p.Span = evidence.Span{Member: whole.Member, Offset: whole.Offset + before, Length: whole.Length - before}
	return err
}

// drain reads until the other end closes, the time is up or enough has come.
func drain(ctx context.Context, conn transport.Conn) (n int, act transport.Act, err error) {
	b := make([]byte, maxReaction)
	for n < len(b) {
		m, err := conn.Read(b[n:])
		n += m
		if errors.Is(err, transport.ErrTooMuch) {
			break
		}
		if err != nil {
			act, err = transport.Did(ctx, err)
			return n, act, err
		}
	}
	return n, transport.Answered, nil
}
