package tcpports

import (
	"context"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe tries each port of the target in two looks.
var Probe = &probe.Probe[Evidence]{
	Name:    "tcp-ports",
	Version: 1,
	Doc:     "which TCP ports accept a connection",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Bound:   bound,
	Run:     run,
}

const (
	// patience bounds one attempt. It is above one second, after which the
	// system sends a lost packet again.
	patience = 1200 * time.Millisecond
	// longPatience bounds an attempt at a port that was silent. By then the
	// system has sent its packet three times.
	longPatience = 3500 * time.Millisecond
	// batch is how many ports are tried between two controls.
	batch = 1024
	// late is how long a silent port of a device on the same network holds up
	// the next one.
	late = 100 * time.Millisecond
	// pending is how many silent ports a wide look waits for at once.
	pending = 400
)

// bound assumes that no port answers, which then is tried twice in each look,
// and that a control is asked after each batch.
func bound(t probe.Target) probe.Bound {
	ports := len(t.Addrs) * len(t.Ports)
	controls := len(t.Addrs) * (ports/batch + 1)
	each := max(pause(t), late)
	if transport.LimitsOf(t.Pace).AtOnce > 1 {
		each = max(pause(t), longPatience/pending)
	}
	tries := 4 * ports
	return probe.Bound{
		Time:        time.Duration(tries)*each + time.Duration(4*controls+4)*longPatience,
		Connections: tries + 4*controls,
	}
}

// pause is the least time between two attempts.
func pause(t probe.Target) time.Duration {
	if t.PerSecond == 0 {
		return 0
	}
	return time.Second / time.Duration(t.PerSecond)
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	s := newSurvey(ctx, in)
	order := shuffled(len(s.ends))
	s.look(0, order)
	s.look(1, backward(order))
	s.lookAgain()
	return s.evidence()
}
