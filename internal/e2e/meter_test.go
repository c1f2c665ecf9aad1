package e2e

import (
	"crypto/tls"
	"io"
	"iter"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A meter stands between the harness and a device, at an address of its own,
// and counts what reaches the device. Where it is told to, it opens TLS: what
// is inside can be counted no other way.
type meter struct {
	addr   netip.Addr
	routes []route

	switching sync.Mutex // held while servers changes
	servers   []*server
	mu        sync.Mutex
	lines     []*line
}

// A route is one port of a meter, and where it leads.
type route struct {
	port uint16
	to   netip.AddrPort
	tls  *tls.Config // nil passes on what comes
}

// A line is one connection that a meter has passed on. The meter holds the
// lock over it.
type line struct {
	Port     uint16
	At       time.Time
	Sent     tap // by the harness
	Received tap // by the harness
}

// newMeter is a meter that passes on until the test ends.
func newMeter(t testing.TB, a netip.Addr, routes ...route) *meter {
	t.Helper()
	m := &meter{addr: a, routes: routes}
	require.NoError(t, m.on())
	t.Cleanup(m.off)
	return m
}

// on opens the ports.
func (m *meter) on() error {
	if len(m.servers) > 0 {
		return nil
	}
	for _, r := range m.routes {
		ln, err := net.Listen("tcp", netip.AddrPortFrom(m.addr, r.port).String())
		if err != nil {
			return err
		}
		m.servers = append(m.servers, serve(ln, func(c net.Conn) { m.pass(c, r) }))
	}
	return nil
}

// off closes the ports and all connections, as a device does that loses its
// power.
func (m *meter) off() {
	for _, s := range m.servers {
		s.stop()
	}
	m.servers = nil
}

// ports are those of the device.
func (m *meter) ports() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for _, r := range m.routes {
			if !yield(r.port) {
				return
			}
		}
	}
}

// deviceConnects bounds a connection to a device in this process.
const deviceConnects = 2 * time.Second

// pass passes one connection on until either end closes it.
func (m *meter) pass(c net.Conn, r route) {
	l := &line{Port: r.port, At: time.Now()}
	m.mu.Lock()
	m.lines = append(m.lines, l)
	m.mu.Unlock()
	up, err := net.DialTimeout("tcp", r.to.String(), deviceConnects)
	if err != nil {
		return
	}
	defer up.Close()
	outer, inner := c, up
	if r.tls != nil {
		server := tls.Server(c, r.tls)
		if server.Handshake() != nil {
			return
		}
		outer, inner = server, tls.Client(up, &tls.Config{InsecureSkipVerify: true}) // it is in this process
	}
	var both sync.WaitGroup
	both.Go(func() { m.copy(inner, outer, &l.Sent) })
	both.Go(func() { m.copy(outer, inner, &l.Received) })
	both.Wait()
}

// copy passes one direction on, and ends both.
func (m *meter) copy(to, from net.Conn, seen *tap) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		m.mu.Lock()
		seen.take(b[:n])
		m.mu.Unlock()
		if _, failed := to.Write(b[:n]); err != nil || failed != nil {
			return
		}
	}
}

// seen returns what has passed so far.
func (m *meter) seen() []line {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]line, len(m.lines))
	for i, l := range m.lines {
		list[i] = *l
	}
	return list
}

// between counts connections that began within a time.
func (m *meter) between(from, to time.Time) int {
	n := 0
	for _, l := range m.seen() {
		if !l.At.Before(from) && !l.At.After(to) {
			n++
		}
	}
	return n
}

var _ io.Writer = (*tap)(nil)
