package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
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

type absenceKey struct{}

// ExpectAbsence returns a ctx for asking whether a device is back that was
// switched off or may have crashed: that it is silent is what is asked about,
// and neither slows the run down nor ends it.
func ExpectAbsence(ctx context.Context) context.Context {
	return context.WithValue(ctx, absenceKey{}, true)
}

func expected(ctx context.Context) bool {
	absent, _ := ctx.Value(absenceKey{}).(bool)
	return absent
}

// readyFor waits until the device is known to be there, unless that is the
// question.
func (n *Net) readyFor(ctx context.Context) error {
	if expected(ctx) {
		return ctx.Err()
	}
	return n.ready(ctx)
}

// Absent is Did for a device that may be switched off: where nobody answers for
// an address any more, the network says so instead of the device.
func Absent(ctx context.Context, err error) (Act, error) {
	act, err := Did(ctx, err)
	if ctx.Err() == nil && (errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.EHOSTDOWN)) {
		return Silent, nil
	}
	return act, err
}
