package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/health"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/result"
)

// A Unit is one device and what probes may use to look at it.
type Unit struct {
	Input   probe.Input  // without Evidence, Stop and Resume, which Collect fills in
	Allowed probe.Effect // the most that may be done to it
}

// A Sink keeps what a run brings. What it has taken is safe: it survives the
// end of the process.
type Sink interface {
	// Record keeps a record before anybody is told of it.
	Record(evidence.Record) error
	// Finished returns the records that an earlier, killed run had brought.
	Finished() evidence.Log
	// Progress returns how far a procedure had come in it.
	Progress(unit, probe string) probe.Progress
}

// Collect runs the plan against each unit in turn and records what came of each
// probe. A probe that would do more than allowed, or whose needs brought
// nothing, does not run; one that breaks is a defect and does not stop the
// others. The error says that the sink could not keep a record: then the run
// ends at once, and nothing may be judged.
func Collect(ctx context.Context, plan []probe.Any, sink Sink, units ...Unit) (evidence.Log, []result.Defect, error) {
	run := &collection{sink: sink, log: slices.Clone(sink.Finished()), asked: ctx}
	for _, u := range units {
		run.collectUnit(ctx, plan, u)
	}
	return run.log, run.defects, run.broken
}

// collection is what all units of a run share.
type collection struct {
	sink    Sink
	asked   context.Context // of the operator, who may interrupt the run
	log     evidence.Log
	defects []result.Defect
	broken  error // of the sink
}

func (r *collection) collectUnit(ctx context.Context, plan []probe.Any, u Unit) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	c := &collector{ctx: ctx, run: r, unit: u, pages: map[string]evidence.Page{}, stop: stop}
	c.unit.Input.Stop = stop
	c.collect(plan)
}

// collector looks at one unit.
type collector struct {
	ctx   context.Context
	run   *collection
	unit  Unit
	pages map[string]evidence.Page // of the probes that brought some
	stop  context.CancelCauseFunc
}

// collect begins the watches, takes the others one by one, and ends the
// watches, the first one last.
func (c *collector) collect(plan []probe.Any) {
	var watches []func()
	for _, p := range plan {
		if c.kept(p) {
			continue
		}
		c.around(p, "before")
		finish := c.begin(p, "")
		if p.Info().Kind == probe.Watch {
			watches = append(watches, func() { c.add(p, finish()) })
			continue
		}
		c.add(p, finish())
		c.around(p, "after")
	}
	for _, finish := range slices.Backward(watches) {
		finish()
	}
}

// kept takes over the record that a killed run had brought of p.
func (c *collector) kept(p probe.Any) bool {
	r, err := c.run.log.Find(c.unit.Input.Target.Unit, p.Info().Name)
	if err != nil {
		return false
	}
	c.read(p, r)
	return true
}

// around records the health of the device before and after a procedure.
func (c *collector) around(p probe.Any, when string) {
	info := p.Info()
	if info.Kind != probe.Procedure || info.Effect > c.unit.Allowed {
		return
	}
	phase := when + ":" + info.Name
	for _, r := range c.run.log {
		if r.Unit == c.unit.Input.Target.Unit && r.Phase == phase {
			return
		}
	}
	c.add(health.Probe, c.begin(health.Probe, phase)())
}

// add keeps r as a judge would read it: a record that nobody could read is
// never called collected. What the operator interrupted is not kept, so that it
// is taken up again when the run is resumed.
func (c *collector) add(p probe.Any, r evidence.Record) {
	if c.run.broken != nil {
		return
	}
	r = c.read(p, r)
	r.Seq = len(c.run.log) + 1
	if c.run.asked.Err() != nil {
		c.run.log = append(c.run.log, r)
		return
	}
	if err := c.run.sink.Record(r); err != nil {
		c.run.broken = fmt.Errorf("keeping the record of probe %q: %w", r.Probe, err)
		c.stop(c.run.broken)
		return
	}
	c.run.log = append(c.run.log, r)
}

// read opens r for the probes that need it.
func (c *collector) read(p probe.Any, r evidence.Record) evidence.Record {
	if !r.HasData() {
		return r
	}
	page, err := p.Open(r)
	if err == nil && len(r.Data) > evidence.MaxRecord {
		err = fmt.Errorf("evidence of %d bytes is larger than a record may be", len(r.Data))
	}
	if err != nil {
		r.Data, r.Missing = nil, nil
		return c.outcome(r, defect{err})
	}
	if r.Phase == "" {
		c.pages[r.Probe] = page
	}
	return r
}

