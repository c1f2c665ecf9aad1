package transport

import (
	"net/netip"
	"sync"
)

// ours remembers the two ends of every connection of the run, and of every
// socket that sent datagrams. A look at all
// ports makes a hundred thousand of them, so an entry takes eight bytes.
type ours struct {
	mu    sync.RWMutex
	index map[netip.Addr]uint16
	ends  map[uint64]struct{}
}

func newOurs() *ours {
	return &ours{index: map[netip.Addr]uint16{}, ends: map[uint64]struct{}{}}
}

// add remembers a connection.
func (o *ours) add(local, remote netip.AddrPort) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ends[pack(o.learn(local.Addr()), local.Port(), o.learn(remote.Addr()), remote.Port())] = struct{}{}
}

// has reports whether a connection of the run had these ends.
func (o *ours) has(local, remote netip.AddrPort) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	l, known := o.index[plain(local.Addr())]
	r, knownToo := o.index[plain(remote.Addr())]
	if !known || !knownToo {
		return false
	}
	_, found := o.ends[pack(l, local.Port(), r, remote.Port())]
	return found
}

// learn returns the number of an address.
func (o *ours) learn(a netip.Addr) uint16 {
	a = plain(a)
	n, ok := o.index[a]
	if !ok {
		n = uint16(len(o.index)) //nolint:gosec // a device and this machine have a handful of addresses
		o.index[a] = n
	}
	return n
}

func pack(l uint16, lp uint16, r uint16, rp uint16) uint64 {
	return uint64(l)<<48 | uint64(lp)<<32 | uint64(r)<<16 | uint64(rp)
}

// plain is an address as a capture shows it.
func plain(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }

// self reports whether a connection has one end only.
func self(local, remote netip.AddrPort) bool {
	return local.Port() == remote.Port() && plain(local.Addr()) == plain(remote.Addr())
}
