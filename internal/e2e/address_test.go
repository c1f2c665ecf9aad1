package e2e

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/internal/peers"
)

// ownAddr is a loopback address that no other test of this package uses, and
// no emulated device: these live above 127.64.0.0.
func ownAddr(t testing.TB) netip.Addr {
	t.Helper()
	h := fnv.New32a()
	h.Write([]byte(t.Name()))
	n := h.Sum32()
	a := netip.AddrFrom4([4]byte{127, 32 | byte(n>>16)&31, byte(n >> 8), byte(n)%253 + 1})
	ln, err := net.Listen("tcp", netip.AddrPortFrom(a, 0).String())
	peers.Need(t, err == nil, "it needs a network of loopback addresses")
	require.NoError(t, ln.Close())
	return a
}

// hostPorts are the ports of daemons that listen on every address of the
// machine, and so on a's before a test puts anything there.
func hostPorts(t testing.TB) []uint16 {
	t.Helper()
	var open []uint16
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		b, err := os.ReadFile(table)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		for _, row := range everywhere.FindAllSubmatch(b, -1) {
			port, err := strconv.ParseUint(string(row[1]), 16, 16)
			require.NoError(t, err)
			open = append(open, uint16(port))
		}
	}
	slices.Sort(open)
	return slices.Compact(open)
}

// everywhere is a row of a listener whose address is all zeros; 0A is
// TCP_LISTEN.
var everywhere = regexp.MustCompile(`(?m)^ *\d+: 0+:([0-9A-F]{4}) [0-9A-F:]+ 0A `)

// A server is a listener of a test. Its connections end with it.
type server struct {
	ln      net.Listener
	running sync.WaitGroup
	mu      sync.Mutex
	conns   map[net.Conn]bool // nil once it has ended
}

// serve lets behave attend each connection, side by side.
func serve(ln net.Listener, behave func(net.Conn)) *server {
	s := &server{ln: ln, conns: map[net.Conn]bool{}}
	s.running.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if !s.keep(c) {
				c.Close()
				return
			}
			s.running.Go(func() {
				defer s.drop(c)
				behave(c)
			})
		}
	})
	return s
}

func (s *server) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		return false
	}
	s.conns[c] = true
	return true
}

func (s *server) drop(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// stop ends the server and waits until all of it is gone.
func (s *server) stop() {
	s.ln.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	s.running.Wait()
}

// deviceAt lets behave attend each connection to a free port of an address until
// the test ends.
func deviceAt(t testing.TB, a netip.Addr, port uint16, behave func(net.Conn)) netip.AddrPort {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(context.WithoutCancel(t.Context()), "tcp", netip.AddrPortFrom(a, port).String())
	require.NoError(t, err)
	s := serve(ln, behave)
	t.Cleanup(s.stop)
	return netip.MustParseAddrPort(ln.Addr().String())
}

// localhost is where peers are that need no address of their own.
var localhost = netip.MustParseAddr("127.0.0.1")

// privileged skips the test where ports below 1024 are not to be had.
func privileged(t testing.TB) {
	t.Helper()
	ln, err := net.Listen("tcp", netip.AddrPortFrom(ownAddr(t), 23).String())
	if errors.Is(err, net.ErrClosed) || err == nil {
		require.NoError(t, ln.Close())
		return
	}
	peers.Need(t, false, "it needs ports below 1024: "+err.Error())
}

// join passes on between two connections until either ends.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			defer a.Close()
			defer b.Close()
			_, _ = io.Copy(way[0], way[1]) // the end of either is the end of both
		})
	}
	both.Wait()
}

// portOf is the port of an address as a flag takes it.
func portOf(a netip.AddrPort) string { return strconv.Itoa(int(a.Port())) }
