package coapmalformed

import (
	"context"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/internal/comeback"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe sends malformed messages.
var Probe = &probe.Probe[Evidence]{
	Name:    "coap-malformed",
	Version: 1,
	Doc:     "whether CoAP servers survive malformed messages",
	Effect:  probe.Intrusive,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{coapread.Probe, declaration.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// messages is how many of the list are sent to each door.
	messages = coapwire.CorpusSize
	// each bounds one message and the control after it as long as the server is
	// there: three doors that are opened, each with its patience.
	each = 3 * (coapdoor.Patience + coapdoor.LongestCall)
	// longest bounds a door that comes back late after every message.
	longest = messages*(each+comeback.Recovery) + 2*comeback.Ban
	// maxDoors is how many doors coap-read visits.
	maxDoors = 16
	// tries bounds what an account can be asked for: three log-ins, and the one
	// that finds the budget spent.
	tries = 4
)

func bound(t probe.Target) probe.Bound {
	doors := min(maxDoors, coapdoor.Most(t))
	return probe.Bound{
		Time:        time.Duration(doors) * longest,
		Connections: doors * (4*messages + 2*comeback.MostPolls + 8),
		Logins:      doors * tries,
	}
}

// benchWidth is how many doors are besieged side by side on a bench.
const benchWidth = 4

func width(p transport.Pace) int {
	if p == transport.Bench {
		return benchWidth
	}
	return 1
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	read := coapread.Probe.From(in.Evidence)
	accounts := coapguest.New(in, read.Standing)
	e := Evidence{Corpus: coapwire.CorpusVersion}
	doors := read.Doors()
	doors = doors[:min(len(doors), maxDoors)]
	name := func(d coapdoor.Door) string { return d.Endpoint().Name }
	var err error
	e.Doors, err = probe.EachOf(ctx, width(in.Target.Pace), doors, name, func(d coapdoor.Door) (Door, error) {
		a := &assault{in: in, account: accounts.At(d), recovery: comeback.Recovery, ban: comeback.Ban, Door: Door{Way: d, Witness: Witness{Kind: NoWitness}}}
		err := a.run(ctx)
		return a.Door, err
	})
	return e, err
}
