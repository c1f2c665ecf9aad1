package tcpports

import (
	"context"
	"net/netip"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

// The order is the same each time, holds each port once, and is not ascending.
func TestShuffled(t *testing.T) {
	first, second := shuffled(1000), shuffled(1000)
	if !slices.Equal(first, second) || slices.IsSorted(first) {
		t.Error("the order differs, or is no order of chance")
	}
	back := backward(first)
	if back[0] != first[999] || back[999] != first[0] || slices.Equal(first, back) {
		t.Error("the second look does not go backward")
	}
	slices.Sort(back)
	for i, place := range back {
		if i != place {
			t.Fatalf("place %d is missing", i)
		}
	}
	if len(shuffled(0)) != 0 {
		t.Error("nothing has an order")
	}
}

// house is a device of two addresses, of which the second has no open port.
type house struct {
	transport.Dialer
	asked map[netip.AddrPort]int
}

var first, second = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")

func (h *house) Dial(_ context.Context, a netip.AddrPort) (transport.Conn, error) {
	h.asked[a]++
	switch {
	case a == netip.AddrPortFrom(first, 80):
		return closing{}, nil
	case a.Port() == 9:
		return nil, context.DeadlineExceeded
	}
	return nil, syscall.ECONNREFUSED
}

// Each address has controls of its own, so silence of the second says nothing.
func TestAddressesStandAlone(t *testing.T) {
	h := &house{asked: map[netip.AddrPort]int{}}
	e, err := run(t.Context(), probe.Input{Net: h, Target: probe.Target{Addrs: []netip.Addr{first, second}, Ports: []uint16{8, 9, 10, 80}}})
	if err != nil {
		t.Fatal(err)
	}
	want := Evidence{
		Addrs: []netip.Addr{first, second}, Tried: 4,
		Open:     []Port{{Addr: netip.AddrPortFrom(first, 80), Seen: 2}},
		Closed:   []Range{{first, 8, 8}, {first, 10, 10}, {second, 8, 8}, {second, 10, 10}, {second, 80, 80}},
		Silent:   []Range{{first, 9, 9}, {second, 9, 9}},
		Controls: []Control{{first, 3, 3}, {second, 0, 0}},
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got %+v, want %+v", e, want)
	}
	if got := e.Left(); got != 2*All-7 {
		t.Errorf("%d are left of %d", got, 2*All)
	}
	if n := h.asked[netip.AddrPortFrom(first, 9)]; n != 3 {
		t.Errorf("a silent port was asked %d times, want each look and once with patience", n)
	}
}

// Controls lie between the batches.
func TestControlsInBetween(t *testing.T) {
	var ports []uint16
	for p := uint16(1); p <= 3*batch; p++ {
		ports = append(ports, p)
	}
	s := script(func(port uint16, _ int) error {
		if port == 7 {
			return nil
		}
		return syscall.ECONNREFUSED
	})
	e, err := ask(t, s, ports...)
	if err != nil || e.Controls[0].Asked < 3 || e.Controls[0].Asked > 6 || e.Controls[0].Answered != e.Controls[0].Asked {
		t.Errorf("controls = %+v, %v", e.Controls, err)
	}
	if want := []Range{{loopback, 1, 6}, {loopback, 8, 3 * batch}}; !reflect.DeepEqual(e.Closed, want) {
		t.Errorf("closed = %v", e.Closed)
	}
}

func TestExtend(t *testing.T) {
	var rs []Range
	for _, end := range []string{"192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:4", "192.0.2.1:65534", "192.0.2.1:65535", "192.0.2.2:1", "192.0.2.2:2"} {
		rs = extend(rs, netip.MustParseAddrPort(end))
	}
	next := netip.MustParseAddr("192.0.2.2")
	if want := []Range{{first, 1, 2}, {first, 4, 4}, {first, 65534, 65535}, {next, 1, 2}}; !slices.Equal(rs, want) {
		t.Errorf("got %v, want %v", rs, want)
	}
	for i, want := range []string{"tcp/192.0.2.1:1-2", "tcp/192.0.2.1:4"} {
		if got := rs[i].name(); got != want {
			t.Errorf("name = %s, want %s", got, want)
		}
	}
	if got := (Range{second, 1, 9}).name(); got != "tcp/[2001:db8::1]:1-9" {
		t.Errorf("name = %s", got)
	}
}

// The evidence reads back as it was written, and unknown facts stay unknown.
func TestStoredForm(t *testing.T) {
	data, err := evidence.Encode(Evidence{Addrs: []netip.Addr{first}, Tried: 1, Open: []Port{{Addr: netip.AddrPortFrom(first, 80), Seen: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"addrs":["192.0.2.1"],"tried":1,"open":[{"addr":"192.0.2.1:80","seen":1,"span":{"member":"","offset":0,"length":0}}],"closed":[],"silent":[],"mixed":[],"controls":[],"host":[]}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	if e, err := evidence.Decode[Evidence](data); err != nil || e.Left() != All {
		t.Errorf("got %+v, %v", e, err)
	}
}
