package coapdoor

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/probes/internal/websocket"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// Patience bounds the way from the first packet to a session: a small
	// device takes seconds for the signature of its handshake.
	Patience = 8 * time.Second

	// Linger bounds a session that stays open; a probe that needs longer says
	// so in Client.
	Linger = 30 * time.Second

	// goodbye bounds what a session does when it is closed, or its ctx ended:
	// to cancel what it observes.
	goodbye = 3 * time.Second
)

// A Client is who knocks at a door.
type Client struct {
	// Login is the identity and the key of DTLS, nil for a stranger: a client
	// that takes any certificate and has none.
	Login *probe.Login
	// Charge spends one of the log-ins of the account before the handshake. A
	// log-in that was accepted before in this run need not be charged again.
	Charge bool
	// Listed says that the key is published. It is not looked for in what the
	// device sends.
	Listed bool
	Stay   time.Duration // how long the session may last; 0 for Linger
}

// Open knocks at a door as c. The session is nil unless the answer is Opened.
// Over UDP no packet is sent. An error says nothing about the device.
func Open(ctx context.Context, in probe.Input, door Door, c Client) (*Session, Answer, error) {
	if c.Login != nil && door.Transport != DTLS {
		return nil, untried(NoUse), nil
	}
	if c.Login != nil && c.Charge {
		err := in.Net.Login(ctx, Service, c.Login.User)
		if errors.Is(err, transport.ErrBudget) {
			return nil, untried(BudgetSpent), nil
		}
		if err != nil {
			return nil, Answer{}, err
		}
	}
	if c.Login != nil && !c.Listed {
		in.Net.Hide("psk", []byte(c.Login.Password))
	}
	stay := c.Stay
	if stay == 0 {
		stay = Linger
	}
	conn, answer, err := dial(ctx, in, door, c.Login, stay)
	if conn == nil {
		return nil, answer, err
	}
	s := newSession(ctx, in, door, conn)
	if door.Datagrams() {
		return s, answer, nil
	}
	return s.introduced(ctx, answer)
}

// Raw opens a connection at a door, on which CoAP is still to be spoken, that
// lasts no longer than stay. Without one, the answer says how the device
// declined it. An error says nothing about the device.
func Raw(ctx context.Context, in probe.Input, door Door, stay time.Duration) (transport.Conn, Answer, error) {
	return dial(ctx, in, door, nil, stay)
}

// Did tells what the device did to a connection on which something failed. Its
// error says nothing about the device.
func Did(ctx context.Context, err error) (Outcome, error) { return did(ctx, true, err) }

// dial returns a connection on which CoAP can be spoken, or how the device
// declined one. It outlives ctx by goodbye.
func dial(ctx context.Context, in probe.Input, door Door, login *probe.Login, stay time.Duration) (transport.Conn, Answer, error) {
	beyond, keep, end := outlive(ctx)
	beyond = transport.Within(beyond, lasts(ctx, Patience+stay+goodbye))
	open := in.Net.Dial
	if door.Datagrams() {
		open = in.Net.DialUDP
	}
	conn, err := open(beyond, door.Addr)
	if err != nil {
		end()
		act, err := transport.Did(ctx, err)
		if act == transport.Silent {
			return nil, Answer{Outcome: Silent}, nil
		}
		return nil, Answer{Outcome: Declined}, err
	}
	conn = &leased{conn, end}
	inner, answer, err := enter(ctx, in, conn, door, login)
	if inner == nil {
		return nil, answer, errors.Join(err, conn.Close())
	}
	if err := conn.SetDeadline(time.Time{}); err != nil { // what is inside sets its own; the end that was agreed on stays
		return nil, Answer{}, errors.Join(err, inner.Close())
	}
	if !keep() {
		return nil, Answer{}, errors.Join(ctx.Err(), inner.Close())
	}
	return inner, answer, nil
}

// enter makes the handshakes that a door asks for. Closing conn is the caller's
// where none comes back.
func enter(ctx context.Context, in probe.Input, conn transport.Conn, door Door, login *probe.Login) (transport.Conn, Answer, error) {
	if door.Transport == UDP {
		return conn, Answer{Outcome: Opened}, nil
	}
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return nil, Answer{}, err
	}
	opened := Answer{Outcome: Opened}
	switch door.Transport {
	case DTLS:
		return shake(ctx, in, conn, login)
	case TLS, WSS:
		h, err := tlsinside.Open(ctx, in.Net, conn)
		if h.Session == nil {
			return nil, Answer{Outcome: ofHandshake(h), Span: conn.Span()}, err
		}
		conn, opened.Suite = h.Session.Conn, h.Session.State.CipherSuite
	}
	if door.Transport == TCP || door.Transport == TLS {
		return conn, opened, nil
	}
	r := websocket.Request{Path: string(door.Path), Host: door.Addr.String(), Protocol: "coap", Messages: coapwire.MaxMessage}
	ws, how, err := websocket.Open(ctx, in.Net, conn, r)
	if ws == nil {
		return nil, Answer{Outcome: ofUpgrade[how], Span: conn.Span()}, errors.Join(err, conn.Close())
	}
	return ws, opened, nil
}

// ofUpgrade are the answers of doors that did not become a WebSocket.
var ofUpgrade = map[websocket.Upgrade]Outcome{
	websocket.NotUpgraded: Declined, websocket.NoUpgrade: Declined, websocket.MuteUpgrade: Silent, websocket.OddUpgrade: Malformed,
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
	return Refused
}

// untried is the answer of a door that was not asked.
func untried(why Reason) Answer { return Answer{Outcome: NotTried, Reason: why} }

// did tells the device's doing from ours, after a message that was sent whole
// or not.
func did(ctx context.Context, sent bool, err error) (Outcome, error) {
	act, ours := transport.Did(ctx, err)
	switch {
	case ctx.Err() != nil:
		return NotTried, ours
	case tlsinside.Alerted(err):
		return Refused, nil
	case errors.Is(err, coapwire.ErrMalformed), errors.Is(err, websocket.ErrMalformed), errors.Is(err, transport.ErrTooMuch):
		return Malformed, nil
	case act == transport.Silent:
		return Silent, nil
	case act == transport.Refused, act == transport.Closed && sent:
		return Closed, nil
	case act == transport.Closed:
		return Declined, nil
	}
	return NotTried, ours
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// outlive returns a ctx that ends with ctx until keep is called, and then only
// by end: so a session can say good-bye after its probe was cancelled. It is too
// late for that if keep returns false.
func outlive(ctx context.Context) (beyond context.Context, keep func() bool, end func()) {
	beyond, end = context.WithCancel(context.WithoutCancel(ctx))
	return beyond, context.AfterFunc(ctx, end), end
}

// lasts is how long a connection may: no longer than d, and than what is left
// of ctx and the good-bye.
func lasts(ctx context.Context, d time.Duration) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return max(min(d, time.Until(end)+goodbye), time.Nanosecond)
	}
	return d
}

// leased is a connection whose ctx is let go when it is closed.
type leased struct {
	transport.Conn
	end func()
}

// Close is part of net.Conn.
func (l *leased) Close() error {
	defer l.end()
	return l.Conn.Close()
}

// Held passes on whether the connection below is held back.
func (l *leased) Held() bool { return transport.Held(l.Conn) }
