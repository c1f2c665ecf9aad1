package devices

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// hostPatience bounds the look at an address before a device starts there.
// Where the system keeps no table of listeners, all ports are tried in turn,
// which takes about this long.
const hostPatience = time.Second

// hostListeners returns what answers on the address although no device runs
// there yet, and whether every port was looked at.
func hostListeners(ctx context.Context, addr netip.Addr) ([]netip.AddrPort, bool) {
	ports, err := boundPorts(addr, tcpTables)
	if err == nil {
		return addrPorts(addr, ports), true
	}
	ctx, cancel := context.WithTimeout(ctx, hostPatience)
	defer cancel()
	ports, complete := openPorts(ctx, addr, 1, 1<<16-1)
	return addrPorts(addr, ports), complete
}

// hostSockets returns the UDP ports of an address on which somebody receives
// although no device runs there yet. Where the system keeps no table of sockets
// nothing is found: no port tells over UDP whether it is open.
func hostSockets(addr netip.Addr) []netip.AddrPort {
	ports, err := boundPorts(addr, udpTables)
	if err != nil {
		return nil
	}
	return addrPorts(addr, ports)
}

func addrPorts(addr netip.Addr, ports []uint16) []netip.AddrPort {
	slices.Sort(ports)
	var all []netip.AddrPort
	for _, port := range slices.Compact(ports) {
		all = append(all, netip.AddrPortFrom(addr, port))
	}
	return all
}

// A socketTables says where Linux lists sockets, and how it marks those that
// anybody may send to. The second file is missing where IPv6 is switched off.
type socketTables struct {
	files [2]string
	state string
}

var (
	tcpTables = socketTables{[2]string{"/proc/self/net/tcp", "/proc/self/net/tcp6"}, "0A"} // TCP_LISTEN
	udpTables = socketTables{[2]string{"/proc/self/net/udp", "/proc/self/net/udp6"}, "07"} // not connected
)

// tableBytes caps a table: 100,000 sockets.
const tableBytes = 16 << 20

// boundPorts returns the ports on which somebody waits for others at addr.
func boundPorts(addr netip.Addr, tables socketTables) ([]uint16, error) {
	var ports []uint16
	for i, name := range tables.files {
		f, err := os.Open(name)
		if i > 0 && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		ports = append(ports, waiting(io.LimitReader(f, tableBytes), addr, tables.state)...)
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return ports, nil
}

// waiting reads a table. A socket bound to every address counts: a daemon of the
// host that listens there answers on every loopback address.
func waiting(table io.Reader, addr netip.Addr, state string) []uint16 {
	var ports []uint16
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || f[3] != state {
			continue
		}
		at, ok := tableAddr(f[1])
		if ok && (at.Addr() == addr || at.Addr().IsUnspecified()) {
			ports = append(ports, at.Port())
		}
	}
	return ports
}

// tableAddr reads an address such as "0100007F:1F90": words in the byte order
// of the machine, the port in hexadecimal.
func tableAddr(s string) (netip.AddrPort, bool) {
	digits, p, ok := strings.Cut(s, ":")
	b, err := hex.DecodeString(digits)
	port, portErr := strconv.ParseUint(p, 16, 16)
	if !ok || err != nil || portErr != nil || len(b)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for word := range slices.Chunk(b, 4) {
		binary.BigEndian.PutUint32(word, binary.NativeEndian.Uint32(word))
	}
	addr, ok := netip.AddrFromSlice(bytes.Clone(b))
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), ok
}

// scanners is how many connections are tried at once.
const scanners = 64

// openPorts connects to each port from first to last, and says whether it had
// time for all.
func openPorts(ctx context.Context, addr netip.Addr, first, last int) ([]uint16, bool) {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		open []uint16
	)
	next := make(chan uint16)
	for range scanners {
		wg.Go(func() {
			for port := range next {
				if answers(ctx, netip.AddrPortFrom(addr, port)) {
					mu.Lock()
					open = append(open, port)
					mu.Unlock()
				}
			}
		})
	}
	complete := offer(ctx, next, first, last)
	wg.Wait()
	return open, complete && ctx.Err() == nil
}

func offer(ctx context.Context, next chan<- uint16, first, last int) bool {
	defer close(next)
	for port := first; port <= last; port++ {
		select {
		case next <- uint16(port):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// answers says whether somebody accepts a connection. One whose two ends are
// equal met itself.
func answers(ctx context.Context, at netip.AddrPort) bool {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", at.String())
	if err != nil {
		return false
	}
	defer c.Close()
	return c.LocalAddr().String() != c.RemoteAddr().String()
}
