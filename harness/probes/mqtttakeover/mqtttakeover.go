package mqtttakeover

import (
	"context"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttbook"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe comes with a client identifier that is in use.
var Probe = &probe.Probe[Evidence]{
	Name:    "mqtt-takeover",
	Version: 1,
	Doc:     "who may take over the client identifier of an MQTT session",
	Effect:  probe.Intrusive,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{declaration.Probe, services.Probe, mqttconnect.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// most is how many rounds a door gets: two, and a third if these differ.
	most = 3
	// connections is how many a round needs: A's session, four attempts, A
	// again before three of them, and B elsewhere.
	connections = 9
	// longest bounds one round: its connections, two pings before and after
	// each attempt.
	longest = 150 * time.Second
	// tries bounds what one account can be asked for: three log-ins, and the
	// one that finds the budget spent.
	tries = 4
)

func bound(t probe.Target) probe.Bound {
	rounds := mqttdoor.Most(t) * most
	return probe.Bound{
		Time:        time.Duration(rounds)*longest + time.Minute,
		Connections: rounds * connections,
		Logins:      rounds + 2*tries,
	}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	book, said := mqttbook.Open(in), declaration.Probe.From(in.Evidence)
	found, err := mqttdoor.Each(ctx, mqttbook.Doors(in.Evidence), func(door mqttdoor.Door) (Doorway, error) {
		return look(ctx, in, door, book.Identities(said, door))
	})
	return Evidence{found}, err
}

// look makes the rounds at one door.
func look(ctx context.Context, in probe.Input, door mqttdoor.Door, list []*mqttdoor.Account) (Doorway, error) {
	d := Doorway{Door: door}
	if len(list) == 0 {
		return d, nil
	}
	r := round{in: in, door: door, a: list[0]}
	d.A = declaration.Name(list[0].ID())
	if len(list) > 1 {
		r.b = list[1]
		d.B = declaration.Name(list[1].ID())
	}
	for d.needsMore() {
		fresh := r
		if err := fresh.run(ctx); err != nil {
			return d, err
		}
		d.Rounds = append(d.Rounds, fresh.Round)
	}
	return d, nil
}

// needsMore asks for a second round where somebody took the session over, and
// for a third if two differ. What was held needs none: each further one is a
// refused log-in for somebody who did nothing wrong. Where A is not let in, more
// of them would not help.
func (d Doorway) needsMore() bool {
	n := len(d.Rounds)
	if n == 0 {
		return true
	}
	last := d.Rounds[n-1]
	if last.A.Outcome == mqttdoor.Refused || last.A.Outcome == mqttdoor.NotTried {
		return false
	}
	return n == 1 && !last.heldToTheEnd() || n == 2 && last.facts() != d.Rounds[0].facts()
}

// heldToTheEnd reports whether nobody but its owner took the session over.
func (r Round) heldToTheEnd() bool {
	others := []evidence.Tri{r.Random.Held, r.Anonymous.Held}
	if r.B.Connection.Outcome != mqttdoor.NotTried {
		others = append(others, r.B.Held)
	}
	return !slices.ContainsFunc(others, func(h evidence.Tri) bool { return h != evidence.Yes }) && r.Own.Held == evidence.No
}

// facts are what a second round has to show again.
func (r Round) facts() [4]evidence.Tri {
	return [4]evidence.Tri{r.B.Held, r.Random.Held, r.Anonymous.Held, r.Own.Held}
}
