package devices

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
)

// A boot is one run of a device, from power-on to power-off.
type boot struct {
	unit    unit
	servers lwm2mServers
	number  int // from 1
	began   time.Time
	gate    *gate

	talks sync.WaitGroup
	mu    sync.Mutex
	over  bool
	// open holds listeners by the name of their service, clients the
	// connections that they took.
	open    map[string][]net.Listener
	clients map[*client]struct{}
	parts   []part
}

// A part of a device runs beside its connections.
type part interface {
	begin() error
	end() error
}

// A service is what answers on one port.
type service struct {
	name  string
	port  uint16              // that it wants
	tls   *tls.Config         // nil is in clear
	speak func(net.Conn)      // talks to one client until that is gone
	udp   bool                // it is a UDP port
	dtls  []dtls.ServerOption // nil is in clear
}

func newBoot(d *Device) *boot {
	return &boot{
		unit:    d.unit,
		servers: d.servers,
		number:  d.boots,
		began:   time.Now(),
		gate:    newGate(d.unit.faults),
		open:    map[string][]net.Listener{},
		clients: map[*client]struct{}{},
	}
}

// begin opens every port, and only then takes connections.
func (b *boot) begin(listen func(service) (net.Listener, error)) error {
	type pair struct {
		service
		net.Listener
	}
	var pairs []pair
	services, parts := b.services()
	for _, s := range services {
		ln, err := listen(s)
		if err != nil {
			return err
		}
		b.open[s.name] = append(b.open[s.name], ln)
		pairs = append(pairs, pair{s, ln})
	}
	for _, p := range parts {
		if err := p.begin(); err != nil {
			return err
		}
		b.parts = append(b.parts, p)
	}
	for _, p := range pairs {
		b.talks.Go(func() { b.accept(p.Listener, p.service) })
	}
	return nil
}

// end closes every port and connection, and waits until nothing runs.
func (b *boot) end() error {
	b.mu.Lock()
	b.over = true
	b.mu.Unlock()
	var errs []error
	for name := range b.open {
		errs = append(errs, b.shut(name))
	}
	b.drop()
	b.talks.Wait()
	for _, p := range b.parts {
		errs = append(errs, p.end())
	}
	return errors.Join(errs...)
}

// shut closes the listeners of a service for the rest of this boot.
func (b *boot) shut(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, ln := range b.open[name] {
		if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// drop ends all connections.
func (b *boot) drop() {
	b.mu.Lock()
	var all []*client
	for c := range b.clients {
		all = append(all, c)
	}
	b.mu.Unlock()
	for _, c := range all {
		_ = c.Close() // it ends either way
	}
}

// breather is how long to wait when the system refuses to accept, as it does
// when there are too many open files.
const breather = 50 * time.Millisecond

func (b *boot) accept(ln net.Listener, s service) {
	for {
		c, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			time.Sleep(breather)
		case !s.udp && !b.gate.admit(s.port, c.RemoteAddr(), time.Now()):
			b.talks.Go(func() { b.refuse(c) })
		default:
			b.talks.Go(func() { b.talk(c, s) })
		}
	}
}

// settle is how long a connection that is refused stands first, so that it was
// open for whoever made it.
const settle = 20 * time.Millisecond

func (b *boot) refuse(raw net.Conn) {
	c := b.track(raw)
	select {
	case <-time.After(settle):
	case <-c.gone:
	}
	reset(raw)
	_ = c.Close() // forgets it
}

// talk serves one connection. Whatever the client does to a service, the others
// go on.
func (b *boot) talk(raw net.Conn, s service) {
	if !s.udp {
		defer b.gate.leave(s.port)
	}
	c := b.track(raw)
	defer c.Close()
	defer func() { _ = recover() }()
	if err := c.SetDeadline(time.Now().Add(opening)); err != nil {
		return
	}
	switch {
	case s.dtls != nil:
		b.unit.speakDTLS(c, s)
		return
	case s.tls == nil:
		s.speak(c)
		return
	}
	inside := tls.Server(c, s.tls)
	if inside.Handshake() == nil {
		s.speak(inside)
		_ = inside.Close() // tells the client; the connection ends either way
	}
}

// track remembers a connection until it is closed. One that came while the
// device went off is closed at once.
func (b *boot) track(raw net.Conn) *client {
	c := &client{Conn: raw, gone: make(chan struct{})}
	c.forget = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.clients, c)
	}
	b.mu.Lock()
	b.clients[c] = struct{}{}
	over := b.over
	b.mu.Unlock()
	if over {
		_ = c.Close()
	}
	return c
}

// up says for how long the device has been on.
func (b *boot) up() string { return fmt.Sprintf("%d s", int(time.Since(b.began).Seconds())) }
