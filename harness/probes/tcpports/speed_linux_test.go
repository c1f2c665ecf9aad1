package tcpports

import (
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/transport"
)

// own is an address that no other test looks at.
var own = netip.MustParseAddr("127.83.71.5")

// All ports of an address, as a bench run takes them, cost less of the
// processor than plain connections do, and next to no memory.
func TestAllPorts(t *testing.T) {
	const memory = 100 << 20
	open := nine(t)
	plain := plainLook(t, 1<<13)
	in := input(transport.Bench, allPorts()...)
	in.Target.Addrs = []netip.Addr{own}
	in.Net = transport.New(transport.Config{Scope: []netip.Prefix{netip.PrefixFrom(own, 32)}, Limits: transport.LimitsOf(transport.Bench)})
	begun := busy(t)
	e, err := run(t.Context(), in)
	each := (busy(t) - begun) / (2 * All)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range open {
		if !slices.Contains(e.OpenAddrs(), o) {
			t.Errorf("%s is not found", o)
		}
	}
	passing := 0 // ports that other programs open or close on all addresses meanwhile
	for _, p := range e.Open {
		if p.Seen == 1 && !slices.Contains(open, p.Addr) {
			passing++
		}
	}
	if e.Left() != passing {
		t.Errorf("%d ports are not settled: %v", e.Left(), e.Mixed)
	}
	t.Logf("%s a port, and a plain connection %s", each, plain)
	if each > plain*3/2 {
		t.Errorf("a port takes %s of the processor, and a plain connection %s", each, plain)
	}
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.Sys > memory {
		t.Errorf("the process took %d bytes", m.Sys)
	}
}

// nine opens nine ports.
func nine(t *testing.T) []netip.AddrPort {
	t.Helper()
	var open []netip.AddrPort
	for range 9 {
		l, err := net.Listen("tcp", netip.AddrPortFrom(own, 0).String())
		if err != nil {
			t.Skipf("no loopback address %s: %v", own, err)
		}
		t.Cleanup(func() { l.Close() })
		open = append(open, addr(l))
	}
	return open
}

// plainLook returns what a connection to a closed port takes of the processor
// without any of our code.
func plainLook(t *testing.T, n int) time.Duration {
	t.Helper()
	const width = 64
	begun := busy(t)
	var all sync.WaitGroup
	for w := range width {
		all.Go(func() {
			for p := 1 + w; p <= n; p += width {
				if c, err := net.DialTimeout("tcp", netip.AddrPortFrom(own, uint16(p)).String(), time.Second); err == nil {
					c.Close()
				}
			}
		})
	}
	all.Wait()
	return (busy(t) - begun) / time.Duration(n)
}

// busy is the time of the processor that the process took so far: unlike the
// clock it does not depend on what else the machine does.
func busy(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
