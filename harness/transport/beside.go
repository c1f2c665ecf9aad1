package transport

import (
	"context"
	"net"
	"net/netip"
)

type besideKey struct{}

// Beside returns a ctx under which a connection takes no turn of its own,
// because the exchange that it belongs to holds one already: what one client of
// a broker does to another is seen only while both are connected. It keeps the
// pace and spends the budget like any other.
func Beside(ctx context.Context) context.Context {
	return context.WithValue(ctx, besideKey{}, true)
}

// turn waits for the right to open a connection and returns what gives it back.
func (n *Net) turn(ctx context.Context) (give func(), err error) {
	if beside, _ := ctx.Value(besideKey{}).(bool); beside {
		return func() {}, nil
	}
	return n.turns.give, n.turns.take(ctx)
}

type fromKey struct{}

// From returns a ctx under which a connection comes from another address of
// ours, so that a device that turned us away can be told from one that is gone.
// The zero value leaves the choice to the system.
func From(ctx context.Context, source netip.Addr) context.Context {
	return context.WithValue(ctx, fromKey{}, source)
}

// source returns where a connection comes from, nil for the system's choice.
func source(ctx context.Context) net.Addr {
	a, _ := ctx.Value(fromKey{}).(netip.Addr)
	if !a.IsValid() {
		return nil
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
}
