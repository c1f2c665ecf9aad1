package mqttdoor

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// Patience bounds the way from the first packet to the CONNACK: a small
	// device takes seconds for the signature of its handshake.
	Patience = 8 * time.Second

	// Linger bounds a session that stays open; a probe that needs longer says
	// so in Client.
	Linger = 30 * time.Second

	// brief is enough to say good-bye.
	brief = time.Second

	// keepAlive is what a session announces, in seconds: longer than it lasts.
	keepAlive = 120
)

// A Client is who knocks at a door.
type Client struct {
	ID    string       // client identifier; empty for a fresh random one
	Login *probe.Login // nil for a stranger
	// Charge spends one of the log-ins of the account before the CONNECT. A
	// log-in that was accepted before in this run need not be charged again.
	Charge bool
	// Listed says that the password is published. It is masked where it is
	// sent, and not looked for in what the device sends.
	Listed bool
	Stay   time.Duration // how long the session may last; 0 for Linger
}

// A Session is a client that was let in. It must be closed.
type Session struct {
	*mqttwire.Session
	Conn     transport.Conn
	ClientID string
	Version  Version
}

// Close says good-bye and hangs up. A broker that is gone already does not
// matter any more.
func (s *Session) Close() {
	_ = s.Wait(brief)
	_ = s.Disconnect()
	_ = s.Conn.Close()
}

// Wait sets the deadline of what the session does next.
func (s *Session) Wait(d time.Duration) error { return s.Conn.SetDeadline(time.Now().Add(d)) }

// Span returns where a stretch of what was received lies in the transcript.
func (s *Session) Span(w mqttwire.Span) evidence.Span {
	whole := s.Conn.Span()
	return evidence.Span{Member: whole.Member, Offset: whole.Offset + w.Offset, Length: w.Length}
}

// ClientID returns a fresh client identifier. It has a fixed length, is never
// empty, and holds only characters that every broker must take (MQTT 3.1.1,
// 3.1.3.1).
func ClientID() string {
	b := make([]byte, 4)
	rand.Read(b) // never fails
	return "assay" + hex.EncodeToString(b)
}

// Open knocks at a door as c. The session is nil unless the client was let in.
// An error says nothing about the device.
func Open(ctx context.Context, in probe.Input, door Door, c Client) (*Session, Answer, error) {
	if c.Login != nil && c.Charge {
		err := in.Net.Login(ctx, "mqtt", c.Login.User)
		if errors.Is(err, transport.ErrBudget) {
			return nil, Untried(BudgetSpent), nil
		}
		if err != nil {
			return nil, Answer{}, err
		}
	}
	stay := c.Stay
	if stay == 0 {
		stay = Linger
	}
	conn, answer, err := dial(transport.Within(ctx, Patience+stay), in.Net, door)
	if conn == nil {
		return nil, answer, err
	}
	s, answer, err := connect(ctx, in, conn, door, c)
	if s == nil {
		return nil, answer, errors.Join(err, conn.Close())
	}
	if err := s.Wait(stay); err != nil {
		return nil, Answer{}, errors.Join(err, conn.Close())
	}
	return s, answer, nil
}

// Try knocks as c and leaves at once.
func Try(ctx context.Context, in probe.Input, door Door, c Client) (Answer, error) {
	c.Stay = brief
	return leave(Open(ctx, in, door, c))
}

// leave ends a session, if there is one.
func leave(s *Session, answer Answer, err error) (Answer, error) {
	if s != nil {
		s.Close()
	}
	return answer, err
}

// dial returns a connection on which MQTT can be spoken, or how the device
// declined one.
func dial(ctx context.Context, d transport.Dialer, door Door) (transport.Conn, Answer, error) {
	conn, err := d.Dial(ctx, door.Addr)
	if err != nil {
		act, err := transport.Did(ctx, err)
		if act == transport.Silent {
			return nil, none(Silent), nil
		}
		return nil, none(Declined), err
	}
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return nil, Answer{}, errors.Join(err, conn.Close())
	}
	if door.TLS == evidence.Yes {
		shake, err := tlsinside.Open(ctx, d, conn)
		if shake.Session == nil {
			return nil, none(ofHandshake(shake)).at(conn.Span()), err
		}
		conn = shake.Session.Conn
	}
	if door.Path == "" {
		return conn, Answer{}, nil
	}
	ws, how, err := upgrade(ctx, d, conn, door)
	if ws == nil {
		return nil, none(ofUpgrade[how]).at(conn.Span()), errors.Join(err, conn.Close())
	}
	return ws, Answer{}, nil
}

// ofHandshake tells how the device declined TLS.
func ofHandshake(h tlsinside.Handshake) Outcome {
	switch {
	case h.Act == transport.Silent:
		return Silent
	case h.Act != transport.Answered:
		return Declined
	case h.First == tlsinside.None:
		return Malformed
	}
	return TLSRefused
}

// connect sends the CONNECT and reads what comes of it.
func connect(ctx context.Context, in probe.Input, conn transport.Conn, door Door, c Client) (*Session, Answer, error) {
	hello := mqttwire.Connect{Version: door.Version.level(), ClientID: c.ID, CleanStart: true, KeepAlive: keepAlive}
	if hello.ClientID == "" {
		hello.ClientID = ClientID()
	}
	if c.Login != nil {
		if !c.Listed {
			in.Net.Hide("password", []byte(c.Login.Password))
		}
		hello.UserName, hello.Password = &c.Login.User, &c.Login.Password
	}
	_, secret, err := hello.Encode()
	if err != nil {
		return nil, Answer{}, err
	}
	m := &masking{Conn: conn, secret: secret}
	wire, ack, err := mqttwire.Open(m, hello, mqttwire.Limits{})
	if err != nil && !m.sent {
		err = lastWord(conn, err)
	}
	if err != nil {
		answer, err := failed(ctx, m.sent, err)
		return nil, answer.at(conn.Span()), err
	}
	answer := ofConnAck(ack).at(conn.Span())
	if answer.Outcome != Accepted {
		return nil, answer, nil
	}
	return &Session{Session: wire, Conn: conn, ClientID: hello.ClientID, Version: answer.Answers}, answer, nil
}

// lastWord returns the alert by which a TLS session ended that could not be
// written to any more, or else why it could not.
func lastWord(conn transport.Conn, err error) error {
	if _, reading := conn.Read(make([]byte, 1)); tlsinside.Alerted(reading) {
		return reading
	}
	return err
}

// failed tells the device's doing from ours.
func failed(ctx context.Context, sent bool, err error) (Answer, error) {
	act, ours := transport.Did(ctx, err)
	if ours != nil && ctx.Err() != nil {
		return Answer{}, ours
	}
	return ofError(act, sent, err)
}

// masking writes the first packet, which is the CONNECT, with its password
// hidden from the transcript.
type masking struct {
	transport.Conn
	secret mqttwire.Span
	begun  bool
	sent   bool // the whole CONNECT
}

// Write writes b.
func (m *masking) Write(b []byte) (n int, err error) {
	if m.begun {
		return m.Conn.Write(b)
	}
	m.begun = true
	n, err = m.WriteSecret(b, int(m.secret.Offset), int(m.secret.Length))
	m.sent = err == nil && n == len(b)
	return n, err
}
