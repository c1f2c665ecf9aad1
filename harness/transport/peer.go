package transport

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// A peer is one lane of one who sends to a listener: the connection below what
// Accept returns.
type peer struct {
	to netip.AddrPort
	at lane
	in *inbox
	l  *listener
}

// Read takes one datagram; what does not fit into b is lost, as with a socket.
func (p *peer) Read(b []byte) (int, error) { return p.in.take(b) }

// Write sends one.
func (p *peer) Write(b []byte) (int, error) { return p.l.udp.WriteToUDPAddrPort(b, p.to) }

// Close forgets the peer: what it sends from now on makes another one.
func (p *peer) Close() error {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	if p.l.peers[p.at] == p {
		delete(p.l.peers, p.at)
	}
	p.in.end()
	return nil
}

// LocalAddr is where the listener listens.
func (p *peer) LocalAddr() net.Addr { return p.l.udp.LocalAddr() }

// RemoteAddr is where the peer sends from.
func (p *peer) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(p.to) }

// SetDeadline sets that for reading; a datagram is written at once.
func (p *peer) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetReadDeadline is part of net.Conn.
func (p *peer) SetReadDeadline(t time.Time) error {
	p.in.deadline(t)
	return nil
}

// SetWriteDeadline is part of net.Conn.
func (*peer) SetWriteDeadline(time.Time) error { return nil }

// mostHeld is how many bytes of datagrams wait to be read: a few flights of a
// handshake. What comes faster is lost, as UDP allows.
const mostHeld = 64 << 10

// An inbox holds datagrams until they are read.
type inbox struct {
	mu    sync.Mutex
	wake  *sync.Cond
	queue [][]byte
	held  int // bytes in queue
	timer *time.Timer
	turn  int  // counts deadlines, so that an old one that goes off late is told
	late  bool // the deadline has passed
	ended bool
}

func newInbox() *inbox {
	i := &inbox{}
	i.wake = sync.NewCond(&i.mu)
	return i
}

// put reports whether there was room.
func (i *inbox) put(datagram []byte) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended || i.held+len(datagram) > mostHeld {
		return false
	}
	i.queue, i.held = append(i.queue, bytes.Clone(datagram)), i.held+len(datagram)
	i.wake.Broadcast()
	return true
}

// take waits for a datagram.
func (i *inbox) take(b []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for {
		switch {
		case i.late:
			return 0, os.ErrDeadlineExceeded
		case len(i.queue) > 0:
			n := copy(b, i.queue[0])
			i.held -= len(i.queue[0])
			i.queue = i.queue[1:]
			return n, nil
		case i.ended:
			return 0, io.EOF
		}
		i.wake.Wait()
	}
}

// deadline wakes those who wait once it has passed, the zero time never.
func (i *inbox) deadline(t time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.timer != nil {
		i.timer.Stop()
		i.timer = nil
	}
	i.turn++
	turn, left := i.turn, time.Until(t)
	i.late = !t.IsZero() && left <= 0
	if !t.IsZero() && left > 0 {
		i.timer = time.AfterFunc(left, func() { i.expire(turn) })
	}
	i.wake.Broadcast()
}

func (i *inbox) expire(turn int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.late = i.late || i.turn == turn
	i.wake.Broadcast()
}

// end lets what waits be read, and nothing more.
func (i *inbox) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	i.wake.Broadcast()
}
