package coapmalformed

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
)

// A witness would notice that the server starts again. Errors say nothing about
// the device.
type witness interface {
	// look says whether the server still knows it. served says that it serves
	// others at that moment.
	look(ctx context.Context, served bool) (evidence.Tri, error)
	// end says so at the end.
	end(ctx context.Context) (evidence.Tri, error)
	span() evidence.Span
	close()
}

// openWitness finds the best one that there is.
func (a *assault) openWitness(ctx context.Context) error {
	s, _, err := a.open(ctx, longest)
	if s == nil {
		return err
	}
	if a.Way.Transport != coapdoor.UDP {
		a.Witness.Kind, a.witness = Idle, &idle{s, a.ask}
		return nil
	}
	links, err := s.List(ctx)
	if err != nil {
		s.Close()
		return err
	}
	if err := a.choose(ctx, s, links.Links); a.witness == nil || err != nil {
		s.Close()
		return err
	}
	return nil
}

// choose takes a resource that counts, or else one that sends by itself.
func (a *assault) choose(ctx context.Context, s *coapdoor.Session, links []coapdoor.Link) error {
	for _, l := range links[:min(len(links), maxCandidates)] {
		up, counts := counterOf(string(l.Path))
		if !counts {
			continue
		}
		x, err := s.Do(ctx, coapdoor.Request{Path: string(l.Path)})
		if n, ok := number(x); err == nil && ok {
			a.Witness.Kind, a.Witness.Path, a.witness = Counter, l.Path, &counter{s: s, path: string(l.Path), up: up, last: n}
			return nil
		}
		if err != nil {
			return err
		}
	}
	for _, l := range links {
		if l.Observable != evidence.Yes {
			continue
		}
		o, _, err := s.Observe(ctx, string(l.Path))
		if o != nil {
			a.Witness.Kind, a.Witness.Path, a.witness = Observed, l.Path, &observed{s, o}
		}
		return err
	}
	return nil
}

// maxCandidates bounds the links that are looked at for a counter.
const maxCandidates = 64

func (a *assault) closeWitness() {
	if a.witness != nil {
		a.witness.close()
	}
}

// observe asks the witness, and opens another one if it was dropped and the
// server serves again.
func (a *assault) observe(ctx context.Context, after Name, served bool) (evidence.Tri, error) {
	held, err := a.witness.look(ctx, served)
	if err != nil || held != evidence.No {
		return held, err
	}
	a.dropped(after)
	if !served || a.Witness.Kind != Idle {
		return held, nil
	}
	s, _, err := a.open(ctx, longest)
	if s != nil {
		a.witness = &idle{s, a.ask}
	}
	return held, a.absent(ctx, err)
}

// dropped notes that the server no longer knows the witness.
func (a *assault) dropped(after Name) {
	a.Witness.Drops = append(a.Witness.Drops, Drop{after, a.witness.span()})
	a.Witness.Held = evidence.No
	if a.Witness.Kind == Idle {
		a.witness.close()
		a.witness = nil
	}
}

// idle is a session on which nothing bad is sent, only the question of the
// control.
type idle struct {
	s   *coapdoor.Session
	ask func(context.Context, *coapdoor.Session) (coapdoor.Exchange, error)
}

func (i *idle) look(ctx context.Context, served bool) (evidence.Tri, error) {
	x, err := i.ask(ctx, i.s)
	switch {
	case err != nil:
		return evidence.Unknown, err
	case x.There():
		return evidence.Yes, nil
	case x.Outcome == coapdoor.Silent && !served:
		return evidence.Unknown, nil
	}
	return evidence.No, nil // who serves others and not this session has forgotten it
}

func (i *idle) end(ctx context.Context) (evidence.Tri, error) { return i.look(ctx, true) }
func (i *idle) span() evidence.Span                           { return i.s.Span() }
func (i *idle) close()                                        { i.s.Close() }

// counter is a resource whose number never falls while the server runs, or never
// changes.
type counter struct {
	s    *coapdoor.Session
	path string
	up   bool // it rises by itself
	last float64
}

// counterOf tells by its name what a resource counts: the time since the start,
// or how often there was one.
func counterOf(path string) (up, counts bool) {
	name := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	plain := strings.NewReplacer("-", "", "_", "").Replace(name)
	if slices.Contains([]string{"boots", "bootcount", "boot", "restarts", "reboots", "resets"}, plain) {
		return false, true
	}
	return true, slices.Contains([]string{"uptime", "upsince", "up"}, plain)
}

// number reads the first number of a payload.
func number(x coapdoor.Exchange) (float64, bool) {
	if !x.Success() {
		return 0, false
	}
	digits := func(r rune) bool { return (r < '0' || r > '9') && r != '.' }
	fields := strings.FieldsFunc(string(x.Payload), digits)
	if len(fields) != 1 {
		return 0, false
	}
	n, err := strconv.ParseFloat(fields[0], 64)
	return n, err == nil
}

func (c *counter) look(ctx context.Context, _ bool) (evidence.Tri, error) {
	x, err := c.s.Do(ctx, coapdoor.Request{Path: c.path})
	n, ok := number(x)
	if err != nil || !ok {
		return evidence.Unknown, err
	}
	began := n < c.last || !c.up && n != c.last
	if c.last = n; began {
		return evidence.No, nil
	}
	return evidence.Yes, nil
}

func (c *counter) end(ctx context.Context) (evidence.Tri, error) { return c.look(ctx, true) }
func (c *counter) span() evidence.Span                           { return c.s.Span() }
func (c *counter) close()                                        { c.s.Close() }

// observed is an observation. Nothing can be said of it before it brings
// something, and a server may take its time for that.
type observed struct {
	s *coapdoor.Session
	o *coapdoor.Observation
}

// patience is how long a notification is waited for at the end.
const patience = 10 * time.Second

// look takes what came meanwhile, so that the server need not think that nobody
// listens any more.
func (o *observed) look(ctx context.Context, _ bool) (evidence.Tri, error) {
	for {
		_, ok, err := o.o.Next(ctx, time.Millisecond)
		if !ok || err != nil {
			return evidence.Unknown, err
		}
	}
}

func (o *observed) end(ctx context.Context) (evidence.Tri, error) {
	if _, err := o.look(ctx, true); err != nil {
		return evidence.Unknown, err
	}
	_, ok, err := o.o.Next(ctx, patience)
	if !ok || err != nil {
		return evidence.Unknown, err
	}
	return evidence.Yes, nil
}

func (o *observed) span() evidence.Span { return o.s.Span() }
func (o *observed) close()              { o.s.Close() }
