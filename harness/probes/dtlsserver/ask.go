package dtlsserver

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

const (
	// rounds is how often a question is asked that is not answered.
	rounds = 3
	// mostHellos is how many sockets one listener gets. It bounds those that take
	// whatever they are offered.
	mostHellos = 400
)

// patience says how long answers are waited for.
type patience struct {
	search time.Duration // as long as nothing is known of the listener
	least  time.Duration // once it is known how long it takes
	most   time.Duration
	whole  time.Duration // for one listener
	// handshake is how long a whole one may take.
	handshake time.Duration
}

// usual is the patience with a device. A small one takes seconds to sign, so the
// search waits for that; half of it is far above the second after which RFC 6347,
// 4.2.4.1, has a client send again.
var usual = patience{search: 8 * time.Second, least: time.Second, most: 8 * time.Second, whole: 5 * time.Minute, handshake: dtlsdoor.Patience}

// factor is how much longer than the control took is waited for another answer.
const factor = 6

// errEnough ends the look at a listener that takes too much.
var errEnough = errors.New("enough")

// A look is the look at one listener.
type look struct {
	Listener
	in       probe.Input
	patience patience
	wait     time.Duration // for an answer, by now
	begun    time.Time
	hellos   int
	control  *dtlswire.Hello // nil until one was taken
	store    *tlsserver.Book

	cookies, asked     map[bool]bool // whether a cookie, or a client certificate, was asked for
	groups, signatures map[uint16]bool
	modes              map[Kind]int
}

// shake has one exchange with the listener.
func (l *look) shake(ctx context.Context, h dtlswire.Hello) (*exchange, error) {
	switch {
	case l.hellos == mostHellos:
		l.Cut = TooMany
		return nil, errEnough
	case time.Since(l.begun) > l.patience.whole:
		l.Cut = TooSlow
		return nil, errEnough
	}
	l.hellos++
	x, err := shake(ctx, l.in, l.Addr, h, l.wait)
	if err == nil {
		l.note(x)
	}
	return x, err
}

// ask asks until something comes, three times at the most. Between two rounds the
// control shows whether the listener is there and the way to it loses nothing.
func (l *look) ask(ctx context.Context, h dtlswire.Hello) (Try, error) {
	var t Try
	for round := 1; ; round++ {
		x, err := l.shake(ctx, h)
		if err != nil {
			return t, err
		}
		t = x.try(round, t.Controls)
		if !t.mute() || round == rounds || l.control == nil {
			return t, nil
		}
		if err := l.between(ctx, &t.Controls); err != nil {
			return t, err
		}
	}
}

// mute reports whether no answer was whole.
func (t Try) mute() bool {
	return t.Outcome == Silent || t.Outcome == HalfFlight || t.Outcome == CookieLoop
}

// between sends one control hello.
func (l *look) between(ctx context.Context, c *Controls) error {
	x, err := l.shake(ctx, *l.control)
	if err != nil {
		return err
	}
	c.Asked++
	if x.outcome == Accepted && x.resent == 0 {
		c.Answered++
	}
	return nil
}

// checked sends the control hello as a question of its own.
func (l *look) checked(ctx context.Context) (Try, error) {
	t, err := l.ask(ctx, *l.control)
	if err == nil && t.Outcome != Accepted {
		l.Cut = LostControl
	}
	return t, err
}

// try is what the evidence says of an exchange.
func (x *exchange) try(round int, between Controls) Try {
	t := Try{Outcome: x.outcome, Alert: x.alert, Rounds: round, Controls: between, Span: x.span}
	if x.chosen {
		t.Version, t.Suite, t.Retry = tlsserver.Code(x.choice.Version), tlsserver.Code(x.choice.Suite), evidence.No
		if x.retry == evidence.Yes {
			t.Retry = evidence.Yes
		}
	}
	switch {
	case x.cookies > 0:
		t.Cookie = evidence.Yes
	case x.chosen:
		t.Cookie = evidence.No
	}
	return t
}

// lookAt looks at one listener.
func lookAt(ctx context.Context, in probe.Input, addr netip.AddrPort, p patience, s *tlsserver.Book) (Listener, error) {
	l := &look{
		in: in, patience: p, wait: p.search, begun: time.Now(), store: s,
		cookies: map[bool]bool{}, asked: map[bool]bool{}, groups: map[uint16]bool{}, signatures: map[uint16]bool{}, modes: map[Kind]int{},
	}
	l.Addr = addr
	err := l.all(ctx)
	if errors.Is(err, errEnough) {
		err = nil
	}
	l.summarise()
	return l.Listener, err
}
