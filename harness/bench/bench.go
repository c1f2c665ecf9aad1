// Package bench is what the harness offers a device that connects out: sockets at
// addresses of this machine. What a server says there is the business of the
// probe that plays it.
package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/assay-iot/assay/harness/transport"
)

// ErrNotOurs says that a device was set to connect to another machine, for which
// the harness cannot answer.
var ErrNotOurs = errors.New("the address is none of this machine's")

// A Bench listens for one unit.
type Bench struct {
	net  *transport.Net
	unit []netip.Addr
	ours func() ([]net.Addr, error) // the addresses of this machine
}

// New returns a bench on which the unit at these addresses is heard, and nobody
// else.
func New(n *transport.Net, unit []netip.Addr) *Bench {
	return &Bench{n, unit, net.InterfaceAddrs}
}

// mostFromPeer is the most that one port of the device may send to one role, in
// bytes: what an LwM2M client says in a day.
const mostFromPeer = 256 << 10

// ListenUDP is part of probe.Bench.
func (b *Bench) ListenUDP(ctx context.Context, local netip.AddrPort, peers int, lane func([]byte) int) (transport.Listener, error) {
	if err := b.own(local.Addr()); err != nil {
		return nil, fmt.Errorf("%s: %w", local, err)
	}
	l, err := b.net.ListenUDP(ctx, transport.Listening{Local: local, From: b.unit, Lane: lane, Peers: peers, Bytes: mostFromPeer})
	if err != nil {
		return nil, fmt.Errorf("listening at %s: %w", local, err)
	}
	return l, nil
}

// own refuses an address that is not this machine's. The whole loopback range is.
func (b *Bench) own(addr netip.Addr) error {
	if addr.IsLoopback() {
		return nil
	}
	all, err := b.ours()
	if err != nil {
		return fmt.Errorf("listing the addresses of this machine: %w", err)
	}
	same := func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().WithZone("").Unmap() == addr.WithZone("").Unmap()
	}
	if !slices.ContainsFunc(all, same) {
		return ErrNotOurs
	}
	return nil
}