// begin starts p, if it may run, and returns what finishes it.
func (c *collector) begin(p probe.Any, phase string) (finish func() evidence.Record) {
	info := p.Info()
	in := c.input(info)
	r := evidence.Record{
		Unit: in.Target.Unit, Phase: phase, Probe: info.Name, Version: info.Version,
		Effect: info.Effect.String(), Started: time.Now().UTC(),
	}
	if status, reason := c.refusal(info); status != "" {
		return func() evidence.Record { return refuse(r, status, reason) }
	}
	in.Evidence = c.view(info)
	bound := info.Bound(in.Target)
	in.Net, in.Bench = within(in.Net, bound), benchWithin(in.Bench, bound)
	ctx, cancel := c.bounded(info, bound)
	end, err := guard(func() (probe.End, error) { return p.Begin(ctx, in) })
	return func() evidence.Record {
		defer cancel()
		if err == nil {
			r.Data, err = guard(func() (json.RawMessage, error) { return end(c.ending(info, ctx, bound)) })
		}
		r.Took = time.Since(r.Started)
		return c.outcome(r, c.ended(err))
	}
}

// input is what a probe may use, as far as it is known by now.
func (c *collector) input(info probe.Info) probe.Input {
	in := c.unit.Input
	if info.Effect != probe.Passive {
		in.Given = nil
	}
	if info.Kind == probe.Procedure || info.Kind == probe.Watch {
		in.Resume = c.run.sink.Progress(in.Target.Unit, info.Name)
	}
	if page, ok := c.pages[tcpports.Probe.Name]; ok {
		in.Target.Open = min(probe.MaxOpen, len(page.Value.(tcpports.Evidence).OpenAddrs()))
	}
	return in
}

// bounded limits a probe to its bound, which begins now; a watch lasts as long
// as the run does.
func (c *collector) bounded(info probe.Info, b probe.Bound) (context.Context, context.CancelFunc) {
	if info.Kind == probe.Watch {
		return context.WithCancel(c.ctx)
	}
	return context.WithTimeout(c.ctx, b.Time)
}

// ending is the context in which a probe ends: a watch is asked to stop, and
// has its bound for that, also when the run was cut short. Where the operator
// interrupted it, nothing more is kept, and a watch has only to put things away.
func (c *collector) ending(info probe.Info, ctx context.Context, b probe.Bound) context.Context {
	if info.Kind != probe.Watch {
		return ctx
	}
	patience := b.Time
	if c.run.asked.Err() != nil {
		patience = min(patience, putAway)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), patience)
	context.AfterFunc(end, cancel)
	return end
}

// putAway is how long an interrupted watch may take: an operator who has pressed
// Ctrl-C waits for it.
const putAway = 2 * time.Second

// ended adds why the run was cut short to an error that came of it.
func (c *collector) ended(err error) error {
	if cause := context.Cause(c.ctx); err != nil && cause != nil && errors.Is(err, context.Canceled) {
		if partial, ok := errors.AsType[*probe.Partial](err); ok {
			return &probe.Partial{Missing: partial.Missing, Cause: cause}
		}
		return cause
	}
	return err
}

// refusal says why a probe may not run, if so.
func (c *collector) refusal(info probe.Info) (evidence.Status, msg.Text) {
	if err := context.Cause(c.ctx); err != nil {
		return evidence.NotRun, msg.T("the run was cut short: {error}", "error", err)
	}
	if info.Effect > c.unit.Allowed {
		return evidence.NotPermitted, msg.T("probe {probe} was not allowed: it is {effect}", "probe", info.Name, "effect", info.Effect)
	}
	for _, n := range info.Needs {
		if name := n.Info().Name; c.pages[name].Value == nil {
			return evidence.NotRun, msg.T("probe {probe} brought no evidence", "probe", name)
		}
	}
	return "", msg.Text{}
}

// view opens the evidence that a probe needs.
func (c *collector) view(info probe.Info) evidence.View {
	pages := map[string]evidence.Page{}
	for _, n := range info.Needs {
		pages[n.Info().Name] = c.pages[n.Info().Name]
	}
	return evidence.NewView(c.unit.Input.Target.Unit, pages)
}

func (c *collector) outcome(r evidence.Record, err error) evidence.Record {
	partial, isPartial := errors.AsType[*probe.Partial](err)
	d, isDefect := errors.AsType[defect](err)
	switch {
	case err == nil:
		r.Status = evidence.Collected
		return r
	case isPartial:
		r.Missing = partial.Missing
		return refuse(r, evidence.Partial, msg.T("only a part was seen: {cause}", "cause", partial.Cause))
	case isDefect:
		c.run.defects = append(c.run.defects, result.Defect{Where: "probe " + r.Probe, What: d.Error()})
	}
	return refuse(r, evidence.Failed, msg.T("probe {probe} could not do its work: {error}", "probe", r.Probe, "error", err))
}

func refuse(r evidence.Record, s evidence.Status, reason msg.Text) evidence.Record {
	r.Status, r.Reason = s, reason
	return r
}

// A defect is a mistake in this program.
type defect struct{ error }

// guard turns a panic of a probe into a defect.
func guard[T any](f func() (T, error)) (t T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = defect{fmt.Errorf("panic: %v", p)}
		}
	}()
	return f()
}
