package coapwrite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
)

// writer writes to one resource after the other.
type writer struct {
	e      *Evidence
	values []values
	left   int // resources that nobody writes to
	mask   func([]byte)
	// people are who may do something, the holders first: it is for them that
	// the resource is there.
	people []*person
}

// newWriter finds out what may be written, and who was let in before.
func newWriter(in probe.Input, e *Evidence) *writer {
	w := &writer{e: e, mask: in.Mask}
	w.values, w.left = writable(declaration.Probe.From(in.Evidence))
	for len(e.Resources) < len(w.values) { // fewer than all only if the run just began
		e.Resources = append(e.Resources, Resource{
			Path: []byte(w.values[len(e.Resources)].path), Skipped: NotYet, Format: -1,
		})
	}
	w.people = newPeople(in, coapread.Probe.From(in.Evidence))
	return w
}

// at does something with one resource, and hangs up.
func (w *writer) at(i int, do func(context.Context, values, *Resource) error) func(context.Context) error {
	return func(ctx context.Context) error {
		defer func() {
			for _, p := range w.people {
				p.hangUp()
			}
		}()
		return do(ctx, w.values[i], &w.e.Resources[i])
	}
}

// note finds out what is there, twice, by the first who may read it.
func (w *writer) note(ctx context.Context, v values, r *Resource) error {
	r.Skipped = Unreadable
	for _, p := range w.people {
		first, err := p.get(ctx, v.path)
		if err != nil {
			return err
		}
		if !first.x.Success() || len(first.payload) == 0 {
			continue
		}
		second, err := p.get(ctx, v.path)
		if err != nil {
			return err
		}
		r.Original, r.Format, r.ReadBy = first.stars[:min(len(first.stars), maxValue)], first.x.Format, p.actor
		r.Last = r.Original
		r.Skipped = obstacle(first, second)
		if w.masks(r.Original) {
			r.Skipped = HasSecret
		}
		return nil
	}
	return nil
}

// masks reports whether a value will not be journalled as it is.
func (w *writer) masks(value []byte) bool {
	if w.mask == nil {
		return false
	}
	masked := bytes.Clone(value)
	w.mask(masked)
	return !bytes.Equal(masked, value)
}

// obstacle says why what is there could not be put back.
func obstacle(first, second reading) Reason {
	switch {
	case !bytes.Equal(first.payload, second.payload):
		return Changing
	case first.x.Truncated == evidence.Yes, len(first.payload) > maxValue:
		return TooLong
	case !bytes.Equal(first.payload, first.stars):
		return HasSecret
	}
	return NotYet
}

// write lets the holder write, then strangers at every door, then the holder
// again.
func (w *writer) write(ctx context.Context, v values, r *Resource) error {
	if r.Skipped != NotYet && r.Skipped != Written {
		return nil
	}
	r.Skipped, r.Controls, r.Attempts, r.Restored = Written, nil, nil, evidence.Unknown
	if err := w.control(ctx, v, r); err != nil {
		return err
	}
	for _, p := range w.people {
		if p.actor.Reader != coapread.Stranger {
			continue
		}
		if err := w.attempts(ctx, p, v, r); err != nil {
			return err
		}
	}
	return w.control(ctx, v, r)
}

// control lets the first holder write, if there is one.
func (w *writer) control(ctx context.Context, v values, r *Resource) error {
	if len(w.people) == 0 || w.people[0].actor.Reader != coapread.Holder || r.Restored == evidence.No {
		return nil
	}
	a, err := w.attempt(ctx, w.people[0], v, r)
	r.Controls = append(r.Controls, a)
	return err
}

// attempts lets a stranger write twice, and once more if that differs. What
// could not be put back is not written to again.
func (w *writer) attempts(ctx context.Context, p *person, v values, r *Resource) error {
	var seen []evidence.Tri
	for len(seen) < 2 || len(seen) < tries && seen[0] != seen[1] {
		if r.Restored == evidence.No {
			return nil
		}
		p.hangUp() // so that each is a fresh exchange
		a, err := w.attempt(ctx, p, v, r)
		r.Attempts = append(r.Attempts, a)
		if err != nil {
			return err
		}
		seen = append(seen, a.Changed)
	}
	return nil
}

