package coapread

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest"
	"github.com/assay-iot/assay/harness/probes/internal/secretpattern"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe reads at each door.
var Probe = &probe.Probe[Evidence]{
	Name:    "coap-read",
	Version: 1,
	Doc:     "what each CoAP server tells those whom it lets in",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{udpservices.Probe, services.Probe, declaration.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// maxDoors bounds how many doors are visited: a small device has one server
	// with a few. The others are named as missing.
	maxDoors = 8
	// maxResources bounds how many are asked for, the listing included.
	maxResources = 48
	// maxPath bounds a path, in bytes: nobody names a resource at such length.
	maxPath = 128
	// rounds are fresh exchanges, readers those at one door.
	rounds, readers = 2, 2
	// maxEntries is how often a reader enters a door in one round: some servers
	// hang up when they refuse.
	maxEntries = 8
	// roundLimit bounds a round: enough for every resource at every door but
	// where silence has to be waited out.
	roundLimit = 5 * time.Minute
	// lastExchange bounds one exchange, all blocks of it included, and so what is
	// under way when the time of a round is over.
	lastExchange = 30 * time.Second
)

func bound(t probe.Target) probe.Bound {
	visits := readers * min(maxDoors, coapdoor.Most(t))
	return probe.Bound{
		Time:        (1 + rounds) * (roundLimit + time.Duration(visits+1)*2*lastExchange),
		Connections: visits*(rounds*maxEntries+1) + t.Open,
		Logins:      visits * rounds,
	}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	return (&visitors{in: in, limit: roundLimit}).run(ctx)
}

// visitors are all readers at all doors.
type visitors struct {
	in     probe.Input
	limit  time.Duration // of a round
	guests []*guest
	found  *found
	gaps   probe.Partial
}

func (v *visitors) run(ctx context.Context) (Evidence, error) {
	e := Evidence{Patterns: secretpattern.Version}
	e.Web = v.invite(ctx)
	v.found = declared(declaration.Probe.From(v.in.Evidence))
	begun := time.Now()
	v.each(func(g *guest) error {
		if time.Since(begun) > v.limit {
			return errSlow
		}
		return g.list(ctx, v.found)
	})
	e.Resources = v.found.list
	if more := len(v.found.unasked); more > 0 {
		v.miss(fmt.Sprintf("%d more resources", more), fmt.Errorf("more than %d resources", maxResources))
	}
	for range rounds {
		v.round(ctx, e.Resources)
	}
	for _, g := range v.guests {
		e.Visits = append(e.Visits, g.Visit)
	}
	if v.gaps.Cause != nil {
		return e, &v.gaps
	}
	return e, nil
}

// miss names what was not seen, and why.
func (v *visitors) miss(what string, why error) {
	v.gaps.Missing = append(v.gaps.Missing, what)
	v.gaps.Cause = fmt.Errorf("%s: %w", what, why)
}

// invite finds who reads where.
func (v *visitors) invite(ctx context.Context) []Web {
	doors := coapdoor.Doors(udpservices.Probe.From(v.in.Evidence), services.Probe.From(v.in.Evidence))
	web, more := v.overWeb(ctx)
	doors = append(doors, more...)
	if n := len(doors) - maxDoors; n > 0 {
		doors = doors[:maxDoors]
		v.miss(fmt.Sprintf("%d more doors", n), fmt.Errorf("more than %d doors", maxDoors))
	}
	accounts := coapguest.New(v.in, coapguest.Untold)
	for i, d := range doors {
		v.guests = append(v.guests, newGuest(&coapguest.Guest{In: v.in, Door: d, Beside: i > 0}))
		if a := accounts.At(d); a != nil {
			v.guests = append(v.guests, newGuest(&coapguest.Guest{In: v.in, Door: d, Account: a, Beside: true}))
		}
	}
	return web
}

// overWeb asks each HTTP listener for CoAP over WebSocket.
func (v *visitors) overWeb(ctx context.Context) (all []Web, doors []Door) {
	for _, s := range services.Probe.From(v.in.Evidence).Services {
		if s.Protocol != services.HTTP {
			continue
		}
		d := Door{Addr: s.Addr, Transport: coapdoor.WS, Path: coapdoor.WellKnown}
		if s.TLS == evidence.Yes {
			d.Transport = coapdoor.WSS
		}
		session, entry, err := coapdoor.Open(ctx, v.in, d, coapdoor.Client{Stay: time.Second})
		if err != nil {
			v.miss(d.Endpoint().Name, err)
			continue
		}
		if session != nil {
			session.Close()
			doors = append(doors, d)
		}
		all = append(all, Web{d, entry})
	}
	return all, doors
}

// each does something with every guest with whom all went well so far.
func (v *visitors) each(do func(*guest) error) {
	for _, g := range v.guests {
		if g.lost || g.done {
			continue
		}
		if err := do(g); err != nil {
			g.lost = true
			v.miss(g.name(), err)
		}
	}
}

// round asks for one resource after the other, each of everybody in turn. What
// is protected is asked for first.
func (v *visitors) round(ctx context.Context, resources []Resource) {
	defer v.leave()
	begun := time.Now()
	v.each(func(g *guest) error { return g.begin(ctx) })
	for _, r := range resources {
		for _, turn := range []Reader{Holder, Stranger} {
			v.each(func(g *guest) error {
				if g.Reader != turn || time.Since(begun) > v.limit {
					return nil
				}
				return g.read(ctx, string(r.Path))
			})
		}
	}
	v.slow(len(resources))
	v.each(func(g *guest) error { return g.end(ctx) })
}

// slow names those who had more to ask than there was time. What they did ask
// for stands.
func (v *visitors) slow(resources int) {
	for _, g := range v.guests {
		if g.lost || g.done || g.round().Entry.Outcome != coapdoor.Opened {
			continue
		}
		if left := resources - len(g.round().Reads); left > 0 {
			v.miss(fmt.Sprintf("%d resources at %s", left, g.name()), errSlow)
		}
	}
}

var errSlow = errors.New("the device was too slow to be asked for everything")

func (v *visitors) leave() {
	for _, g := range v.guests {
		g.leave()
	}
}
