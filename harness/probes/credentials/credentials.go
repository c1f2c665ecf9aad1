package credentials

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-iot/assay/harness/defaults"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttbook"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe tries listed log-ins.
var Probe = &probe.Probe[Evidence]{
	Name:    "credentials",
	Version: 1,
	Doc:     "whether log-ins that devices are known to leave the factory with are let in",
	Effect:  probe.Intrusive,
	Last:    true,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{services.Probe, mqttconnect.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// maxPairs is how many pairs of the list are tried: a list can only
	// refute, and a longer one refutes little more.
	maxPairs = 12
	// mostRandom is how many random pairs a door gets: two, and a third where
	// these differ.
	mostRandom = 3
	// perPair is the most connections that a pair takes at a door: one, again
	// if it was lost, and again if it was accepted; and a control.
	perPair = 4
	// tries bounds what an account can be asked for: three log-ins, and the
	// one that finds the budget spent.
	tries = 4
	// each takes this long at the most, the farewell included.
	each = mqttdoor.Patience + time.Second
)

func bound(t probe.Target) probe.Bound {
	doors := mqttdoor.Most(t)
	connections := doors * (maxPairs*perPair + mostRandom + 4)
	return probe.Bound{
		Time:        time.Duration(connections+1) * each,
		Connections: connections,
		Logins:      (maxPairs+1)*tries + doors*mostRandom,
	}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	list := in.Logins.List("mqtt")
	e := Evidence{List: Defaults, Version: defaults.Version, Listed: len(list)}
	r := &round{in: in, control: mqttbook.Open(in).First(), spent: map[string]bool{}}
	for _, way := range mqttbook.Doors(in.Evidence) {
		r.visits = append(r.visits, &visit{Door: Door{Way: way}})
	}
	r.all(ctx, r.begin)
	for i, pair := range list[:min(len(list), maxPairs)] {
		r.pair(ctx, i, pair)
	}
	r.all(ctx, r.end)
	return r.collect(e)
}

// collect returns the doors that were looked at to the end.
func (r *round) collect(e Evidence) (Evidence, error) {
	var p probe.Partial
	for _, v := range r.visits {
		if v.err == nil {
			e.Doors = append(e.Doors, v.Door)
			continue
		}
		name := v.Way.Endpoint().Name
		p.Missing = append(p.Missing, name)
		p.Cause = fmt.Errorf("%s: %w", name, v.err)
	}
	if p.Cause != nil {
		return e, &p
	}
	return e, nil
}
