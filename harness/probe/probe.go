// Package probe says what a probe is: code that looks at a device and brings
// evidence back. A probe never judges.
package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/verdict"
)

// A Probe collects evidence of type E, which is stored as JSON and so part of
// the bundle's format. Exactly one of Run, Watch and Steps is set.
type Probe[E any] struct {
	Name    string // stable, words joined by "-"
	Version int    // of E, from 1
	Doc     string // what it looks at, without a full stop
	Effect  Effect
	Basis   verdict.Basis // of a verdict that rests on this evidence alone
	Needs   []Any         // probes whose evidence it reads
	Bound   func(Target) Bound
	// Last says that it comes after all others that do as much to the device,
	// because it may spoil what they look at: a lock-out does.
	Last bool

	// Run makes one bounded exchange. Evidence that comes with a *Partial is
	// kept; any other error means that there is none.
	Run func(context.Context, Input) (E, error)
	// Watch starts before the first probe; the function that it returns stops
	// it after the last one.
	Watch func(context.Context, Input) (stop func(context.Context) (E, error), err error)
	// Steps returns a procedure that fills in the evidence as it goes. What it
	// has brought is journalled after each step, and is in the evidence when a
	// run that was killed goes on.
	Steps func(Input, *E) []Step

	// Upgrade turns evidence of an older version into this one. Without it
	// such evidence is not read.
	Upgrade func(version int, data json.RawMessage) (json.RawMessage, error)
}

// Any is a *Probe[E] of whatever E.
type Any interface {
	Info() Info
	Open(evidence.Record) (evidence.Page, error)
	Begin(context.Context, Input) (End, error)
}

// Info is the part of a probe that does not depend on its evidence type.
type Info struct {
	Name     string
	Version  int
	Doc      string
	Kind     Kind
	Effect   Effect
	Basis    verdict.Basis
	Needs    []Any
	Bound    func(Target) Bound
	Evidence reflect.Type
	Last     bool
}

// An End finishes what Begin began and returns the encoded evidence.
type End func(context.Context) (json.RawMessage, error)

// Info describes p.
func (p *Probe[E]) Info() Info {
	return Info{p.Name, p.Version, p.Doc, p.kind(), p.Effect, p.Basis, p.Needs, p.Bound, reflect.TypeFor[E](), p.Last}
}

func (p *Probe[E]) kind() Kind {
	set := map[Kind]bool{Run: p.Run != nil, Watch: p.Watch != nil, Procedure: p.Steps != nil}
	var kind Kind
	for k, ok := range set {
		switch {
		case ok && kind != 0:
			return 0
		case ok:
			kind = k
		}
	}
	return kind
}

// From returns p's evidence, which a check or probe with p in Needs always has.
func (p *Probe[E]) From(v evidence.View) E { return v.Value(p.Name).(E) }

// Get returns p's evidence, if there is any.
func (p *Probe[E]) Get(v evidence.View) (e E, ok bool) {
	e, ok = v.Value(p.Name).(E)
	return e, ok
}

// At points at a field of p's evidence in v.
func (p *Probe[E]) At(v evidence.View, pointer string, args ...any) evidence.Ref {
	return evidence.Ref{Unit: v.Unit, Probe: p.Name, Pointer: fmt.Sprintf(pointer, args...)}
}

// Open reads a record of p, upgrading it if it is old.
func (p *Probe[E]) Open(r evidence.Record) (evidence.Page, error) {
	data := r.Data
	if r.Version != p.Version {
		if r.Version > p.Version || p.Upgrade == nil {
			return evidence.Page{}, fmt.Errorf("evidence of probe %q has version %d, and only version %d is read", p.Name, r.Version, p.Version)
		}
		upgraded, err := p.Upgrade(r.Version, data)
		if err != nil {
			return evidence.Page{}, fmt.Errorf("upgrading evidence of probe %q from version %d: %w", p.Name, r.Version, err)
		}
		data = upgraded
	}
	e, err := evidence.Decode[E](data)
	if err != nil {
		return evidence.Page{}, fmt.Errorf("reading evidence of probe %q: %w", p.Name, err)
	}
	return evidence.Page{Value: e, Data: data}, nil
}

// Begin starts p. A watch looks from now on, every other kind when it ends.
func (p *Probe[E]) Begin(ctx context.Context, in Input) (End, error) {
	finish := func(ctx context.Context) (E, error) { return p.Run(ctx, in) }
	switch p.kind() {
	case Watch:
		stop, err := p.Watch(ctx, in)
		if err != nil {
			return nil, err
		}
		finish = stop
	case Procedure:
		finish = func(ctx context.Context) (E, error) { return p.proceed(ctx, in) }
	}
	return func(ctx context.Context) (json.RawMessage, error) {
		e, err := finish(ctx)
		if err != nil && !isPartial(err) {
			return nil, err
		}
		data, encodeErr := p.encode(in, e)
		if encodeErr != nil {
			return nil, encodeErr
		}
		return data, err
	}, nil
}

// proceed follows the steps of a procedure, with the evidence that an earlier,
// killed run had brought.
func (p *Probe[E]) proceed(ctx context.Context, in Input) (e E, err error) {
	if in.Resume.Evidence != nil {
		if e, err = evidence.Decode[E](in.Resume.Evidence); err != nil {
			return e, fmt.Errorf("resuming probe %q: %w", p.Name, err)
		}
	}
	save := func() (json.RawMessage, error) { return p.encode(in, e) }
	err = follow(ctx, in, p.Info(), p.Steps(in, &e), save)
	return e, err
}

// encode writes e with every secret of the run masked.
func (p *Probe[E]) encode(in Input, e E) (json.RawMessage, error) {
	data, err := evidence.Encode(evidence.Masked(e, in.Mask))
	if err != nil {
		return nil, fmt.Errorf("writing evidence of probe %q: %w", p.Name, err)
	}
	return data, nil
}

// A Bound is the most that one run of a probe takes, worked out from its target
// before the first packet.
type Bound struct {
	Time        time.Duration `json:"time_ns"`
	Connections int           `json:"connections"`
	Logins      int           `json:"logins"`
	// Bytes is the most that is received, 0 for what the connections and the
	// run may bring.
	Bytes int64 `json:"bytes"`
}
