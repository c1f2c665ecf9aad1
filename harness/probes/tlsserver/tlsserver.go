package tlsserver

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe looks at each listener that speaks TLS, one connection at a time.
var Probe = &probe.Probe[Evidence]{
	Name:    "tls-server",
	Version: 1,
	Doc:     "which versions, suites and groups each TLS listener takes, and what it shows of itself",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{services.Probe, declaration.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// mostControls is one for each control hello, and two at the end.
	mostControls = 3 + 2
	// perListener is the most connections to one listener.
	perListener = mostControls + mostHellos + 2 + mostConfirmed + mostForward + mostKinds + mostGroups +
		3*hybridTries + 1 + mostHandshakes + mostRenegotiations
	// listenerTime bounds the look at one listener: a hundred answers of a device
	// that takes six seconds for a signature.
	listenerTime = 10 * time.Minute
	// mostSuites bounds the suites of all listeners, so that the record stays
	// within its size: no honest device comes near.
	mostSuites = 4096
)

func bound(t probe.Target) probe.Bound {
	return probe.Bound{Time: time.Duration(t.Open+1) * (listenerTime + patience), Connections: perListener * t.Open}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	b := &book{}
	shares, err := makeShares()
	if err != nil {
		return Evidence{}, err
	}
	var (
		e      Evidence
		missed probe.Partial
		suites int
	)
	for _, s := range services.Probe.From(in.Evidence).Services {
		way, ok := wayOf(s)
		if !ok {
			continue
		}
		k := newLook(in, s, way, b)
		k.shares, k.full = shares, suites >= mostSuites
		err := k.within(ctx)
		if err != nil {
			missed.Missing = append(missed.Missing, evidence.TCP(s.Addr).Name)
			missed.Cause = err
		}
		for _, v := range k.Versions {
			suites += len(v.Suites)
		}
		e.Listeners = append(e.Listeners, k.Listener)
	}
	e.Certificates = b.certificates
	if missed.Cause != nil {
		return e, &missed
	}
	return e, nil
}

// look is the look at one listener.
type look struct {
	Listener
	*asker
	book      *book
	full      bool // whether no more suites fit into the record
	hellos    int  // that listed suites
	flights   int  // of one version that were to be read to the end
	confirmed int  // that asked for suites again
}

func newLook(in probe.Input, s services.Service, way Way, b *book) *look {
	p, refusal := patience, lateRefusal
	if transport.LimitsOf(in.Target.Pace).AtOnce > 1 {
		p, refusal = benchPatience, benchRefusal
	}
	none := Try{Outcome: NotTried, Alert: -1}
	return &look{
		Listener: Listener{Addr: s.Addr, Protocol: s.Protocol, Begins: way, Before: none, After: none, Compression: none},
		asker:    &asker{in: in, service: s, way: way, patience: p, refusal: refusal},
		book:     b,
	}
}

// within looks at the listener in the time that it may take. What was seen
// before an error is kept.
func (k *look) within(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, listenerTime)
	defer cancel()
	err := k.all(limited)
	switch {
	case errors.Is(err, errSilent):
		k.Cut = WentSilent
		return nil
	case errors.Is(err, errMany):
		if k.Cut == Whole {
			k.Cut = TooMany
		}
		return nil
	case err != nil && limited.Err() != nil && ctx.Err() == nil:
		k.Cut = OutOfTime
	}
	return err
}

// all goes through the parts of the look, between two controls.
func (k *look) all(ctx context.Context) error {
	control, err := k.before(ctx)
	if err != nil || k.Cut != Whole {
		return err
	}
	many := k.versions(ctx)
	if many != nil && !errors.Is(many, errMany) {
		return many
	}
	for _, part := range []func(context.Context) error{
		k.choosers, k.confirm, k.forward, k.kinds, k.groups, k.hybrid, k.deflate, k.handshakes, k.renegotiate,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	if err := k.after(ctx, control); err != nil {
		return err
	}
	return many
}

// before sends the control hellos until one is answered, and returns its place.
func (k *look) before(ctx context.Context) (int, error) {
	for i, h := range k.controls() {
		got, err := k.ask(ctx, h, true)
		if err != nil && !errors.Is(err, errSilent) {
			return 0, err
		}
		k.Before = got.Try
		if fits(got) {
			k.Before.Outcome = Accepted
			k.served(got)
			return i, nil
		}
	}
	k.Cut = NoControl
	return 0, nil
}

// after sends the control hello again, twice if it has to be.
func (k *look) after(ctx context.Context, control int) error {
	for range 2 {
		got, err := k.ask(ctx, k.controls()[control], false)
		if err != nil {
			return err
		}
		if k.After = got.Try; fits(got) {
			k.After.Outcome = Accepted
			return nil
		}
	}
	k.Cut = LostControl
	return nil
}

// versions goes from the newest to the oldest and keeps them the other way
// round.
func (k *look) versions(ctx context.Context) error {
	for _, code := range []Code{SSL30, TLS10, TLS11, TLS12, TLS13} {
		k.Versions = append(k.Versions, Version{Code: code, Name: versionName(code), Chooser: NobodyKnown, Complete: evidence.No})
	}
	if k.full {
		return errMany
	}
	var many error
	for i := len(k.Versions) - 1; i >= 0; i-- {
		v, err := k.version(ctx, k.Versions[i].Code)
		k.Versions[i] = v
		if err != nil && !errors.Is(err, errMany) {
			return err
		}
		many = errors.Join(many, err)
	}
	return many
}

// deflate offers compression, in the newest version that knows it.
func (k *look) deflate(ctx context.Context) error {
	v := k.newest(TLS12)
	if v == nil {
		return nil
	}
	h := k.hello(v.Code, codes(v.Suites))
	h.Deflate = true
	got, err := k.ask(ctx, h, false)
	if err != nil {
		return err
	}
	if k.Compression = got.Try; got.Outcome == Accepted {
		k.Deflate = tri(got.hello.Compression == 1)
	}
	return nil
}
