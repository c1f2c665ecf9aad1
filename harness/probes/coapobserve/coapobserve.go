package coapobserve

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe registers as an observer, waits, and gives the registration back.
var Probe = &probe.Probe[Evidence]{
	Name:    "coap-observe",
	Version: 1,
	Doc:     "to whom each CoAP server sends notifications",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{coapread.Probe, declaration.Probe},
	Bound:   bound,
	Run:     run,
}

// manner is how long a server is waited for.
type manner struct {
	wait time.Duration // for a notification
	tick time.Duration // between looking at one registration and the next
}

// patient is the manner of every run. Sensors report every few seconds to once
// a minute.
var patient = manner{wait: time.Minute, tick: 200 * time.Millisecond}

const (
	// maxVisits bounds who registers: eight doors, two readers each.
	maxVisits = 16
	// maxResources bounds the registrations of one reader: each takes memory of
	// a small device.
	maxResources = 16
	rounds       = 2
	// register bounds registering and giving back one resource, and aside what
	// a reader takes to be let in.
	register, aside = 20 * time.Second, 30 * time.Second
)

// longest is the longest that one round takes.
func (m manner) longest() time.Duration { return m.wait + maxResources*register + aside }

func bound(t probe.Target) probe.Bound {
	visits := min(maxVisits, 2*coapdoor.Most(t))
	return probe.Bound{
		Time:        rounds * time.Duration(visits+1) * patient.longest(),
		Connections: rounds * visits,
		Logins:      rounds * visits,
	}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) { return observe(ctx, in, patient) }

// observe makes the rounds.
func observe(ctx context.Context, in probe.Input, m manner) (Evidence, error) {
	read := coapread.Probe.From(in.Evidence)
	var gaps probe.Partial
	miss := func(what string, why error) {
		gaps.Missing = append(gaps.Missing, what)
		gaps.Cause = fmt.Errorf("%s: %w", what, why)
	}
	paths := observable(read, declaration.Probe.From(in.Evidence))
	if more := len(paths) - maxResources; more > 0 {
		paths = paths[:maxResources]
		miss(fmt.Sprintf("%d more resources", more), fmt.Errorf("more than %d resources to observe", maxResources))
	}
	observers := newObservers(in, m, read)
	for range rounds {
		round(ctx, observers, paths)
	}
	var e Evidence
	for _, o := range observers {
		e.Visits = append(e.Visits, o.Visit)
		if o.err != nil {
			miss(o.name(), o.err)
		}
	}
	if gaps.Cause != nil {
		return e, &gaps
	}
	return e, nil
}

// observable returns the paths to observe: those that a listing marks, and those
// that the device file names, unless it says that they are not observable.
func observable(read coapread.Evidence, said declaration.Evidence) []string {
	not := map[string]bool{}
	for _, s := range said.Services {
		for _, r := range s.CoAP.Resources {
			not[string(r.Path)] = r.Observable == evidence.No
		}
	}
	var paths []string
	for _, r := range read.Resources {
		path := string(r.Path)
		if path != coapread.Core && (r.Observable == evidence.Yes || r.Declared == evidence.Yes && !not[path]) {
			paths = append(paths, path)
		}
	}
	return paths
}

// newObservers returns those who register: who read before.
func newObservers(in probe.Input, m manner, read coapread.Evidence) []*observer {
	accounts := coapguest.New(in, read.Standing)
	var all []*observer
	for i, v := range read.Visits[:min(len(read.Visits), maxVisits)] {
		g := &coapguest.Guest{In: in, Door: v.Door, Beside: i > 0}
		if v.Reader == coapread.Holder {
			g.Account = accounts.At(v.Door)
		}
		all = append(all, &observer{Visit: Visit{Door: v.Door, Reader: v.Reader, Credential: v.Credential}, guest: g, manner: m})
	}
	return all
}

// round lets one after the other register, all wait at the same time, and one
// after the other give its registrations back.
func round(ctx context.Context, observers []*observer, paths []string) {
	var ready []*observer
	for _, o := range observers {
		if o.err != nil {
			continue
		}
		defer o.leave()
		if o.err = o.register(ctx, paths); o.err == nil && o.session != nil {
			ready = append(ready, o)
		}
	}
	var waiting sync.WaitGroup
	for _, o := range ready {
		waiting.Go(func() { o.err = o.await(ctx) })
	}
	waiting.Wait()
	for _, o := range ready {
		if o.err == nil && ctx.Err() == nil { // else closing the session gives back what there is
			o.err = o.cancel(ctx)
		}
	}
}
