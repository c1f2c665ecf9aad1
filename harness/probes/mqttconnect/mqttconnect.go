package mqttconnect

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe connects to each door with a good log-in, without one, and with random
// ones.
var Probe = &probe.Probe[Evidence]{
	Name:    "mqtt-connect",
	Version: 1,
	Doc:     "whom each MQTT listener lets in, by version of the protocol",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{services.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// looks at a door for a fact, and one more where they differ.
	looks, mostLooks = 2, 3
	// controls are the good log-ins at one door.
	controls = 2
	// perDoor is the most connections to one door.
	perDoor = controls + 2*mostLooks
	// perPath is the most connections to find out whether MQTT is behind a path.
	perPath = 2 + 2
	// each takes this long at the most, the farewell included.
	each = mqttdoor.Patience + time.Second
)

func bound(t probe.Target) probe.Bound {
	n := perDoor*mqttdoor.Most(t) + perPath*len(mqttdoor.Paths())*t.Open
	pause := time.Duration(0)
	if t.PerSecond > 0 {
		pause = time.Second / time.Duration(t.PerSecond)
	}
	return probe.Bound{
		Time:        time.Duration(n+1) * (each + pause),
		Connections: n,
		Logins:      (controls + mostLooks) * mqttdoor.Most(t),
	}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	g := &guest{in: in}
	for _, login := range in.Logins.For("mqtt") {
		g.accounts = append(g.accounts, mqttdoor.NewAccount(login, mqttdoor.Untold))
	}
	found := services.Probe.From(in.Evidence)
	doors := mqttdoor.Doors(found)
	web, missed := g.behindHTTP(ctx, found)
	for _, w := range web {
		doors = append(doors, w.doors()...)
	}
	known, err := mqttdoor.Each(ctx, doors, func(way Way) (Door, error) { return g.knock(ctx, way) })
	return Evidence{known, web}, both(missed, err)
}

// both joins what two parts of the work missed.
func both(a, b error) error {
	first, one := errors.AsType[*probe.Partial](a)
	second, two := errors.AsType[*probe.Partial](b)
	if one && two {
		return &probe.Partial{Missing: slices.Concat(first.Missing, second.Missing), Cause: errors.Join(first.Cause, second.Cause)}
	}
	return errors.Join(a, b)
}

// guest goes from door to door.
type guest struct {
	in       probe.Input
	accounts []*mqttdoor.Account
}

// knock looks at one door. The log-ins are the controls that tell a refusal
// from a door that serves nobody.
func (g *guest) knock(ctx context.Context, way Way) (d Door, err error) {
	d = Door{Way: way, Before: mqttdoor.Untried(NoCredential), After: mqttdoor.Untried(NoCredential)}
	control := g.control()
	if control != nil {
		d.Credential = declaration.Name(control.ID())
		if d.Before, err = control.Try(ctx, g.in, way); err != nil {
			return d, err
		}
	}
	stranger := func() mqttdoor.Client { return mqttdoor.Client{} }
	if d.Anonymous, err = g.look(ctx, way, stranger); err != nil {
		return d, err
	}
	anybody := func() mqttdoor.Client {
		login := mqttdoor.RandomLogin()
		return mqttdoor.Client{Login: &login, Charge: true}
	}
	if d.Random, err = g.look(ctx, way, anybody); err != nil {
		return d, err
	}
	switch {
	case control == nil:
	case d.Before.Outcome != Accepted:
		d.After = mqttdoor.Untried(NotNeeded) // a control that fails once holds nothing up
	default:
		d.After, err = control.Try(ctx, g.in, way)
	}
	return d, err
}

// control returns the first log-in of the device file that no door refused; if
// all were, the last one, which is not tried again.
func (g *guest) control() *mqttdoor.Account {
	for _, a := range g.accounts {
		if a.Standing() != mqttdoor.Spoilt {
			return a
		}
	}
	if n := len(g.accounts); n > 0 {
		return g.accounts[n-1]
	}
	return nil
}

// look knocks twice as somebody, and a third time if the door does not make up
// its mind.
func (g *guest) look(ctx context.Context, way Way, who func() mqttdoor.Client) ([]Answer, error) {
	var answers []Answer
	for len(answers) < looks || len(answers) < mostLooks && answers[0].Outcome != answers[1].Outcome {
		a, err := mqttdoor.Try(ctx, g.in, way, who())
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}
