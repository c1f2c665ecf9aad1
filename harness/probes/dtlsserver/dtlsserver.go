package dtlsserver

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe offers each listener one version and kind of suites after the other.
var Probe = &probe.Probe[Evidence]{
	Name:    "dtls-server",
	Version: 1,
	Doc:     "which versions, suites and keys each DTLS listener takes and shows",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{udpservices.Probe},
	Bound:   bound,
	Run:     run,
}

// MostListeners is how many ports are expected to speak DTLS at the most; of more
// the rest is named as missing.
const MostListeners = 4

var errMany = errors.New("more listeners speak DTLS than are looked at")

func bound(t probe.Target) probe.Bound {
	listeners := min(MostListeners, len(t.Addrs)*len(t.UDP))
	return probe.Bound{
		Time:        time.Duration(listeners)*(usual.whole+slowest) + time.Second,
		Connections: listeners * (mostHellos + mostHandshakes),
		Logins:      listeners * mostHandshakes,
	}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	return with(ctx, in, usual)
}

// with looks at every listener with some patience.
func with(ctx context.Context, in probe.Input, p patience) (Evidence, error) {
	s := &tlsserver.Book{}
	name := func(a netip.AddrPort) string { return evidence.UDP(a).Name }
	looked := 0
	found, err := probe.EachOf(ctx, 1, listeners(udpservices.Probe.From(in.Evidence)), name, func(a netip.AddrPort) (Listener, error) {
		if looked++; looked > MostListeners {
			return Listener{}, errMany
		}
		return lookAt(ctx, in, a, p, s)
	})
	return Evidence{Listeners: found, Certificates: s.Certificates()}, err
}

// listeners are the ports that speak DTLS, in the order of the evidence.
func listeners(e udpservices.Evidence) []netip.AddrPort {
	found := e.Of(udpservices.DTLS)
	var addrs []netip.AddrPort
	for _, i := range slices.Sorted(maps.Keys(found)) {
		addrs = append(addrs, found[i].Addr)
	}
	return addrs
}
