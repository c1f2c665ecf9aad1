package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// DialUDP is part of Dialer.
func (n *Net) DialUDP(ctx context.Context, addr netip.AddrPort) (Conn, error) {
	if err := n.scope.check(addr.Addr()); err != nil {
		return nil, err
	}
	if err := n.readyFor(ctx); err != nil {
		return nil, err
	}
	give, err := n.turn(ctx)
	if err != nil {
		return nil, err
	}
	c, err := n.bind(ctx, addr, give)
	if err != nil {
		give()
		return nil, err
	}
	return c, nil
}

// bind opens the socket once a turn is there. Nothing is sent by that.
func (n *Net) bind(ctx context.Context, addr netip.AddrPort, give func()) (Conn, error) {
	if err := n.spend(); err != nil {
		return nil, err
	}
	limit := earlier(end(ctx, time.Now()), n.end)
	d := net.Dialer{LocalAddr: sourceUDP(ctx)}
	udp, err := d.DialContext(ctx, "udp", addr.String())
	if err != nil {
		return nil, err
	}
	local, remote := ends(udp)
	if self(local, remote) {
		return nil, errors.Join(ErrSelf, udp.Close())
	}
	n.ours.add(local, remote)
	c, err := n.wrap(ctx, udp, limit, give)
	if err != nil {
		return nil, err
	}
	return &datagrams{conn: c, net: n}, nil
}

// sourceUDP is source for datagrams.
func sourceUDP(ctx context.Context) net.Addr {
	a, ok := source(ctx).(*net.TCPAddr)
	if !ok {
		return nil
	}
	return net.UDPAddrFromAddrPort(a.AddrPort())
}

// datagrams is a conn of which each Read takes one datagram and each Write
// sends one, at the pace at which connections are opened elsewhere.
type datagrams struct {
	*conn
	net *Net
}

// Write sends b as one datagram.
func (d *datagrams) Write(b []byte) (int, error) { return d.WriteSecret(b, 0, 0) }

// WriteSecret is part of Conn.
func (d *datagrams) WriteSecret(b []byte, offset, length int) (int, error) {
	if err := d.over(); err != nil {
		return 0, err
	}
	if err := wait(d.ctx, d.net.pacer.slot(time.Now())); err != nil {
		return 0, err
	}
	if err := d.SetWriteDeadline(time.Time{}); err != nil { // one for reading may have passed
		return 0, err
	}
	return d.conn.WriteSecret(b, offset, length)
}
