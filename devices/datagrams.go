package devices

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/transport/v5/deadline"
)

const (
	// maxPeers caps the senders that a UDP port remembers at a time; what others
	// send meanwhile is lost.
	maxPeers = 2048
	// peerQueue is how many datagrams of one sender wait to be read.
	peerQueue = 64
	// peerIdle is how long a sender is remembered that neither sends nor is sent
	// anything: longer than a client repeats a request, RFC 7252 section 4.8.2.
	peerIdle = 100 * time.Second
	// datagramBytes is the most that a datagram can hold.
	datagramBytes = 1 << 16
)

// A datagrams makes a listener of a UDP socket: each sender is a connection of
// its own.
type datagrams struct {
	socket *net.UDPConn
	fresh  chan net.Conn
	done   chan struct{} // closed when nothing is received any more

	mu    sync.Mutex
	over  bool
	peers map[netip.AddrPort]*peer
}

func newDatagrams(socket *net.UDPConn) *datagrams {
	d := &datagrams{
		socket: socket,
		fresh:  make(chan net.Conn, maxPeers),
		done:   make(chan struct{}),
		peers:  map[netip.AddrPort]*peer{},
	}
	go d.receive()
	return d
}

func (d *datagrams) receive() {
	defer close(d.done)
	buffer := make([]byte, datagramBytes)
	for {
		n, from, err := d.socket.ReadFromUDPAddrPort(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // an ICMP message about an answer of ours
			continue
		}
		if p := d.sender(netip.AddrPortFrom(from.Addr().Unmap(), from.Port())); p != nil {
			p.take(append([]byte(nil), buffer[:n]...))
		}
	}
}

// sender returns the connection of a sender, nil if the datagram is lost.
func (d *datagrams) sender(from netip.AddrPort) *peer {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return nil
	}
	if p, ok := d.peers[from]; ok {
		return p
	}
	if len(d.peers) >= maxPeers {
		return nil
	}
	p := newPeer(d, from)
	select {
	case d.fresh <- p:
		d.peers[from] = p
		return p
	default: // they come faster than they are served
		p.idle.Stop()
		return nil
	}
}

func (d *datagrams) forget(p *peer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.peers[p.from] == p {
		delete(d.peers, p.from)
	}
}

// Accept returns the connection of the next sender.
func (d *datagrams) Accept() (net.Conn, error) {
	select {
	case c := <-d.fresh:
		return c, nil
	case <-d.done:
		return nil, net.ErrClosed
	}
}

// Addr is where the socket is.
func (d *datagrams) Addr() net.Addr { return d.socket.LocalAddr() }

// Close closes the socket, and with it every connection.
func (d *datagrams) Close() error {
	err := d.socket.Close()
	<-d.done
	d.mu.Lock()
	d.over = true
	var all []*peer
	for _, p := range d.peers {
		all = append(all, p)
	}
	d.mu.Unlock()
	for _, p := range all {
		_ = p.Close() // it never fails
	}
	return err
}

// A peer is a connection with one sender of datagrams. Each Read returns one
// datagram, each Write sends one.
type peer struct {
	of    *datagrams
	from  netip.AddrPort
	in    chan []byte
	gone  chan struct{}
	once  sync.Once
	until *deadline.Deadline
	idle  *time.Timer
}

func newPeer(of *datagrams, from netip.AddrPort) *peer {
	p := &peer{of: of, from: from, in: make(chan []byte, peerQueue), gone: make(chan struct{}), until: deadline.New()}
	p.idle = time.AfterFunc(peerIdle, func() { _ = p.Close() })
	return p
}

// take keeps a datagram until it is read. What comes faster than that is lost.
func (p *peer) take(b []byte) {
	p.idle.Reset(peerIdle)
	select {
	case p.in <- b:
	default:
	}
}

// Read returns the next datagram, cut to the length of b.
func (p *peer) Read(b []byte) (int, error) {
	select {
	case got := <-p.in:
		return copy(b, got), nil
	case <-p.gone:
		return 0, net.ErrClosed
	case <-p.until.Done():
		return 0, os.ErrDeadlineExceeded
	}
}

// Write sends one datagram.
func (p *peer) Write(b []byte) (int, error) {
	select {
	case <-p.gone:
		return 0, net.ErrClosed
	default:
	}
	p.idle.Reset(peerIdle)
	return p.of.socket.WriteToUDPAddrPort(b, p.from)
}

// Close forgets the sender.
func (p *peer) Close() error {
	p.once.Do(func() {
		close(p.gone)
		p.idle.Stop()
		p.until.Set(time.Time{})
		p.of.forget(p)
	})
	return nil
}

// LocalAddr is where the socket is.
func (p *peer) LocalAddr() net.Addr { return p.of.socket.LocalAddr() }

// RemoteAddr is where the sender is.
func (p *peer) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(p.from) }

// SetDeadline bounds Read. Write never waits.
func (p *peer) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetReadDeadline bounds Read.
func (p *peer) SetReadDeadline(t time.Time) error {
	p.until.Set(t)
	return nil
}

// SetWriteDeadline does nothing: Write never waits.
func (p *peer) SetWriteDeadline(time.Time) error { return nil }
