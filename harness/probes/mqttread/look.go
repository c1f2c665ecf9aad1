package mqttread

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/transport"
)

// manner is how long a broker is waited for.
type manner struct {
	answer time.Duration // for a SUBACK or a PINGRESP
	sys    time.Duration // for something below $SYS
	live   time.Duration // for messages of others
	quiet  time.Duration // after which no retained message is on its way any more
}

// patient is the manner of every run but on a bench. Brokers send their counters every ten
// seconds, most of them, and what they keep at once.
var patient = manner{answer: 5 * time.Second, sys: 15 * time.Second, live: 5 * time.Second, quiet: time.Second}

// benchQuiet is how long a broker on a bench is quiet when it has sent all that
// it keeps: nothing stands between us and it. A ping then shows that it has.
const benchQuiet = 300 * time.Millisecond

func mannerOf(p transport.Pace) manner {
	m := patient
	if p == transport.Bench {
		m.quiet = benchQuiet
	}
	return m
}

// longest is the longest that one look takes after its first CONNACK.
func (m manner) longest() time.Duration {
	return filters*(mqttdoor.Patience+m.answer) + m.sys + m.quiet + m.answer + farewell
}

// farewell bounds giving back the subscriptions and leaving.
const farewell = 2 * time.Second

// looker makes one look.
type looker struct {
	job  *job
	in   probe.Input
	look Look
	want []Message // of the look before: what is waited for; nil in the first one
	kept *collection
}

// look subscribes to everything and reads. Where the broker hangs up on a
// filter, it does so again without that one.
func (j *job) look(ctx context.Context, in probe.Input, want []Message) (Look, error) {
	l := &looker{job: j, in: in, want: want, kept: newCollection(in.Net)}
	left := []Filter{All, Below, Sys}
	for _, f := range left {
		l.look.Subscriptions = append(l.look.Subscriptions, Subscription{Filter: f, Grant: NotAsked, Code: -1})
	}
	for first := true; first || l.look.Ended == Cut && len(left) > 0; first = false {
		ended, err := l.session(ctx, left, first)
		if err != nil {
			return Look{}, err
		}
		l.look.Ended = ended
		before := len(left)
		left = slices.DeleteFunc(left, func(f Filter) bool { return l.look.Of(f).Grant == HungUp })
		if len(left) == before {
			break // it was not for a filter that it hung up
		}
	}
	l.kept.into(&l.look)
	return l.look, nil
}

// session connects, asks for filters and reads.
func (l *looker) session(ctx context.Context, ask []Filter, first bool) (Ending, error) {
	s, answer, err := l.connect(ctx)
	if err != nil {
		return "", err
	}
	if first {
		l.look.Connection = answer
	}
	switch {
	case s == nil && first:
		return NotLetIn, nil
	case s == nil:
		return Cut, nil
	}
	defer l.leave(s)
	for _, f := range ask {
		if ended, err := l.subscribe(ctx, s, f); err != nil || ended != "" {
			return ended, err
		}
	}
	return l.read(ctx, s)
}

// leave takes up what came and was not looked at, for its secrets, and hangs up.
func (l *looker) leave(s *mqttdoor.Session) {
	_ = s.Wait(0) // what is queued needs no connection
	for {
		m, err := s.Next()
		if err != nil {
			break
		}
		l.kept.add(m, s, l.job.Way)
	}
	s.Close()
}

// connect holds back what is received until the end, so that secrets in it are
// masked.
func (l *looker) connect(ctx context.Context) (*mqttdoor.Session, Answer, error) {
	c := mqttdoor.Client{Stay: l.job.manner.longest()}
	if l.job.account != nil {
		return l.job.account.Open(transport.Late(ctx), l.in, l.job.Way, c)
	}
	return mqttdoor.Open(transport.Late(ctx), l.in, l.job.Way, c)
}

// subscribe asks for one filter. The ending is set if the session is over.
func (l *looker) subscribe(ctx context.Context, s *mqttdoor.Session, f Filter) (Ending, error) {
	sub := &l.look.Subscriptions[slices.IndexFunc(l.look.Subscriptions, func(s Subscription) bool { return s.Filter == f })]
	if err := s.Wait(l.job.manner.answer); err != nil {
		return "", err
	}
	ack, err := s.Subscribe(mqttwire.Filter{Topic: string(f)})
	ended, err := endingOf(ctx, err)
	if err != nil {
		return "", err
	}
	sub.Grant, sub.Code = grants[ended], -1
	if ended == "" {
		sub.Span, sub.Code = s.Span(s.Last()), int(ack.Codes[0])
		if ack.Codes[0].Failed() {
			sub.Grant = Refused
		}
	}
	return ended, nil
}

// grants are how subscriptions were taken on which a session ended.
var grants = map[Ending]Grant{"": Granted, Cut: HungUp, Mute: NoAnswer, Babble: Malformed, TooMuch: Malformed}

