package transport

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSockaddr(t *testing.T) {
	for _, a := range []string{"192.0.2.1:80", "[::ffff:192.0.2.1]:80"} {
		family, to := sockaddr(netip.MustParseAddrPort(a))
		if four, ok := to.(*unix.SockaddrInet4); family != unix.AF_INET || !ok || four.Port != 80 || four.Addr != [4]byte{192, 0, 2, 1} {
			t.Errorf("%s = %d, %+v", a, family, to)
		}
	}
	links, err := net.Interfaces()
	if err != nil || len(links) == 0 {
		t.Skip("no network interface")
	}
	for z, want := range map[string]uint32{links[0].Name: uint32(links[0].Index), "7": 7, "no-such-link": 0, "": 0} {
		addr := netip.MustParseAddr("fe80::1").WithZone(z)
		family, to := sockaddr(netip.AddrPortFrom(addr, 443))
		if six, ok := to.(*unix.SockaddrInet6); family != unix.AF_INET6 || !ok || six.Port != 443 || six.ZoneId != want || six.Addr[0] != 0xfe {
			t.Errorf("zone %q = %d, %+v", z, family, to)
		}
	}
}

func TestLocalEnd(t *testing.T) {
	for family, to := range map[int]unix.Sockaddr{
		unix.AF_INET:  &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}},
		unix.AF_INET6: &unix.SockaddrInet6{Addr: netip.IPv6Loopback().As16()},
		unix.AF_UNIX:  &unix.SockaddrUnix{Name: "@" + t.Name()},
	} {
		fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Logf("no family %d: %v", family, err)
			continue
		}
		defer unix.Close(fd)
		if err := unix.Bind(fd, to); err != nil {
			t.Logf("family %d: %v", family, err)
			continue
		}
		at, err := localEnd(fd)
		if (err == nil) != (family != unix.AF_UNIX) || err == nil && (!at.Addr().IsLoopback() || at.Port() == 0) {
			t.Errorf("family %d is at %s, %v", family, at, err)
		}
	}
	if _, err := localEnd(-1); err == nil {
		t.Error("no socket has an end")
	}
}
