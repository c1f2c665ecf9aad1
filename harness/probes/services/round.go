package services

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/transport"
)

// A reply is how one dialogue went.
type reply struct {
	by       *dialogue
	way      way
	protocol Protocol     // Unidentified if it was not understood
	tls      evidence.Tri // whether it was held in TLS
	weak     bool         // whether another protocol may be behind it all the same
	shook    bool         // whether a TLS handshake was completed
	answer   []byte
	span     evidence.Span
	act      transport.Act
}

// ended returns how a dialogue ended that was not understood.
func (r reply) ended() Ending {
	switch {
	case r.protocol != Unidentified:
		return Understood
	case len(r.answer) > 0:
		return Babble
	case r.act == transport.Silent:
		return Silence
	}
	return HungUp
}

// settles reports whether no other dialogue is needed: this one was understood,
// or the device spoke first in words that nobody knows, which no protocol does
// that waits for the client.
func (r reply) settles() bool {
	return r.protocol != Unidentified && !r.weak || r.by.listens && len(r.answer) > 0
}

// round holds dialogues until one settles what is spoken, and returns how they
// went.
func (l *looker) round(way way, ds []*dialogue) ([]reply, error) {
	if l.wide {
		return l.sideBySide(way, ds)
	}
	var all []reply
	for _, d := range ds {
		r, err := l.speak(l.ctx, d, way, nil)
		if err != nil {
			return nil, err
		}
		if all = append(all, r); r.settles() {
			break
		}
	}
	return all, nil
}

// headStart is how long the likeliest dialogue goes on alone: most often it
// settles the matter.
const headStart = 500 * time.Millisecond

// sideBySide begins with the likeliest dialogue, and soon holds all the others
// at the same time, so that a silent port costs one time-out. They wait if the
// device has begun to speak, so that a log-in prompt is not fed with greetings.
// What settles the matter ends the others.
func (l *looker) sideBySide(way way, ds []*dialogue) ([]reply, error) {
	ctx, settle := context.WithCancel(l.ctx)
	defer settle()
	all, errs := make([]reply, len(ds)), make([]error, len(ds))
	hold := func(i int, hears func()) {
		all[i], errs[i] = l.speak(ctx, ds[i], way, hears)
		if errs[i] == nil && all[i].settles() {
			settle()
		}
	}
	var held sync.WaitGroup
	first, spoke := make(chan struct{}), make(chan struct{})
	held.Go(func() {
		defer close(first)
		hold(0, func() { close(spoke) })
	})
	over := true
	select {
	case <-first:
	case <-spoke:
		<-first
	case <-time.After(headStart):
		over = false
	}
	alone := slices.IndexFunc(ds, func(d *dialogue) bool { return d.listens })
	// Who answered in words of its own may speak unasked. It is listened to
	// before it is asked more: many a small server takes one client at a time.
	if ctx.Err() == nil && over && alone > 0 && all[0].ended() == Babble {
		hold(alone, nil)
	}
	for i := 1; i < len(ds) && ctx.Err() == nil; i++ {
		if all[i].by == nil {
			held.Go(func() { hold(i, nil) })
		}
	}
	held.Wait()
	return settled(all, errs)
}

// settled returns the replies, or an error if none settles the matter and one
// dialogue could not be held.
func settled(all []reply, errs []error) ([]reply, error) {
	all = slices.DeleteFunc(all, func(r reply) bool { return r.by == nil }) // not begun
	if slices.ContainsFunc(all, reply.settles) {
		return all, nil
	}
	return all, errors.Join(errs...)
}

// most returns the reply that says most: words that came unasked, a protocol
// that was understood, the better one first, an answer, an end.
func most(all []reply) reply {
	rank := func(r reply) int {
		switch {
		case r.by.listens && len(r.answer) > 0:
			return 4
		case r.settles():
			return 3
		case r.protocol != Unidentified:
			return 2
		case len(r.answer) > 0:
			return 1
		case r.act == transport.Silent:
			return -1
		}
		return 0
	}
	return slices.MaxFunc(all, func(a, b reply) int { return rank(a) - rank(b) })
}
