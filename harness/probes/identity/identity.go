package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe looks at the start, at the end and now and then in between.
var Probe = &probe.Probe[Evidence]{
	Name:    name,
	Version: 1,
	Doc:     "by what the device can be told from another one, at start and end",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Bound:   bound,
	Watch:   (&watcher{table: neighbours, every: every}).watch,
}

// ErrChanged says that another device answers than at the start.
var ErrChanged = errors.New("identity changed")

const (
	// every is how often is looked in between: often enough that little has
	// to be done again, seldom enough that the device does not notice.
	every = 2 * time.Minute
	// mostBetween bounds the looks in between; a run that lasts longer is
	// looked at again when it ends.
	mostBetween = 60
	// handshake bounds one handshake; a small device takes seconds for its
	// signature.
	handshake = 10 * time.Second
	// benchHandshake: on a bench nothing stands between us and the device,
	// and an endpoint without a key costs this twice in each look.
	benchHandshake = 3 * time.Second
	// perEndpoint is how many connections one look takes for an endpoint that
	// shows no key: one that tries TLS, one that tries SSH.
	perEndpoint = 2
)

// bound counts the looks in between too, whereas Time is that of one look: a
// watch is bounded when it begins and when it ends.
func bound(t probe.Target) probe.Bound {
	looks := 2
	if t.Pace != transport.Gentle {
		looks += mostBetween
	}
	each := perEndpoint * min(len(t.Known), probe.MaxOpen)
	return probe.Bound{Time: time.Duration(each+1) * (handshake + time.Second), Connections: looks * each}
}

// patience is how long one handshake may take.
func patience(p transport.Pace) time.Duration {
	if p == transport.Bench {
		return benchHandshake
	}
	return handshake
}

// A watcher looks again and again.
type watcher struct {
	table func() ([]byte, error) // the system's neighbour table
	every time.Duration
}

func (w *watcher) watch(ctx context.Context, in probe.Input) (func(context.Context) (Evidence, error), error) {
	l := &looker{in: in, table: w.table, kinds: map[int]Kind{}}
	first, err := l.look(ctx)
	if err != nil {
		return nil, err
	}
	if first, err = remember(in, first); err != nil {
		return nil, err
	}
	between, end := context.WithCancel(ctx)
	changed, looks := error(nil), 0
	var looking sync.WaitGroup
	if in.Target.Pace != transport.Gentle && len(first.known()) > 0 {
		looking.Go(func() { looks, changed = l.between(between, first, w.every) })
	}
	return func(ctx context.Context) (Evidence, error) {
		end()
		looking.Wait()
		if changed != nil {
			return Evidence{}, changed
		}
		return l.last(ctx, first, looks)
	}, nil
}

// between looks until ctx ends, and stops the run if the device changed.
func (l *looker) between(ctx context.Context, first Look, every time.Duration) (looks int, changed error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ; looks < mostBetween; looks++ {
		select {
		case <-ctx.Done():
			return looks, nil
		case <-tick.C:
		}
		now, err := l.look(ctx)
		if err != nil {
			continue // our own trouble, or the end; the last look tells
		}
		if changed = first.differs(now); changed == nil {
			continue
		}
		if l.in.Stop != nil {
			l.in.Stop(changed)
		}
		return looks + 1, changed
	}
	return looks, nil
}

// last takes the last look and compares it with the first.
func (l *looker) last(ctx context.Context, first Look, looks int) (Evidence, error) {
	e := Evidence{Start: first, Looks: looks + 2}
	var err error
	if e.End, err = l.look(ctx); err != nil {
		return Evidence{}, err
	}
	if err := first.differs(e.End); err != nil {
		return Evidence{}, err
	}
	if first.shares(e.End) {
		e.Same = evidence.Yes
	}
	return e, nil
}

// differs returns what is known in both looks and not the same.
func (l Look) differs(now Look) error {
	then := l.known()
	for what, is := range now.known() {
		if was, ok := then[what]; ok && was != is {
			return fmt.Errorf("%w: %s was %s and is %s", ErrChanged, what, was, is)
		}
	}
	return nil
}

// shares reports whether something is known in both looks.
func (l Look) shares(now Look) bool {
	then := l.known()
	for what := range now.known() {
		if _, ok := then[what]; ok {
			return true
		}
	}
	return false
}

// known holds what can be compared, by what it is.
func (l Look) known() map[string]string {
	found := map[string]string{}
	for _, h := range l.Hardware {
		if h.MAC != "" {
			found["the hardware address of "+h.Addr.String()] = string(h.MAC)
		}
	}
	for _, k := range l.Keys {
		if k.Kind != Nothing {
			found[fmt.Sprintf("the %s of %s", k.Kind, k.Addr)] = string(k.SHA256)
		}
	}
	return found
}
