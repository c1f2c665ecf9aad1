package peers

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// readyWithin is how long a peer may take until it accepts: the slowest
	// makes keys first, on a machine that runs all other tests as well.
	readyWithin = 20 * time.Second
	// pollEvery is the pause between two looks at a port that refuses yet.
	pollEvery = 10 * time.Millisecond
	// stopWithin is how long a peer may take to end when asked; then it is
	// killed.
	stopWithin = 3 * time.Second
	// attempts is how often a peer is started that ends at once: another
	// process can take a free port between our look and its use.
	attempts = 3
	// tailBytes is how much of a peer's output a failed test shows.
	tailBytes = 8 << 10
)

// errEnded says that a program was gone before it accepted.
var errEnded = errors.New("it ended before it accepted a connection")

// Spec says how a program of the unpacked tree is run.
type Spec struct {
	// Name is what messages call it.
	Name string
	// Program is its path in the unpacked tree, such as usr/sbin/nginx.
	Program string
	// Dir is where it runs and writes; if empty, a temporary folder.
	Dir string
	// Listen is where it will listen on TCP. No address means 127.0.0.1, port
	// 0 a free port, and an empty list one of both.
	Listen []netip.AddrPort
	// Env is added to its environment, as KEY=VALUE.
	Env []string
	// Setup writes what the program reads into the folder and returns its
	// arguments. It runs once for each attempt to start.
	Setup func(Room) ([]string, error)
}

// Room is what a peer is given to live in.
type Room struct {
	// Dir is its folder.
	Dir string
	// Addrs are the addresses to listen on, in the order of Spec.Listen.
	Addrs []netip.AddrPort
}

// Path is the path of a file in the folder.
func (r Room) Path(name string) string { return filepath.Join(r.Dir, name) }

// Write writes a file into the folder, readable by its owner alone: servers
// refuse keys and password files that others can read.
func (r Room) Write(name string, lines ...string) error {
	if err := os.WriteFile(r.Path(name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("write for a peer: %w", err)
	}
	return nil
}

// Start runs a peer until the test ends. It returns when each address accepts,
// and fails the test when the peer does not come up. Without the unpacked tree
// the test is skipped, or fails under ASSAY_NO_SKIP=1.
func Start(t testing.TB, spec Spec) *Peer {
	t.Helper()
	unpacked(t)
	if spec.Dir == "" {
		spec.Dir = t.TempDir()
	}
	if len(spec.Listen) == 0 {
		spec.Listen = []netip.AddrPort{{}}
	}
	var err error
	for range attempts {
		var p *Peer
		if p, err = launch(t, spec); err == nil {
			t.Cleanup(func() { p.end(t) })
			return p
		}
		if !errors.Is(err, errEnded) {
			break
		}
	}
	t.Fatalf("peer %q: %v", spec.Name, err)
	return nil
}

// launch is one attempt to start.
func launch(t testing.TB, spec Spec) (*Peer, error) {
	t.Helper()
	addrs, err := free(spec.Listen)
	if err != nil {
		return nil, err
	}
	room := Room{Dir: spec.Dir, Addrs: addrs}
	args, err := spec.Setup(room)
	if err != nil {
		return nil, err
	}
	cmd := Command(t, spec.Program, args...)
	cmd.Dir = spec.Dir
	cmd.Env = append(cmd.Env, spec.Env...)
	p, err := run(cmd, spec.Name, room)
	if err != nil {
		return nil, err
	}
	if err := p.ready(t); err != nil {
		p.Stop()
		return nil, fmt.Errorf("%w; it said:\n%s", err, p.Output())
	}
	return p, nil
}

// free fills in addresses and ports that are not given. All ports are held
// until the last is found, so that no two are the same.
func free(want []netip.AddrPort) ([]netip.AddrPort, error) {
	got := make([]netip.AddrPort, 0, len(want))
	for _, w := range want {
		addr := w.Addr()
		if !addr.IsValid() {
			addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, w.Port())))
		if err != nil {
			return nil, fmt.Errorf("no free port: %w", err)
		}
		defer l.Close()
		got = append(got, listening(l))
	}
	return got, nil
}

// listening is where a TCP listener listens.
func listening(l *net.TCPListener) netip.AddrPort {
	return netip.MustParseAddrPort(l.Addr().String())
}
