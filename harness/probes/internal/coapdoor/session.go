package coapdoor

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/transport"
)

// Timing is how long answers are waited for.
type timing struct {
	// ack is after how long a datagram is sent again, doubled each time: half
	// of what RFC 7252, 4.8 has, because nobody here is far away.
	ack time.Duration
	// separate bounds the way from the acknowledgement to the response, and
	// that to any response over TCP: a sensor may have to be woken up first.
	separate time.Duration
	// once bounds the answer to a datagram that is not sent again.
	once time.Duration
}

// The timings. On a bench nothing stands between us and the device.
var (
	usual = timing{ack: time.Second, separate: 8 * time.Second, once: 3 * time.Second}
	bench = timing{ack: 300 * time.Millisecond, separate: 3 * time.Second, once: 700 * time.Millisecond}
)

// Times is how often a message is sent, or a question asked, that is not
// answered.
const Times = 3

// LongestCall bounds one message and its answer: three datagrams, the last of
// them acknowledged late, and the response as late as it may be.
const LongestCall = 7*time.Second + 8*time.Second

const (
	// maxResets bounds how often messages that nobody asked for are rejected:
	// each costs a datagram of ours.
	maxResets = 16
	// maxSeen is how many confirmable messages are remembered, so that one that
	// comes again is only acknowledged.
	maxSeen = 32
	// maxQueue bounds the notifications that wait to be fetched.
	maxQueue = 64
	// maxPongs bounds the answers to pings over TCP.
	maxPongs = 64
)

// A Session is a way on which requests can be sent. It must be closed. It is
// for one goroutine.
type Session struct {
	Door Door

	conn   transport.Conn
	line   line
	timing timing
	base   context.Context // of the good-bye, which comes after the end of the probe's

	id      uint16
	watched []*Observation
	old     [][]byte // tokens of observations that were cancelled
	seen    []uint16 // message IDs that were acknowledged
	resets  int
	pongs   int
	pinged  time.Time // last
	most    int       // bytes of a message that the server takes over TCP
}

func newSession(ctx context.Context, in probe.Input, door Door, conn transport.Conn) *Session {
	s := &Session{Door: door, conn: conn, line: lineOf(door, conn), timing: usual, base: context.WithoutCancel(ctx), most: baseMessage}
	if in.Target.Pace == transport.Bench {
		s.timing = bench
	}
	s.id = MessageID()
	return s
}

// Span returns where all lies that was received so far.
func (s *Session) Span() evidence.Span { return s.conn.Span() }

// Conn is what the session runs on, for what is no message. What comes of it is
// for who takes it: the session must not be used at the same time.
func (s *Session) Conn() transport.Conn { return s.conn }

// since is where that lies which was received after the first n bytes.
func (s *Session) since(n int64) evidence.Span {
	whole := s.conn.Span()
	return evidence.Span{Member: whole.Member, Offset: whole.Offset + n, Length: whole.Length - n}
}

// Close cancels what is observed and hangs up. A server that is gone already
// does not matter any more.
func (s *Session) Close() {
	ctx, cancel := context.WithTimeout(s.base, goodbye)
	defer cancel()
	for _, o := range slices.Clone(s.watched) {
		_, _ = o.Cancel(ctx)
	}
	if !s.Door.Datagrams() {
		_ = s.conn.SetWriteDeadline(time.Now().Add(goodbye))
		_, _ = s.line.send(coapwire.Message{Code: coapwire.Release})
	}
	_ = s.conn.Close()
}

// token returns one that nobody can guess.
func token() []byte {
	t := make([]byte, coapwire.MaxToken)
	_, _ = rand.Read(t) // never fails
	return t
}

// nextID returns the ID of the next message.
func (s *Session) nextID() uint16 {
	s.id++
	return s.id
}

// A kind says what became of what was received.
type kind int

const (
	nothing kind = iota // no message: the error says why
	message
	noMessage // it is no CoAP
)

// next receives what comes until the deadline.
func (s *Session) next(ctx context.Context, until time.Time) (coapwire.Message, int, kind, error) {
	if err := s.conn.SetReadDeadline(until); err != nil {
		return coapwire.Message{}, 0, nothing, err
	}
	if err := ctx.Err(); err != nil { // before it could shorten the deadline
		return coapwire.Message{}, 0, nothing, err
	}
	m, size, err := s.line.receive()
	switch {
	case err == nil:
		return m, size, message, nil
	case malformed(err) && (s.Door.Datagrams() || s.Door.Path != ""):
		return m, size, noMessage, nil
	}
	return m, size, nothing, err
}

// guard ends waiting when ctx ends, until the function that it returns is called.
func (s *Session) guard(ctx context.Context) (release func() bool) {
	return context.AfterFunc(ctx, func() { _ = s.conn.SetReadDeadline(past) })
}

// reply sends what is not waited for. That it cannot be sent is seen later.
func (s *Session) reply(m coapwire.Message) {
	_ = s.conn.SetWriteDeadline(time.Now().Add(goodbye))
	_, _ = s.line.send(m)
}

// acknowledge answers a confirmable message, and reports whether it is the first
// of its ID.
func (s *Session) acknowledge(m coapwire.Message) bool {
	if !s.Door.Datagrams() || m.Type != coapwire.Confirmable {
		return true
	}
	s.reply(coapwire.Message{Type: coapwire.Acknowledgement, ID: m.ID})
	if slices.Contains(s.seen, m.ID) {
		return false
	}
	s.seen = append(s.seen[max(0, len(s.seen)-maxSeen+1):], m.ID)
	return true
}

// aside takes a message that does not answer what is being asked, and reports
// whether it is one of ours all the same.
func (s *Session) aside(m coapwire.Message) bool {
	if m.Code.Signal() {
		return s.signal(m)
	}
	if !m.Code.Response() || s.Door.Datagrams() && m.Type == coapwire.Acknowledgement {
		return false
	}
	for _, o := range s.watched {
		if slices.Equal(o.token, m.Token) {
			if s.acknowledge(m) {
				o.put(m)
			}
			return true
		}
	}
	if slices.ContainsFunc(s.old, func(t []byte) bool { return slices.Equal(t, m.Token) }) {
		s.reject(m)
		return true
	}
	return false
}

// reject tells a server that nobody listens any more (RFC 7641, 3.6).
func (s *Session) reject(m coapwire.Message) {
	if s.Door.Datagrams() && s.resets < maxResets {
		s.resets++
		s.reply(coapwire.Message{Type: coapwire.Reset, ID: m.ID})
	}
}

// MessageID returns a random message ID.
func MessageID() uint16 {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint16(b[:])
}
