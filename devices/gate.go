package devices

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxClients caps the connections to one port at a time.
	maxClients = 256
	// scannerRate is how many connections in a second ScannerLimited allows,
	// scannerPenalty how long it then refuses them.
	scannerRate    = 5
	scannerPenalty = 2 * time.Second
	// banTime is how long BansMalformed turns an address away: long enough to
	// be met at once, short enough for every client that waits a little.
	banTime = 150 * time.Millisecond
	// maxBanned caps the list of banned addresses.
	maxBanned = 1024
)

// A gate decides which connections a device takes.
type gate struct {
	everyThird bool // reset the third connection to a port, the sixth …
	limited    bool // reset scanners

	mu      sync.Mutex
	open    map[uint16]int // connections by port
	count   map[uint16]int // connections so far, by port
	recent  []time.Time    // connections of the last second
	penalty time.Time      // until when all are reset
	banned  map[netip.Addr]time.Time
}

func newGate(f Faults) *gate {
	return &gate{
		everyThird: f.ResetEveryThird,
		limited:    f.ScannerLimited,
		open:       map[uint16]int{},
		count:      map[uint16]int{},
		banned:     map[netip.Addr]time.Time{},
	}
}

// admit takes a connection to a port or refuses it. What it takes, leave gives
// back.
func (g *gate) admit(port uint16, from net.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count[port]++
	switch {
	case g.open[port] >= maxClients,
		now.Before(g.banned[host(from)]),
		g.limited && g.scans(now),
		g.everyThird && g.count[port]%3 == 0:
		return false
	}
	g.open[port]++
	return true
}

func (g *gate) leave(port uint16) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[port]--
}

// scans says whether connections come too fast.
func (g *gate) scans(now time.Time) bool {
	if now.Before(g.penalty) {
		return true
	}
	kept := g.recent[:0]
	for _, t := range g.recent {
		if now.Sub(t) < time.Second {
			kept = append(kept, t)
		}
	}
	g.recent = append(kept, now)
	if len(g.recent) > scannerRate {
		g.penalty, g.recent = now.Add(scannerPenalty), nil
		return true
	}
	return false
}

// ban turns an address away for a moment.
func (g *gate) ban(from net.Addr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.banned) >= maxBanned {
		clear(g.banned)
	}
	g.banned[host(from)] = now.Add(banTime)
}

func host(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
