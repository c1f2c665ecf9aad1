package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

// say writes a line about what is going on to standard error.
func (a *app) say(format string, args ...any) {
	if !a.flags.quiet {
		fmt.Fprintf(a.notes(), format+"\n", args...)
	}
}

// notes is standard error, with the line of progress out of the way.
func (a *app) notes() io.Writer {
	if a.line != nil {
		return a.line
	}
	return a.Err
}

// tell says what came of a probe.
func (a *app) tell(r evidence.Record) {
	switch {
	case r.Status == evidence.Collected && a.flags.verbose == 0:
	case r.Status == evidence.Collected:
		a.say("assay: %s: collected in %s", r.Probe, seconds(r.Took))
	default:
		a.say("assay: %s: %s: %s", r.Probe, r.Status, oneLine(r.Reason.String()))
	}
}

// progress is one line on a terminal that is written anew while a run lasts:
// which probe is at work, and for how long. What else is written to the
// terminal goes through it.
type progress struct {
	out io.Writer
	now func() time.Time

	mu    sync.Mutex
	what  string // empty: no probe has begun
	since time.Time
	held  int // how many ask somebody something
	shown bool
}

// redraw is how often the line is written anew: a clock that people watch.
const redraw = 250 * time.Millisecond

// watch shows the progress of a run until the function that it returns is
// called. It does so only if somebody can see it.
func (a *app) watch() (stop func()) {
	if !a.Progress || a.flags.quiet || a.Getenv("TERM") == "dumb" {
		return func() {}
	}
	a.line = &progress{out: a.Err, now: a.Now}
	ctx, cancel := context.WithCancel(context.WithoutCancel(a.ctx))
	var done sync.WaitGroup
	done.Go(func() { a.line.run(ctx) })
	return func() {
		cancel()
		done.Wait()
		a.line = nil
	}
}

func (p *progress) run(ctx context.Context) {
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.draw()
		case <-ctx.Done():
			p.mu.Lock()
			defer p.mu.Unlock()
			p.clear()
			return
		}
	}
}

// begin names the probe that is at work from now on.
func (p *progress) begin(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.since = what, p.now()
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.what == "" || p.held > 0 {
		return
	}
	p.clear()
	fmt.Fprintf(p.out, "%s  %s", p.what, seconds(p.now().Sub(p.since)))
	p.shown = true
}

// clear takes the line away. The caller holds p.mu.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}

// Write writes whole lines in the place of the progress.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	return p.out.Write(b)
}

// hold keeps the progress away until the function that it returns is called.
func (p *progress) hold() (release func()) {
	add := func(n int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.held += n
	}
	add(1)
	return func() { add(-1) }
}

// watched tells the line of progress when a probe begins.
type watched struct {
	probe.Any
	line *progress
}

// Begin begins the probe.
func (w watched) Begin(ctx context.Context, in probe.Input) (probe.End, error) {
	w.line.begin(w.Info().Name)
	return w.Any.Begin(ctx, in)
}

// show makes the probes of a plan tell when they begin.
func (a *app) show(plan []probe.Any) []probe.Any {
	if a.line == nil {
		return plan
	}
	var all []probe.Any
	for _, p := range plan {
		all = append(all, watched{p, a.line})
	}
	return all
}
