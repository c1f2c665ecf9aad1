package devices

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"syscall"
)

// A PortMode says which ports a device gets.
type PortMode int

const (
	// PortsStandard takes the port that the device wants; where that is not
	// allowed or not free, the one 10000 above; and else any.
	PortsStandard PortMode = iota
	// PortsOffset never takes the port that the device wants.
	PortsOffset
	// PortsFree takes any free port.
	PortsFree
)

// offset moves a port that needs a right that we have not.
const offset = 10000

// choices lists the ports to try, in order; 0 is any.
func (m PortMode) choices(want uint16) []uint16 {
	var ports []uint16
	if m == PortsStandard {
		ports = append(ports, want)
	}
	if m != PortsFree && want < 1<<16-offset {
		ports = append(ports, want+offset)
	}
	return append(ports, 0)
}

// An opener opens one port.
type opener func(context.Context, netip.AddrPort) (net.Listener, error)

// listen opens the first of the ports that can be had.
func (m PortMode) listen(ctx context.Context, addr netip.Addr, want uint16, open opener) (net.Listener, error) {
	var failed error
	for _, port := range m.choices(want) {
		ln, err := open(ctx, netip.AddrPortFrom(addr, port))
		if err == nil {
			return ln, nil
		}
		failed = err
		if !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.EPERM) {
			break
		}
	}
	return nil, failed
}

func listenTCP(ctx context.Context, at netip.AddrPort) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", at.String())
}

func bindUDP(ctx context.Context, at netip.AddrPort) (*net.UDPConn, error) {
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, "udp", at.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

func portOf(a net.Addr) uint16 {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.AddrPort().Port()
	case *net.UDPAddr:
		return a.AddrPort().Port()
	}
	return 0
}

// loopback is what systems with a whole network of loopback addresses give us
// to choose from; the rest of 127.0.0.0/8 is left to others.
var loopback = netip.MustParsePrefix("127.64.0.0/10")

// StableAddr returns the address that a unit keeps from start to start. Two
// units share one by chance only.
func StableAddr(name, serial string) netip.Addr {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s\x00%s", name, serial)
	return nth(h.Sum32())
}

// ownAddr returns a loopback address that nobody else uses or, on systems that
// have one only, that one, and whether others share it.
func ownAddr(ctx context.Context) (addr netip.Addr, shared bool, err error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return addr, false, err
	}
	addr = nth(binary.BigEndian.Uint32(b[:]))
	ln, err := listenTCP(ctx, netip.AddrPortFrom(addr, 0))
	if err == nil {
		return addr, false, ln.Close()
	}
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true, nil
	}
	return addr, false, fmt.Errorf("looking for an address: %w", err)
}

// nth returns one of the addresses to choose from, never one that ends in 0 or
// 255.
func nth(n uint32) netip.Addr {
	b := loopback.Addr().As4()
	b[1] |= byte(n>>16) & 0x3f
	b[2] = byte(n >> 8)
	b[3] = byte(n)%254 + 1
	return netip.AddrFrom4(b)
}
