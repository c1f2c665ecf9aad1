package harness

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

// within returns a dialer that holds one run of a probe to its bound: what the
// plan says before the first packet is the most that happens.
func within(d transport.Dialer, b probe.Bound) transport.Dialer {
	if d == nil {
		return nil
	}
	return &boundDialer{Dialer: d, bound: b}
}

type boundDialer struct {
	transport.Dialer
	bound         probe.Bound
	dials, logins atomic.Int64
}

// Dial spends one of the connections of the bound.
func (d *boundDialer) Dial(ctx context.Context, addr netip.AddrPort) (transport.Conn, error) {
	if n := d.dials.Add(1); n > int64(d.bound.Connections) {
		return nil, defect{fmt.Errorf("more than the %d connections that the plan announced", d.bound.Connections)}
	}
	return d.Dialer.Dial(ctx, addr)
}

// DialUDP spends one of the connections of the bound too.
func (d *boundDialer) DialUDP(ctx context.Context, addr netip.AddrPort) (transport.Conn, error) {
	if n := d.dials.Add(1); n > int64(d.bound.Connections) {
		return nil, defect{fmt.Errorf("more than the %d connections that the plan announced", d.bound.Connections)}
	}
	return d.Dialer.DialUDP(ctx, addr)
}

// Login spends one of the log-ins of the bound.
func (d *boundDialer) Login(ctx context.Context, service, account string) error {
	if n := d.logins.Add(1); n > int64(d.bound.Logins) {
		return defect{fmt.Errorf("more than the %d log-ins that the plan announced", d.bound.Logins)}
	}
	return d.Dialer.Login(ctx, service, account)
}

// Knock spends as many connections as there are endpoints.
func (d *boundDialer) Knock(ctx context.Context, addrs []netip.AddrPort, patience time.Duration, tell func(i int, err error)) {
	if n := d.dials.Add(int64(len(addrs))); n > int64(d.bound.Connections) {
		err := defect{fmt.Errorf("more than the %d connections that the plan announced", d.bound.Connections)}
		for i := range addrs {
			tell(i, err)
		}
		return
	}
	transport.Knock(ctx, d.Dialer, addrs, patience, tell)
}

// benchWithin returns a bench that holds one run of a probe to its bound: a port
// from which the device connects counts as a connection.
func benchWithin(b probe.Bench, bound probe.Bound) probe.Bench {
	if b == nil {
		return nil
	}
	return &boundBench{bench: b, bound: bound}
}

type boundBench struct {
	bench probe.Bench
	bound probe.Bound
	peers atomic.Int64
}

// ListenUDP spends as many of the connections of the bound as there may be peers.
func (b *boundBench) ListenUDP(ctx context.Context, local netip.AddrPort, peers int, lane func([]byte) int) (transport.Listener, error) {
	if n := b.peers.Add(int64(peers)); n > int64(b.bound.Connections) {
		return nil, defect{fmt.Errorf("more than the %d connections that the plan announced", b.bound.Connections)}
	}
	return b.bench.ListenUDP(ctx, local, peers, lane)
}
