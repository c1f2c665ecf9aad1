package services

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe speaks to each open port.
var Probe = &probe.Probe[Evidence]{
	Name:    "services",
	Version: 1,
	Doc:     "which protocol answers on each open TCP port",
	Effect:  probe.Active,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{tcpports.Probe, declaration.Probe},
	Bound:   bound,
	Run:     run,
}

// manner is how a device is spoken to.
type manner struct {
	patience  time.Duration // of one dialogue
	handshake time.Duration // of one that begins with TLS
	wide      bool          // whether dialogues go on side by side
}

const (
	// patience: slow devices answer a greeting within 3 s.
	patience = 4 * time.Second
	// handshakePatience: a signature takes a small device seconds.
	handshakePatience = 10 * time.Second
	// benchPatience: on a bench nothing stands between us and the device, and
	// each silent port costs this once.
	benchPatience = 1500 * time.Millisecond
	// benchPorts is how many ports are spoken to side by side, each in up to
	// five dialogues.
	benchPorts = 12
)

func mannerOf(p transport.Pace) manner {
	if transport.LimitsOf(p).AtOnce > 1 {
		return manner{benchPatience, benchPatience, true}
	}
	return manner{patience, handshakePatience, false}
}

// mostDialogues is the longest way to an answer: every dialogue in plain text,
// TLS twice, every dialogue inside TLS, and the repetition; and before them TLS
// and the log-in of a member.
const mostDialogues = 5 + 2 + 5 + 1 + 2

func bound(t probe.Target) probe.Bound {
	n := mostDialogues * min(t.Open, probe.MaxOpen)
	pause := time.Duration(0)
	if t.PerSecond > 0 {
		pause = time.Second / time.Duration(t.PerSecond)
	}
	return probe.Bound{Time: time.Duration(n+1) * (handshakePatience + pause), Connections: n, Logins: 2 * min(t.Open, probe.MaxOpen)}
}

func run(ctx context.Context, in probe.Input) (Evidence, error) {
	open := tcpports.Probe.From(in.Evidence).OpenAddrs()
	look := &looker{ctx: ctx, dial: in.Net, manner: mannerOf(in.Target.Pace), member: newMember(in)}
	width := 1
	if look.wide {
		width = benchPorts
	}
	name := func(a netip.AddrPort) string { return evidence.TCP(a).Name }
	found, err := probe.EachOf(ctx, width, open[:min(len(open), probe.MaxOpen)], name, look.identify)
	return Evidence{found}, leftOut(err, len(open)-probe.MaxOpen)
}

// leftOut adds to err the ports that nobody looks at.
func leftOut(err error, n int) error {
	if n <= 0 {
		return err
	}
	p, ok := errors.AsType[*probe.Partial](err)
	if !ok {
		p = &probe.Partial{Cause: fmt.Errorf("more than %d open ports", probe.MaxOpen)}
	}
	p.Missing = append(p.Missing, fmt.Sprintf("%d more open ports", n))
	return p
}