// endingOf tells how the device ended a session, nothing if it did not. Its
// error says nothing about the device.
func endingOf(ctx context.Context, err error) (Ending, error) {
	if err == nil {
		return "", nil
	}
	act, ours := transport.Did(ctx, err)
	_, disconnected := errors.AsType[*mqttwire.DisconnectedError](err)
	_, unexpected := errors.AsType[*mqttwire.UnexpectedError](err)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case disconnected, act == transport.Closed, act == transport.Refused:
		return Cut, nil
	case errors.Is(err, mqttwire.ErrMalformed), unexpected:
		return Babble, nil
	case errors.Is(err, mqttwire.ErrTooLarge), errors.Is(err, transport.ErrTooMuch):
		return TooMuch, nil
	case act == transport.Silent:
		return Mute, nil
	}
	return "", ours
}

// read takes messages until there is no reason to wait for more, and leaves.
func (l *looker) read(ctx context.Context, s *mqttdoor.Session) (Ending, error) {
	begun := time.Now()
	ended, err := l.messages(ctx, s, begun.Add(l.patience()))
	l.look.Waited = time.Since(begun)
	if err != nil || ended != "" {
		return ended, err
	}
	l.unsubscribe(s)
	return Left, nil
}

// messages reads until the deadline, or until nothing more is needed. Whenever
// it was quiet for a while, pings show whether the broker has sent all that it
// keeps.
func (l *looker) messages(ctx context.Context, s *mqttdoor.Session, deadline time.Time) (Ending, error) {
	for {
		calm, ended, err := l.until(ctx, s, earlier(time.Now().Add(l.job.manner.quiet), deadline))
		if err != nil || ended != "" {
			return ended, err
		}
		if calm && l.look.RetainedRead != evidence.Yes {
			if ended, err = l.fence(ctx, s); err != nil || ended != "" {
				return ended, err
			}
		}
		if !time.Now().Before(deadline) || l.enough() {
			return "", nil
		}
	}
}

// until reads messages until a deadline, and says whether none came.
func (l *looker) until(ctx context.Context, s *mqttdoor.Session, deadline time.Time) (calm bool, _ Ending, _ error) {
	calm = true
	for {
		if err := s.Conn.SetDeadline(deadline); err != nil {
			return calm, "", err
		}
		m, err := s.Next()
		ended, err := endingOf(ctx, err)
		switch {
		case err != nil:
			return calm, "", err
		case ended == Mute: // nothing came, which is no fault
			return calm, "", nil
		case ended != "":
			return calm, ended, nil
		}
		calm = false
		l.kept.add(m, s, l.job.Way)
		if !time.Now().Before(deadline) {
			return calm, "", nil
		}
	}
}

// fence sends a ping. If it is answered and no message came before the answer,
// the broker has sent all that it keeps.
func (l *looker) fence(ctx context.Context, s *mqttdoor.Session) (Ending, error) {
	if err := s.Wait(l.job.manner.answer); err != nil {
		return "", err
	}
	ended, err := endingOf(ctx, s.Ping())
	if err != nil || ended != "" {
		return ended, err
	}
	before := l.kept.received
	// What came before the answer is queued already.
	if _, ended, err = l.until(ctx, s, time.Now()); err != nil || ended != "" {
		return ended, err
	}
	if l.kept.received == before && l.look.Of(All).Grant == Granted {
		l.look.RetainedRead = evidence.Yes
	}
	return "", nil
}

// patience is how long messages are waited for at the most.
func (l *looker) patience() time.Duration {
	granted := func(f Filter) bool { return l.look.Of(f).Grant == Granted }
	switch {
	case granted(Sys) && l.job.Reader != ReadsAll:
		return l.job.manner.sys
	case granted(All) || granted(Below) || granted(Sys):
		return l.job.manner.live
	}
	return 0
}

// enough reports whether waiting on would show nothing new. Who may read
// everything is only asked for what is retained.
func (l *looker) enough() bool {
	granted := func(f Filter) bool { return l.look.Of(f).Grant == Granted }
	switch {
	case granted(All) && l.look.RetainedRead != evidence.Yes:
		return false
	case l.job.Reader == ReadsAll:
		return true
	case l.want != nil:
		return l.kept.hasAll(l.want)
	}
	told := !granted(Sys) || l.kept.clients
	heard := !granted(All) && !granted(Below) || l.kept.others
	return told && heard
}

// unsubscribe gives back what was granted. A broker that does not answer any
// more does not matter: the session ends anyway.
func (l *looker) unsubscribe(s *mqttdoor.Session) {
	var topics []string
	for _, sub := range l.look.Subscriptions {
		if sub.Grant == Granted {
			topics = append(topics, string(sub.Filter))
		}
	}
	if len(topics) > 0 && s.Wait(farewell) == nil {
		_, _ = s.Unsubscribe(topics...)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
