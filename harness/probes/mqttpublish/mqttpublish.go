package mqttpublish

import (
	"context"
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

// Probe sends canaries and looks whom they reach.
var Probe = &probe.Probe[Evidence]{
	Name:    "mqtt-publish",
	Version: 1,
	Doc:     "whom a message of an MQTT broker reaches",
	Effect:  probe.Intrusive,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{declaration.Probe, services.Probe, mqttconnect.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// most is how many exchanges a door gets: two, and a third if these
	// differ.
	most = 3
	// clients is how many clients one exchange needs at most.
	clients = 5
	// longest bounds one exchange: five connections, seven subscriptions,
	// five messages, and what is waited for.
	longest = 150 * time.Second
	// tries bounds what one account can be asked for: three log-ins, and the
	// one that finds the budget spent.
	tries = 4
)

func bound(t probe.Target) probe.Bound {
	doors := mqttdoor.Most(t)
	return probe.Bound{
		Time:        time.Duration(doors*most)*longest + time.Minute,
		Connections: doors * most * clients,
		Logins:      2 * tries,
	}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	book, said := mqttbook.Open(in), declaration.Probe.From(in.Evidence)
	found, err := mqttdoor.Each(ctx, mqttbook.Doors(in.Evidence), func(door mqttdoor.Door) (Doorway, error) {
		return look(ctx, in, door, book.Parties(said, door))
	})
	return Evidence{found}, err
}

// look makes the exchanges at one door.
func look(ctx context.Context, in probe.Input, door mqttdoor.Door, parties []mqttdoor.Party) (Doorway, error) {
	d := Doorway{Door: door}
	if len(parties) > 0 {
		d.A = declaration.Name(parties[0].ID())
	}
	if len(parties) < 2 {
		return d, nil
	}
	d.B = declaration.Name(parties[1].ID())
	for d.needsMore() {
		x := exchange{in: in, door: door, a: parties[0], b: parties[1]}
		if err := x.run(ctx); err != nil {
			return d, err
		}
		d.Exchanges = append(d.Exchanges, x.Exchange)
	}
	return d, nil
}

// needsMore asks for a second exchange, and for a third if two differ. Where a
// log-in is of no use, more of them would not help.
func (d Doorway) needsMore() bool {
	n := len(d.Exchanges)
	if n == 0 {
		return true
	}
	last := d.Exchanges[n-1]
	for _, c := range []Client{last.A, last.B} {
		if o := c.Connection.Outcome; o == mqttdoor.Refused || o == mqttdoor.NotTried && c.Connection.Reason != mqttdoor.NotNeeded {
			return false
		}
	}
	return n == 1 || n == 2 && last.facts() != d.Exchanges[0].facts()
}

// facts are what a second exchange has to show again.
func (e Exchange) facts() [4]evidence.Tri {
	return [4]evidence.Tri{e.AToB.Arrived, e.StrangerToB.Arrived, e.ReaderA.HeardB, e.Stranger.HeardB}
}
