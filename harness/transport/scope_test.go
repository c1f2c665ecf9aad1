package transport

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

func TestScopeCheck(t *testing.T) {
	s := scope{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128"), netip.MustParsePrefix("fe80::1/128"), netip.MustParsePrefix("198.51.100.255/32"), netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("255.255.255.255/32"), netip.MustParsePrefix("ff02::/16")}
	tests := map[string]bool{
		"192.0.2.1": true, "192.0.2.254": true, "::ffff:192.0.2.1": true, "2001:db8::1": true, "fe80::1%eth0": true, "198.51.100.255": true,
		"192.0.2.0": false, "192.0.2.255": false, "192.0.3.1": false, "2001:db8::2": false, "fe80::2%eth0": false,
		"224.0.0.1": false, "0.0.0.0": false, "::": false, "255.255.255.255": false, "ff02::1": false, "::ffff:224.0.0.251": false, "127.0.0.1": false,
	}
	for addr, want := range tests {
		if err := s.check(netip.MustParseAddr(addr)); (err == nil) != want || err != nil && !errors.Is(err, ErrScope) {
			t.Errorf("check(%s) = %v, want in scope: %t", addr, err, want)
		}
	}
	if s.check(netip.Addr{}) == nil {
		t.Error("no address is in scope")
	}
}

// One address is in scope and 253 neighbours are not: none of them sees a
// connection, by whatever way.
func TestScopeHolds(t *testing.T) {
	var touched atomic.Int32
	var addrs []netip.AddrPort
	port := free(t).Port()
	for i := byte(1); i < 255; i++ {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 77, 7, i}), port)
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
		if err != nil {
			t.Skipf("no loopback address %s: %v", at, err)
		}
		defer l.Close()
		addrs = append(addrs, at)
		if i != 7 {
			defer func() {
				l.SetDeadline(time.Now().Add(time.Millisecond))
				if _, err := l.Accept(); err == nil {
					touched.Add(1)
				}
			}()
		}
	}
	t.Cleanup(func() {
		if n := touched.Load(); n > 0 {
			t.Errorf("%d devices outside the scope were contacted", n)
		}
	})
	n := New(Config{Scope: []netip.Prefix{netip.MustParsePrefix("127.77.7.7/32")}})
	reached := 0
	Knock(t.Context(), n, addrs, time.Second, func(i int, err error) {
		if err == nil {
			reached++
		} else if !errors.Is(err, ErrScope) {
			t.Errorf("%s: %v", addrs[i], err)
		}
	})
	for _, a := range addrs {
		c, err := n.Dial(t.Context(), a)
		if err == nil {
			reached++
			c.Close()
		} else if act, ours := Did(t.Context(), err); ours == nil {
			t.Errorf("our refusal counts as %s", act)
		}
	}
	if reached != 2 {
		t.Errorf("the device in scope was reached %d times, want 2", reached)
	}
}
