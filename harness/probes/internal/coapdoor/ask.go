package coapdoor

import (
	"context"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// Ask puts a question until it is answered, at most three times, each a single
// message, with a control before, between and after. The control is the
// listing, or a ping where that is not answered. Of an answer in blocks the
// first is enough. An error says nothing about the device.
func (s *Session) Ask(ctx context.Context, r Request) (Asked, error) {
	r.Once, r.First = true, true
	a := Asked{Exchange: s.blank(r)}
	control, err := s.control(ctx)
	if err != nil {
		return a, err
	}
	if err := s.keep(ctx, &a, control); err != nil {
		return a, err
	}
	for a.Times < Times {
		x, err := s.Do(ctx, r)
		a.Exchange = x
		if err != nil {
			return a, err
		}
		a.Times++
		if err := s.keep(ctx, &a, control); err != nil || x.Outcome != Silent {
			return a, err
		}
	}
	return a, nil
}

// A control is a question whose answer is certain while the server is there.
type control func(ctx context.Context) (Exchange, error)

// control finds one that is answered. Any response to the listing will do.
func (s *Session) control(ctx context.Context) (control, error) {
	list := Request{Path: Core, First: true, Options: []coapwire.Option{coapwire.Block{SZX: controlSize}.Option(coapwire.Block2)}}
	x, err := s.Do(ctx, list)
	if err != nil || x.There() {
		list.Once = true
		return func(ctx context.Context) (Exchange, error) { return s.Do(ctx, list) }, err
	}
	return func(ctx context.Context) (Exchange, error) { return s.ping(ctx, true) }, nil
}

// controlSize is the exponent of the size of what is asked of a listing: 64
// bytes are enough.
const controlSize = 2

// keep makes a control exchange and counts it.
func (s *Session) keep(ctx context.Context, a *Asked, c control) error {
	x, err := c(ctx)
	if err != nil {
		return err
	}
	a.Controls++
	if x.There() {
		a.Kept++
	}
	return nil
}

// Each looks at one door after the other, as probe.Each does at endpoints:
// where look fails, the door is missing from a *probe.Partial.
func Each[T any](ctx context.Context, doors []Door, look func(Door) (T, error)) ([]T, error) {
	return probe.EachOf(ctx, 1, doors, func(d Door) string { return d.Endpoint().Name }, look)
}
