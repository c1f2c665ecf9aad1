package bench

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/assay-iot/assay/harness/transport"
)

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	local    = netip.AddrPortFrom(loopback, 0)
)

func bench(ours ...string) *Bench {
	b := New(transport.New(transport.Config{Scope: []netip.Prefix{netip.PrefixFrom(loopback, 32)}}), []netip.Addr{loopback})
	b.ours = func() (all []net.Addr, err error) {
		for _, a := range ours {
			ip, mask, err := net.ParseCIDR(a)
			if err != nil {
				return nil, err
			}
			all = append(all, &net.IPNet{IP: ip, Mask: mask.Mask})
		}
		return all, nil
	}
	return b
}

func TestListenUDP(t *testing.T) {
	l, err := bench().ListenUDP(t.Context(), local, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, err := peer.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("Read = %q, %v", b[:n], err)
	}
	if err := errors.Join(peer.Close(), l.Close()); err != nil {
		t.Error(err)
	}
}

// What cannot be played is an error that names the address and why.
func TestWhatIsNotOurs(t *testing.T) {
	taken, err := bench().ListenUDP(t.Context(), local, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := bench()
	broken.ours = func() ([]net.Addr, error) { return nil, errors.New("no list") }
	for _, tt := range []struct {
		name  string
		bench *Bench
		at    netip.AddrPort
		want  error
		says  string
	}{
		{"another_machine", bench("192.0.2.1/24", "2001:db8::1/64"), netip.MustParseAddrPort("192.0.2.7:5683"), ErrNotOurs, "192.0.2.7:5683"},
		{"another_machine_6", bench("2001:db8::1/64"), netip.MustParseAddrPort("[2001:db8::2]:5683"), ErrNotOurs, "[2001:db8::2]:5683"},
		{"taken", bench(), taken.Addr(), syscall.EADDRINUSE, taken.Addr().String()},
		{"ours_and_gone", bench("192.0.2.7/24"), netip.MustParseAddrPort("192.0.2.7:5683"), syscall.EADDRNOTAVAIL, "192.0.2.7:5683"},
		{"no_list", broken, netip.MustParseAddrPort("192.0.2.7:5683"), nil, "no list"},
	} {
		l, err := tt.bench.ListenUDP(t.Context(), tt.at, 1, nil)
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			l.Close()
			continue
		}
		if tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
