// Package health asks a device whether it still answers, before and after a
// procedure.
package health

import (
	"context"
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Evidence holds one entry for each open port, in the order of tcp-ports.
type Evidence struct {
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is how one open port took a connection.
type Endpoint struct {
	Addr    netip.AddrPort `json:"addr"`
	Accepts evidence.Tri   `json:"accepts"`
	Took    time.Duration  `json:"took_ns"`
}

// Probe opens one connection to each open port.
var Probe = &probe.Probe[Evidence]{
	Name:    "health",
	Version: 1,
	Doc:     "whether the open ports still accept a connection",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{tcpports.Probe},
	Bound:   bound,
	Run:     run,
}

// patience bounds one connection: a device that is up accepts within seconds.
const patience = 3 * time.Second

func bound(t probe.Target) probe.Bound {
	return probe.Bound{Time: time.Duration(t.Open+1) * patience, Connections: t.Open}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	open := tcpports.Probe.From(in.Evidence).OpenAddrs()
	found, err := probe.Each(ctx, open[:min(len(open), probe.MaxOpen)], func(addr netip.AddrPort) (Endpoint, error) {
		return ask(ctx, in.Net, addr)
	})
	return Evidence{found}, err
}

func ask(ctx context.Context, d transport.Dialer, addr netip.AddrPort) (Endpoint, error) {
	attempt, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	begun := time.Now()
	c, err := d.Dial(attempt, addr)
	if err == nil {
		err = c.Close()
	}
	e := Endpoint{Addr: addr, Took: time.Since(begun), Accepts: evidence.No}
	act, err := transport.Did(ctx, err)
	if act == transport.Answered {
		e.Accepts = evidence.Yes
	}
	return e, err
}
