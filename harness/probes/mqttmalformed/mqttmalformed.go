package mqttmalformed

import (
	"context"
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/comeback"
	"github.com/assay-iot/assay/harness/probes/internal/mqttbook"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe sends malformed packets.
var Probe = &probe.Probe[Evidence]{
	Name:    "mqtt-malformed",
	Version: 1,
	Doc:     "whether MQTT brokers survive malformed packets",
	Effect:  probe.Intrusive,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{services.Probe, mqttconnect.Probe},
	Bound:   bound,
	Run:     run,
}

const (
	// packets is how many of the list are sent: one of each kind of mistake.
	packets  = 40
	recovery = comeback.Recovery
	ban      = comeback.Ban
	// each bounds one packet and the control after it as long as the broker
	// is there: three connections, each with its patience.
	each = 3 * (mqttdoor.Patience + time.Second)
	// longest bounds a listener that comes back late after every packet.
	longest = packets*(each+recovery+2*mqttdoor.Patience) + 2*ban
	// tries bounds what an account can be asked for: three log-ins, and the
	// one that finds the budget spent.
	tries = 4
)

func bound(t probe.Target) probe.Bound {
	return probe.Bound{
		Time:        time.Duration(t.Open) * longest,
		Connections: t.Open * (2*packets + 4*comeback.MostPolls + 8),
		Logins:      t.Open * (2*tries + 2),
	}
}

// benchWidth is how many listeners are besieged side by side on a bench.
const benchWidth = 4

func width(p transport.Pace) int {
	if p == transport.Bench {
		return benchWidth
	}
	return 1
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	book := mqttbook.Open(in) // one for all listeners: it counts the log-ins
	e := Evidence{Corpus: mqttwire.CorpusVersion}
	doors := mqttdoor.Doors(services.Probe.From(in.Evidence))
	tls := map[netip.AddrPort]mqttdoor.Door{}
	var addrs []netip.AddrPort
	for _, d := range doors {
		if _, known := tls[d.Addr]; !known {
			addrs = append(addrs, d.Addr)
		}
		tls[d.Addr] = d
	}
	var err error
	name := func(a netip.AddrPort) string { return evidence.TCP(a).Name }
	e.Listeners, err = probe.EachOf(ctx, width(in.Target.Pace), addrs, name, func(addr netip.AddrPort) (Listener, error) {
		s := &siege{in: in, book: book, Listener: Listener{Addr: addr, TLS: tls[addr].TLS}}
		err := s.run(ctx)
		return s.Listener, err
	})
	return e, err
}
