package powercycle

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe cuts the power and gives it back.
var Probe = &probe.Probe[Evidence]{
	Name:    "power-cycle",
	Version: 1,
	Doc:     "whether the device comes back from a power cut as it was",
	Effect:  probe.Disruptive,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{tcpports.Probe, services.Probe},
	Bound:   bound,
	Steps:   steps,
}

const (
	// quietWithin is how long a device may go on answering after its power was
	// cut: some live on a capacitor for a while.
	quietWithin = 60 * time.Second
	// backWithin is how long a device may take to start.
	backWithin = 300 * time.Second
	// pollEvery is how often the ports are asked meanwhile.
	pollEvery = 2 * time.Second
	// settle gives what starts last a moment more.
	settle = time.Second
	// patience bounds one connection: a device that is up accepts within
	// seconds, and one that is off does not answer at all.
	patience = 3 * time.Second
	// hands is what a person may take to pull a plug.
	hands = 10 * time.Minute
	// shake bounds one handshake: a small device takes seconds for its
	// signature.
	shake = 8 * time.Second
	// late is how long a silent port holds up the next one.
	late = 100 * time.Millisecond
)

const (
	looks   = 2       // before, and after
	perPort = 1 + 2*2 // connections of one look at one port: itself, and two clients at two doors
	polls   = int((quietWithin + backWithin) / pollEvery)
)

func bound(t probe.Target) probe.Bound {
	ports := looks * len(t.Addrs) * len(t.Ports)
	each := late
	if t.PerSecond > 0 {
		each = max(each, time.Second/time.Duration(t.PerSecond))
	}
	one := 2*looks*(patience+shake+4*(mqttdoor.Patience+time.Second)) + time.Duration(polls+4)*patience
	return probe.Bound{
		Time:        2*hands + quietWithin + backWithin + time.Duration(t.Open+1)*one + time.Duration(ports)*each,
		Connections: t.Open*(2*looks*perPort+polls+4) + ports,
		Logins:      2 * looks * mqttdoor.Most(t),
	}
}

var errNobody = errors.New("nobody can switch the power of the device: run it from the lab, or with a person at the terminal")

// steps are what is done. The power is given back whatever happens.
func steps(in probe.Input, e *Evidence) []probe.Step {
	c := &cycle{in: in, e: e, ports: tcpports.Probe.From(in.Evidence), spoke: services.Probe.From(in.Evidence)}
	return []probe.Step{
		{Name: "look before", Effect: probe.Active, Do: c.before},
		{Name: "cut the power", Effect: probe.Disruptive, Do: c.power(false), Verify: c.quiet, Undo: c.power(true)},
		{Name: "give the power back", Effect: probe.Disruptive, Do: c.power(true), Verify: c.back},
		{Name: "look after", Effect: probe.Active, Do: c.after},
	}
}

// A cycle is a power cut in its course.
type cycle struct {
	in    probe.Input
	e     *Evidence
	ports tcpports.Evidence
	spoke services.Evidence
}

// power switches the device on or off.
func (c *cycle) power(on bool) func(context.Context) error {
	return func(ctx context.Context) error {
		if c.in.Operator == nil {
			return errNobody
		}
		ctx, cancel := context.WithTimeout(ctx, hands)
		defer cancel()
		return c.in.Operator.Power(ctx, on)
	}
}

// before looks at the device as it is.
func (c *cycle) before(ctx context.Context) (err error) {
	if c.in.Operator == nil {
		return errNobody
	}
	c.e.Before, err = c.twice(ctx)
	return err
}

// after looks at the device as it came back, and at the ports that were closed.
func (c *cycle) after(ctx context.Context) (err error) {
	if err := pause(ctx, settle); err != nil {
		return err
	}
	if c.e.After, err = c.twice(ctx); err != nil {
		return err
	}
	c.e.Opened, c.e.Tried, err = c.opened(ctx)
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// act is how an address answers, if at all. That it does not is what is asked.
func (c *cycle) act(ctx context.Context, dial func(context.Context) error) (transport.Act, error) {
	return transport.Absent(ctx, dial(transport.Within(transport.ExpectAbsence(ctx), patience)))
}
