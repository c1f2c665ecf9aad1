package capture

import (
	"net/netip"
	"testing"

	"golang.org/x/net/bpf"
)

var device6 = netip.MustParseAddrPort("[2001:db8::1]:5683")
var us6 = netip.MustParseAddrPort("[2001:db8::9]:40000")

func udp(from, to netip.AddrPort, payload string) []byte {
	b := ip(make([]byte, 12, 200), protoUDP, from.Addr(), to.Addr(), 8+len(payload))
	b = append(b, byte(from.Port()>>8), byte(from.Port()), byte(to.Port()>>8), byte(to.Port()), 0, byte(8+len(payload)), 0, 0)
	return append(b, payload...)
}

// extended puts an extension header of 8 bytes before what follows IPv6.
func extended(b []byte, kind byte, rest ...byte) []byte {
	head := append([]byte{}, b[:54]...)
	next := head[20]
	head[20] = kind
	head = append(head, append([]byte{next}, rest...)...)
	return append(head, b[54:]...)
}

func TestDissect(t *testing.T) {
	fragment := tcp(device, us, "x")
	fragment[20], fragment[21] = 0x20, 0x10
	options := udp(device6, us6, "x")
	no := func(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr(), 0) }
	tests := []struct {
		name string
		in   []byte
		want ends
	}{
		{"tcp", tcp(device, us, "hello"), ends{device, us, 14 + 20 + 24}},
		{"udp", udp(device, us, "hello"), ends{device, us, 14 + 20 + 8}},
		{"tcp6", tcp(device6, us6, "hello"), ends{device6, us6, 14 + 40 + 24}},
		{"udp6", options, ends{device6, us6, 14 + 40 + 8}},
		{"hop_by_hop", extended(options, 0, 0, 0, 0, 0, 0, 0, 0), ends{device6, us6, 14 + 40 + 8 + 8}},
		{"first_fragment6", extended(options, 44, 0, 0, 1, 0, 0, 0, 0), ends{device6, us6, 14 + 40 + 8 + 8}},
		{"later_fragment6", extended(options, 44, 0, 0, 9, 0, 0, 0, 0), ends{no(device6), no(us6), 14 + 40 + 8}},
		{"later_fragment", fragment, ends{no(device), no(us), 14 + 20}},
		{"cut_in_tcp", tcp(device, us, "x")[:14+20+10], ends{no(device), no(us), 14 + 20}},
		{"icmp", ip(make([]byte, 12), 1, device.Addr(), us.Addr(), 8), ends{no(device), no(us), 14 + 20}},
	}
	for _, tt := range tests {
		if got, ok := dissect(tt.in); !ok || got != tt.want {
			t.Errorf("%s: %+v, %t; want %+v", tt.name, got, ok, tt.want)
		}
	}
	arp := append(make([]byte, 12), 0x08, 0x06, 0, 1)
	badLength := tcp(device, us, "")
	badLength[14] = 0x4f
	for _, b := range [][]byte{nil, make([]byte, 13), arp, tcp(device, us, "")[:30], tcp(device6, us6, "")[:50], badLength[:40]} {
		if got, ok := dissect(b); ok {
			t.Errorf("%x is %+v", b, got)
		}
	}
}

func FuzzDissect(f *testing.F) {
	f.Add(tcp(device, us, "hello"))
	f.Add(udp(device6, us6, "hello"))
	f.Add(extended(udp(device6, us6, "hello"), 0, 0, 0, 0, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, ok := dissect(b); ok && (e.header < etherHeader || e.header > len(b)) {
			t.Errorf("%x has %d bytes of headers", b, e.header)
		}
	})
}

func TestFilter(t *testing.T) {
	second, six := netip.MustParseAddr("192.0.2.2"), device6.Addr()
	vm, err := bpf.NewVM(filter([]netip.Addr{device.Addr(), second, six}))
	if err != nil {
		t.Fatal(err)
	}
	arp := func(from, to string) []byte {
		b := append(make([]byte, 12), 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0, 0)
		b = append(b, netip.MustParseAddr(from).AsSlice()...)
		return append(append(b, 0, 0, 0, 0, 0, 0), netip.MustParseAddr(to).AsSlice()...)
	}
	near := netip.MustParseAddrPort("[2001:db8::2]:5683")
	tests := []struct {
		name string
		in   []byte
		want bool
	}{
		{"from_device", tcp(device, other, ""), true},
		{"to_device", tcp(other, device, ""), true},
		{"second_address", udp(other, netip.AddrPortFrom(second, 1), ""), true},
		{"from_device_6", udp(device6, us6, ""), true},
		{"to_device_6", udp(us6, device6, ""), true},
		{"arp_of_device", arp("192.0.2.1", "192.0.2.7"), true},
		{"arp_for_device", arp("192.0.2.7", "192.0.2.2"), true},
		{"others", tcp(us, other, ""), false},
		{"others_6", udp(us6, near, ""), false},
		{"arp_of_others", arp("192.0.2.7", "192.0.2.8"), false},
		{"another_type", append(make([]byte, 12), 0x88, 0xcc, 0, 0), false},
		{"short", make([]byte, 5), false},
	}
	for _, tt := range tests {
		if n, err := vm.Run(tt.in); err != nil || (n > 0) != tt.want {
			t.Errorf("%s: %d, %v", tt.name, n, err)
		}
	}
}

// Many addresses make a filter that the system still takes.
func TestFilterOfManyAddresses(t *testing.T) {
	const most = 4096 // BPF_MAXINSNS
	var addrs []netip.Addr
	four, six := device.Addr(), device6.Addr()
	for range 32 {
		addrs = append(addrs, four, six)
		four, six = four.Next(), six.Next()
	}
	program := filter(addrs)
	if raw, err := bpf.Assemble(program); err != nil || len(raw) > most {
		t.Fatalf("%d instructions, %v", len(raw), err)
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		at := netip.AddrPortFrom(a, 1)
		for _, b := range [][]byte{udp(at, at, ""), udp(at, netip.AddrPortFrom(a.Prev(), 2), "")} {
			if n, err := vm.Run(b); err != nil || n == 0 {
				t.Errorf("%s: %d, %v", a, n, err)
			}
		}
	}
}
