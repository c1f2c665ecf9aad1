package devices

import (
	"net"
	"sync"
	"time"
)

const (
	// opening is how long a client may take until it is understood: TLS
	// handshake and first packet. Slow real clients take 3 s.
	opening = 10 * time.Second
	// longest is how long a connection lasts without a packet if its protocol
	// asks for no end, as MQTT without keep-alive does: longer than a run keeps
	// an idle session.
	longest = 2 * time.Hour
)

// A client is one accepted connection. It never waits without a deadline, and
// the device can end it.
type client struct {
	net.Conn
	gone   chan struct{} // closed with the connection
	once   sync.Once
	forget func()
}

// Close ends the connection.
func (c *client) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.forget()
		close(c.gone)
	})
	return err
}

// SetDeadline sets a deadline for reading and writing, one of ours if t is
// none.
func (c *client) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(bounded(t)) }

// SetReadDeadline is SetDeadline for reading.
func (c *client) SetReadDeadline(t time.Time) error { return c.Conn.SetReadDeadline(bounded(t)) }

// SetWriteDeadline is SetDeadline for writing.
func (c *client) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(bounded(t)) }

func bounded(t time.Time) time.Time {
	latest := time.Now().Add(longest)
	if t.IsZero() || t.After(latest) {
		return latest
	}
	return t
}

// reset ends a connection with a TCP reset.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		// The close that follows matters; without this it is an orderly one.
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
