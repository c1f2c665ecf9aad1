package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Step is one part of a procedure. Do and Verify may be cut short; Undo, if
// set, runs after the last step or the first that failed, latest first, even
// when the run was cancelled.
type Step struct {
	Name   string
	Effect Effect
	Do     func(context.Context) error
	Verify func(context.Context) error // nil if Do shows it by itself
	Undo   func(context.Context) error // nil if nothing has to be put back
}

// undoLimit bounds one Undo: a device may take minutes to restart.
const undoLimit = 10 * time.Minute

// errUndoing stands for all steps that a killed run had not finished when it
// was already putting things back: to take them now would be a new procedure.
var errUndoing = errors.New("the run was killed while the procedure was being undone")

// follow takes the steps in order, from where an earlier, killed run left off,
// and then puts back what was begun. What it did not finish is named in a
// *Partial.
func follow(ctx context.Context, in Input, p Info, steps []Step, save func() (json.RawMessage, error)) error {
	f := &follower{in: in, probe: p, save: save}
	if len(in.Resume.Undone) > 0 {
		f.cause = errUndoing
	}
	for _, s := range steps {
		f.step(ctx, s)
	}
	for _, s := range slices.Backward(f.begun) {
		if err := f.restore(ctx, s); err != nil {
			f.missing = append(f.missing, fmt.Sprintf("undo of step %q", s.Name))
			f.cause = errors.Join(f.cause, err)
		}
	}
	if len(f.missing) == 0 {
		return nil
	}
	return &Partial{f.missing, f.cause}
}

type follower struct {
	in    Input
	probe Info
	save  func() (json.RawMessage, error)

	begun   []Step // to be undone
	missing []string
	cause   error
}

// step takes one step, unless an earlier one failed or the killed run had
// finished it.
func (f *follower) step(ctx context.Context, s Step) {
	earlier := f.in.Resume
	if slices.Contains(earlier.Begun, s.Name) {
		f.begun = append(f.begun, s)
	}
	if slices.Contains(earlier.Finished, s.Name) {
		return
	}
	if f.cause == nil {
		f.cause = f.take(ctx, s)
	}
	if f.cause != nil {
		f.missing = append(f.missing, fmt.Sprintf("step %q", s.Name))
	}
}

// take journals a step, takes it, and journals what it brought. A step that was
// begun before the run was killed is taken again, unless it shows by itself
// that it had been done.
func (f *follower) take(ctx context.Context, s Step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.Effect > f.probe.Effect {
		return fmt.Errorf("step %q is %s, and probe %q only %s", s.Name, s.Effect, f.probe.Name, f.probe.Effect)
	}
	again := slices.Contains(f.in.Resume.Begun, s.Name)
	if again && s.Verify != nil && s.Verify(ctx) == nil {
		return f.done(s)
	}
	if err := f.in.Journal.Before(f.in.Target.Unit, f.probe.Name, s.Name); err != nil {
		return err
	}
	if !again {
		f.begun = append(f.begun, s)
	}
	if err := s.Do(ctx); err != nil {
		return err
	}
	if s.Verify != nil {
		if err := s.Verify(ctx); err != nil {
			return err
		}
	}
	return f.done(s)
}

func (f *follower) done(s Step) error {
	data, err := f.save()
	if err != nil {
		return err
	}
	return f.in.Journal.Done(f.in.Target.Unit, f.probe.Name, s.Name, data)
}

// restore undoes a step that the killed run had not undone.
func (f *follower) restore(ctx context.Context, s Step) error {
	if s.Undo == nil || slices.Contains(f.in.Resume.Undone, s.Name) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	if err := s.Undo(ctx); err != nil {
		return err
	}
	return f.in.Journal.Undone(f.in.Target.Unit, f.probe.Name, s.Name)
}
