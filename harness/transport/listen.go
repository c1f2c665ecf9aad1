package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Listening says what a Listener takes.
type Listening struct {
	// Local is where it listens: one address of this machine, and a port.
	Local netip.AddrPort
	// From are the addresses that it hears. Each has to be in the scope of the
	// run; what comes from elsewhere is counted and not looked at.
	From []netip.Addr
	// Lane tells datagrams apart that one peer sends in several protocols: those
	// of one number have a Conn of their own. Nil puts all into one.
	Lane func(datagram []byte) int
	// Peers is the most Conns that Accept returns in all.
	Peers int
	// Bytes is the most that one Conn may receive, 0 for the limit of the run.
	Bytes int64
}

// A Listener takes datagrams that a device sends of its own accord.
type Listener interface {
	// Accept waits for the first datagram of a peer. The Conn that it returns
	// reads that one first, then what follows from there, a datagram with each
	// Read; what it writes goes there, at the pace of the run. Once it is closed,
	// the next datagram from there makes another one. When the Listener is
	// closed, or its ctx ends, the error is net.ErrClosed or that of the ctx.
	Accept() (Conn, error)
	// Addr is where it listens.
	Addr() netip.AddrPort
	// Heard says how many datagrams were not handed on: those of strangers, and
	// those of the device that came too fast or after the last Conn.
	Heard() (strangers, missed int64)
	// Close ends it. What its Conns have received can still be read.
	Close() error
}

// largestDatagram is the most that UDP carries.
const largestDatagram = 64 << 10

// ListenUDP waits for datagrams at an address of this machine until ctx ends.
// Nothing is sent by that.
func (n *Net) ListenUDP(ctx context.Context, what Listening) (Listener, error) {
	if a := what.Local.Addr(); !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
		return nil, fmt.Errorf("%s is no single address to listen at", what.Local)
	}
	for _, from := range what.From {
		if err := n.scope.check(from); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var config net.ListenConfig
	socket, err := config.ListenPacket(ctx, "udp", what.Local.String())
	if err != nil {
		return nil, err
	}
	udp, ok := socket.(*net.UDPConn)
	local, isAddr := socket.LocalAddr().(*net.UDPAddr)
	if !ok || !isAddr {
		return nil, errors.Join(fmt.Errorf("a socket of type %T", socket), socket.Close())
	}
	l := &listener{
		net: n, ctx: ctx, what: what, udp: udp, local: local.AddrPort(), limit: earlier(end(ctx, time.Now()), n.end),
		peers: map[lane]*peer{}, fresh: make(chan Conn, max(0, what.Peers)), done: make(chan struct{}),
	}
	l.stop = context.AfterFunc(ctx, func() { _ = udp.Close() }) // it may be closed already
	go l.listen()
	return l, nil
}

// A lane is one protocol of one peer.
type lane struct {
	from   netip.AddrPort
	number int
}

type listener struct {
	net   *Net
	ctx   context.Context
	what  Listening
	udp   *net.UDPConn
	local netip.AddrPort
	limit time.Time
	fresh chan Conn     // with room for all that Accept may return
	done  chan struct{} // closed once nothing is read any more
	stop  func() bool

	mu        sync.Mutex
	peers     map[lane]*peer
	made      int // Conns so far
	strangers int64
	missed    int64
	failed    error // why nothing is read any more, nil after Close
	closed    bool
}

// listen hands datagrams on until the socket is closed.
func (l *listener) listen() {
	defer close(l.done)
	buffer := make([]byte, largestDatagram)
	for {
		n, from, err := l.udp.ReadFromUDPAddrPort(buffer)
		if err == nil {
			err = l.take(buffer[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		}
		if err != nil {
			l.end(err)
			return
		}
	}
}

// end wakes all who wait.
func (l *listener) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.failed = err
	}
	for _, p := range l.peers {
		p.in.end()
	}
	close(l.fresh)
}

// take puts a datagram where it belongs.
func (l *listener) take(datagram []byte, from netip.AddrPort) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.ContainsFunc(l.what.From, func(a netip.Addr) bool { return plain(a) == plain(from.Addr()) }) {
		l.strangers++
		return nil
	}
	if len(datagram) == 0 {
		return nil
	}
	at := lane{from: from}
	if l.what.Lane != nil {
		at.number = l.what.Lane(datagram)
	}
	p, err := l.peer(at)
	if err != nil {
		return err
	}
	if p == nil || !p.in.put(datagram) {
		l.missed++
	}
	return nil
}

// peer returns whom a datagram is for, a new one if there is room for it, else
// nil.
func (l *listener) peer(at lane) (*peer, error) {
	if p := l.peers[at]; p != nil || l.made >= l.what.Peers {
		return p, nil
	}
	if err := l.net.spend(); err != nil {
		return nil, err
	}
	l.net.ours.add(l.local, at.from)
	p := &peer{to: at.from, in: newInbox(), l: l, at: at}
	c, err := l.net.wrap(l.ctx, p, l.limit, func() {})
	if err != nil {
		return nil, err
	}
	if l.what.Bytes > 0 {
		c.left.Store(min(l.what.Bytes, c.left.Load()))
	}
	l.peers[at] = p
	l.made++
	l.fresh <- &datagrams{conn: c, net: l.net}
	return p, nil
}

// Accept is part of Listener.
func (l *listener) Accept() (Conn, error) {
	if c, ok := <-l.fresh; ok {
		return c, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ctx.Err() != nil:
		return nil, l.ctx.Err()
	case l.failed != nil:
		return nil, l.failed
	}
	return nil, net.ErrClosed
}

// Addr is part of Listener.
func (l *listener) Addr() netip.AddrPort { return l.local }

// Heard is part of Listener.
func (l *listener) Heard() (strangers, missed int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.strangers, l.missed
}

// Close is part of Listener.
func (l *listener) Close() error {
	l.stop()
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	err := l.udp.Close()
	<-l.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