// attempt writes once, looks what came of it, and puts back what was there.
func (w *writer) attempt(ctx context.Context, p *person, v values, r *Resource) (Attempt, error) {
	value := v.other(r.Original)
	a := Attempt{Actor: p.actor, Value: value, RestoredBy: nobody}
	err := p.put(ctx, v.path, value, r.Format, &a)
	if err != nil {
		return a, err
	}
	if err := w.readBack(ctx, v, r, &a); err != nil {
		return a, err
	}
	if a.Changed == evidence.No {
		a.Restored = evidence.Yes
	} else {
		a.Restored, a.RestoredBy, err = w.restore(ctx, v, r, p)
	}
	r.Restored = a.Restored
	return a, err
}

// other is the first test value that differs from what is there.
func (v values) other(than []byte) []byte {
	i := slices.IndexFunc(v.test, func(t declaration.Text) bool { return string(t) != string(than) })
	return []byte(v.test[i]) // they differ from each other
}

// readBack reads twice what is there.
func (w *writer) readBack(ctx context.Context, v values, r *Resource, a *Attempt) error {
	wrote, same := 0, 0
	for range 2 {
		now, err := w.look(ctx, v, r)
		if err != nil {
			return err
		}
		a.ReadBack = append(a.ReadBack, now.x)
		switch {
		case !now.x.Success():
		case bytes.Equal(now.payload, a.Value):
			wrote++
		case bytes.Equal(now.payload, r.Original):
			same++
		}
	}
	switch {
	case wrote == 2:
		a.Changed = evidence.Yes
	case same == 2:
		a.Changed = evidence.No
	}
	return nil
}

// look reads as who read at first.
func (w *writer) look(ctx context.Context, v values, r *Resource) (reading, error) {
	i := slices.IndexFunc(w.people, func(p *person) bool { return p.actor == r.ReadBy })
	if i < 0 {
		return reading{}, fmt.Errorf("%s at %s is not there any more", r.ReadBy.Reader, r.ReadBy.Door.Endpoint().Name)
	}
	now, err := w.people[i].get(ctx, v.path)
	if err == nil && now.x.Success() {
		r.Last = now.stars[:min(len(now.stars), maxValue)]
	}
	return now, err
}

// restore puts back what was there: as the holder, else as who changed it, else
// as whoever can.
func (w *writer) restore(ctx context.Context, v values, r *Resource, changer *person) (evidence.Tri, Actor, error) {
	order := slices.Clone(w.people)
	if i := slices.Index(order, changer); i > 0 && order[0].actor.Reader != coapread.Holder {
		order[0], order[i] = order[i], order[0]
	} else if i > 1 {
		order[1], order[i] = order[i], order[1]
	}
	for _, p := range order {
		var a Attempt
		if err := p.put(ctx, v.path, r.Original, r.Format, &a); err != nil {
			return evidence.Unknown, nobody, err
		}
		now, err := w.look(ctx, v, r)
		if err != nil {
			return evidence.Unknown, nobody, err
		}
		if now.x.Success() && bytes.Equal(now.payload, r.Original) {
			return evidence.Yes, p.actor, nil
		}
	}
	return evidence.No, nobody, nil
}

// nobody put anything back.
var nobody = Actor{}

// undo sees to it that what was there is there. That it is not is said as
// loudly as can be: the step is missing from the record, by its name.
func (w *writer) undo(ctx context.Context, v values, r *Resource) error {
	if len(r.Original) == 0 || r.Skipped != NotYet && r.Skipped != Written {
		return nil
	}
	now, err := w.look(ctx, v, r)
	if err != nil {
		return err
	}
	r.Restored = evidence.Yes
	if now.x.Success() && bytes.Equal(now.payload, r.Original) {
		return nil
	}
	if r.Restored, _, err = w.restore(ctx, v, r, nil); err != nil {
		return err
	}
	if r.Restored != evidence.Yes {
		return errors.Join(errNotRestored, fmt.Errorf("resource %q holds %q and held %q", v.path, r.Last, r.Original))
	}
	return nil
}

var errNotRestored = errors.New("what was written could not be put back: set it by hand")

// put writes a value, by POST where PUT is not allowed.
func (p *person) put(ctx context.Context, path string, value []byte, format int, a *Attempt) (err error) {
	if a.Put, a.Entry, err = p.send(ctx, coapdoor.PUT, path, value, format); err != nil {
		return err
	}
	a.Post = untried(coapdoor.POST)
	if a.Put.Outcome == coapdoor.Answered && a.Put.Code == "4.05" {
		a.Post, _, err = p.send(ctx, coapdoor.POST, path, value, format)
	}
	return err
}
