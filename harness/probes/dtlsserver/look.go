package dtlsserver

import (
	"context"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// versions, the oldest first. 1.2 is what is asked for first: it is what most
// devices speak, and so the best control.
var (
	versions    = []dtlswire.Version{dtlswire.V10, dtlswire.V12, dtlswire.V13}
	searchOrder = []dtlswire.Version{dtlswire.V12, dtlswire.V13, dtlswire.V10}
)

// all asks everything.
func (l *look) all(ctx context.Context) (err error) {
	l.Before, l.After = untried(), untried()
	for _, v := range versions {
		l.Versions = append(l.Versions, Version{Code: tlsserver.Code(v), Name: tlsserver.Name(v.String())})
	}
	if err := l.find(ctx); err != nil {
		return err
	}
	if l.control == nil {
		l.Cut = NoControl
		return nil
	}
	if l.Before, err = l.checked(ctx); err != nil || l.Cut != Whole {
		return err
	}
	if err := l.list(ctx); err != nil || l.Cut != Whole {
		return err
	}
	if err := l.shown(ctx); err != nil {
		return err
	}
	if err := l.handshakes(ctx); err != nil {
		return err
	}
	l.After, err = l.checked(ctx)
	return err
}

func untried() Try { return Try{Outcome: NotTried, Alert: -1} }

// find looks for a hello that the listener takes. From then on, answers are
// waited for as long as befits it.
func (l *look) find(ctx context.Context) error {
	for _, v := range searchOrder {
		for _, k := range kinds(v) {
			begun := time.Now()
			t, err := l.ask(ctx, hello(v, k, suites(v, k)))
			if err != nil {
				return err
			}
			if t.Outcome == Accepted {
				h := hello(v, k, []uint16{uint16(t.Suite)})
				l.control = &h
				l.Control = Offered{Version: t.Version, Suite: t.Suite, Kind: k}
				l.wait = min(max(factor*time.Since(begun), l.patience.least), l.patience.most)
				return nil
			}
		}
	}
	return nil
}

// list lists the suites of each version, and sends the control hello after each
// kind of them.
func (l *look) list(ctx context.Context) error {
	for _, v := range searchOrder {
		for _, k := range kinds(v) {
			o, err := l.offer(ctx, v, k)
			at := &l.Versions[slices.Index(versions, v)]
			at.Offers = append(at.Offers, o)
			if err != nil {
				return err
			}
			if _, err := l.checked(ctx); err != nil || l.Cut != Whole {
				return err
			}
		}
	}
	return nil
}

// offer offers the suites of a kind until nothing of them is taken any more.
func (l *look) offer(ctx context.Context, v dtlswire.Version, k Kind) (Offer, error) {
	left := suites(v, k)
	o := Offer{Kind: k, Offered: len(left)}
	for len(left) > 0 {
		t, err := l.ask(ctx, hello(v, k, left))
		if err != nil {
			return o, err
		}
		if t.Outcome != Accepted {
			o.Ends = append(o.Ends, t)
			break
		}
		s := tlsserver.SuiteOf(t.Suite)
		s.Seen, s.Span = 1, t.Span
		o.Suites = append(o.Suites, s)
		left = slices.DeleteFunc(left, func(c uint16) bool { return c == uint16(t.Suite) })
	}
	err := l.again(ctx, v, &o, left)
	return o, err
}

// again asks once more for what a check may fail on, each suite alone, and for
// what was turned away.
func (l *look) again(ctx context.Context, v dtlswire.Version, o *Offer, left []uint16) error {
	if o.Kind == Doubtful || v == dtlswire.V10 {
		for i := range o.Suites {
			if err := l.confirm(ctx, v, o.Kind, &o.Suites[i]); err != nil {
				return err
			}
		}
	}
	if len(o.Ends) == 0 || o.Ends[0].mute() {
		return nil // nothing is left, or it was asked for three times already
	}
	t, err := l.ask(ctx, hello(v, o.Kind, left))
	if err == nil {
		o.Ends = append(o.Ends, t)
	}
	return err
}

// most is how many exchanges with one suite are made: two, and a third where they
// differ.
const most = 3

func (l *look) confirm(ctx context.Context, v dtlswire.Version, k Kind, s *tlsserver.Suite) error {
	for asked := 1; s.Seen < 2 && asked < most; asked++ {
		t, err := l.ask(ctx, hello(v, k, []uint16{uint16(s.Code)}))
		if err != nil {
			return err
		}
		if t.Outcome == Accepted {
			s.Seen++
		}
	}
	return nil
}

// shown asks the listener once more to show its certificate, and its raw public
// key, where it has one.
func (l *look) shown(ctx context.Context) error {
	for _, v := range []dtlswire.Version{dtlswire.V12, dtlswire.V10} {
		for _, o := range l.Versions[slices.Index(versions, v)].Offers {
			if len(o.Suites) == 0 || o.Kind != Certificate && o.Kind != RawKey7250 {
				continue
			}
			if _, err := l.ask(ctx, hello(v, o.Kind, []uint16{uint16(o.Suites[0].Code)})); err != nil {
				return err
			}
		}
	}
	return nil
}
