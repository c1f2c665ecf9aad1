package devices

import (
	"net"
	"sync"
)

// A handover is a listener for a server from a library, which gets connections
// that others accepted.
type handover struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newHandover() *handover {
	return &handover{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// speak hands a connection over and waits until it is done with.
func (h *handover) speak(c net.Conn) {
	done := &awaited{Conn: c, gone: make(chan struct{})}
	select {
	case h.conns <- done:
		<-done.gone
	case <-h.closed:
	}
}

// Accept returns the next connection.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Addr is part of net.Listener.
func (h *handover) Addr() net.Addr { return &net.TCPAddr{} }

// Close stops Accept.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// An awaited connection tells when it was closed.
type awaited struct {
	net.Conn
	gone chan struct{}
	once sync.Once
}

// Close closes the connection.
func (a *awaited) Close() error {
	err := a.Conn.Close()
	a.once.Do(func() { close(a.gone) })
	return err
}
