package tcpports

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func addr(l net.Listener) netip.AddrPort { return netip.MustParseAddrPort(l.Addr().String()) }

// input looks at ports of loopback through a real Net.
func input(pace transport.Pace, ports ...uint16) probe.Input {
	limits := transport.LimitsOf(pace)
	return probe.Input{
		Target: probe.Target{Unit: evidence.DUT, Addrs: []netip.Addr{loopback}, Ports: ports, Pace: pace, PerSecond: limits.PerSecond},
		Net:    transport.New(transport.Config{Scope: []netip.Prefix{netip.PrefixFrom(loopback, 32)}, Limits: limits}),
	}
}

// The states are shown against real sockets on the loopback interface.
func TestRun(t *testing.T) {
	open, shut := listen(t), listen(t)
	shut.Close()
	for _, tt := range []struct {
		name string
		l    net.Listener
		want Evidence
	}{
		{"open", open, Evidence{Open: []Port{{Addr: addr(open), Seen: 2}}, Controls: []Control{{loopback, 2, 2}}}},
		{"closed", shut, Evidence{Closed: []Range{{loopback, addr(shut).Port(), addr(shut).Port()}}, Controls: []Control{{loopback, 0, 0}}}},
	} {
		for _, pace := range []transport.Pace{transport.Bench, transport.Normal} {
			t.Run(tt.name+"_"+string(pace), func(t *testing.T) {
				tt.want.Addrs, tt.want.Tried = []netip.Addr{loopback}, 1
				if got, err := run(t.Context(), input(pace, addr(tt.l).Port())); err != nil || !reflect.DeepEqual(got, tt.want) {
					t.Errorf("run = %+v, %v; want %+v", got, err, tt.want)
				}
			})
		}
	}
}

func allPorts() []uint16 {
	ports := make([]uint16, All)
	for i := range ports {
		ports[i] = uint16(i + 1)
	}
	return ports
}

// scripted is a device whose ports answer by a script, call by call, and whose
// log says what was asked.
type scripted struct {
	transport.Dialer
	mu     sync.Mutex
	script func(port uint16, nth int) error
	asked  map[uint16]int
}

func script(f func(port uint16, nth int) error) *scripted {
	return &scripted{script: f, asked: map[uint16]int{}}
}

func (s *scripted) Dial(_ context.Context, a netip.AddrPort) (transport.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[a.Port()]++
	if err := s.script(a.Port(), s.asked[a.Port()]); err != nil {
		return nil, err
	}
	return closing{}, nil
}

type closing struct{ transport.Conn }

func (closing) Close() error { return nil }

func ask(t *testing.T, s *scripted, ports ...uint16) (Evidence, error) {
	t.Helper()
	target := probe.Target{Unit: evidence.DUT, Addrs: []netip.Addr{loopback}, Ports: ports}
	e, err := run(t.Context(), probe.Input{Net: s, Target: target})
	total := 0
	for _, n := range s.asked {
		total += n
	}
	if most := bound(target).Connections; total > most {
		t.Errorf("%d connections, and the plan announced %d", total, most)
	}
	return e, err
}

func TestTwoLooks(t *testing.T) {
	open, shut, quiet := error(nil), error(syscall.ECONNREFUSED), error(context.DeadlineExceeded)
	trouble := error(syscall.EADDRNOTAVAIL)
	one := []Range{{loopback, 5, 5}}
	tests := []struct {
		name string
		says []error // the last one again and again
		want Evidence
		gone bool
	}{
		{"open", []error{open}, Evidence{Open: []Port{{Addr: netip.AddrPortFrom(loopback, 5), Seen: 2}}}, false},
		{"reset_after_accept", []error{syscall.ECONNRESET}, Evidence{Open: []Port{{Addr: netip.AddrPortFrom(loopback, 5), Seen: 2}}}, false},
		{"closed", []error{shut}, Evidence{Closed: one}, false},
		{"connected_to_itself", []error{transport.ErrSelf}, Evidence{Closed: one}, false},
		{"silent", []error{quiet}, Evidence{Silent: one}, false},
		{"open_once", []error{open, shut}, Evidence{Open: []Port{{Addr: netip.AddrPortFrom(loopback, 5), Seen: 1}}}, false},
		{"lost_in_one_look", []error{quiet, shut}, Evidence{Closed: one}, false},
		{"lost_in_both_looks", []error{quiet, quiet, shut}, Evidence{Closed: one}, false},
		{"silent_now_and_then", []error{shut, quiet}, Evidence{Mixed: one}, false},
		{"our_trouble_passes", []error{trouble, shut}, Evidence{Closed: one}, false},
		{"our_trouble_stays", []error{trouble}, Evidence{}, true},
		{"our_trouble_never_closes", []error{shut, trouble}, Evidence{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := ask(t, script(func(port uint16, nth int) error {
				if port == 4 {
					return open // the control
				}
				return tt.says[min(nth, len(tt.says))-1]
			}), 4, 5)
			partial, _ := errors.AsType[*probe.Partial](err)
			if (partial != nil) != tt.gone || partial == nil && err != nil {
				t.Fatalf("err = %v", err)
			}
			if partial != nil && (!slices.Equal(partial.Missing, []string{"tcp/127.0.0.1:5"}) || !errors.Is(partial, trouble)) {
				t.Errorf("partial = %v", partial)
			}
			for _, p := range [][2]any{{e.Open[1:], append([]Port{}, tt.want.Open...)}, {e.Closed, tt.want.Closed}, {e.Silent, tt.want.Silent}, {e.Mixed, tt.want.Mixed}} {
				if !reflect.DeepEqual(p[0], p[1]) {
					t.Errorf("got %+v, want %+v", p[0], p[1])
				}
			}
			if c := e.Controls[0]; c.Asked < 2 || c.Asked != c.Answered {
				t.Errorf("control = %+v", c)
			}
		})
	}
}

func TestOnePortNeverDiscardsTheOthers(t *testing.T) {
	e, err := ask(t, script(func(port uint16, _ int) error {
		if port == 7 || port == 8 {
			return errors.New("no buffer space")
		}
		return transport.ErrSelf
	}), 5, 6, 7, 8, 9)
	partial, _ := errors.AsType[*probe.Partial](err)
	want := []Range{{loopback, 5, 6}, {loopback, 9, 9}}
	if partial == nil || !slices.Equal(partial.Missing, []string{"tcp/127.0.0.1:7-8"}) || !reflect.DeepEqual(e.Closed, want) {
		t.Errorf("closed = %v, err = %v", e.Closed, err)
	}
}

// Without an open port that answers in between, silence says nothing; and an
// address that never answers is not asked for hours.
func TestSilenceNeedsAControl(t *testing.T) {
	s := script(func(uint16, int) error { return context.DeadlineExceeded })
	e, err := ask(t, s, 5, 6)
	if err != nil || len(e.Silent) != 1 || e.Left() != All || s.asked[5] != 2 {
		t.Errorf("run = %+v, %v; asked %v", e, err, s.asked)
	}
	lossy := script(func(port uint16, nth int) error {
		if port == 4 && nth != 2 {
			return nil
		}
		return context.DeadlineExceeded
	})
	e, err = ask(t, lossy, 4, 5)
	if c := e.Controls[0]; err != nil || c.Asked == c.Answered || e.Left() != All-1 {
		t.Errorf("control = %+v, left = %d, %v", c, e.Left(), err)
	}
}

func TestHostIsLeftOut(t *testing.T) {
	l := listen(t)
	in := input(transport.Bench, addr(l).Port())
	in.Target.Exclude = []netip.AddrPort{addr(l)}
	e, err := run(t.Context(), in)
	if err != nil || len(e.Open) != 0 || !slices.Equal(e.Host, []netip.AddrPort{addr(l)}) || e.Left() != All-1 {
		t.Errorf("run = %+v, %v", e, err)
	}
}

// A device that opens all its ports, or every other one, must not blow up the
// record.
func TestTraps(t *testing.T) {
	traps := map[string]func(uint16, int) error{
		"all_open": func(uint16, int) error { return nil },
		"alternating": func(port uint16, _ int) error {
			if port%2 == 0 {
				return syscall.ECONNREFUSED
			}
			return context.DeadlineExceeded
		},
	}
	for name, trap := range traps {
		t.Run(name, func(t *testing.T) {
			e, err := ask(t, script(trap), allPorts()...)
			if partial, _ := errors.AsType[*probe.Partial](err); partial == nil || len(partial.Missing) == 0 {
				t.Errorf("err = %v", err)
			}
			data, err := evidence.Encode(e)
			if err != nil || len(data) > evidence.MaxRecord {
				t.Errorf("%d bytes, %v", len(data), err)
			}
			if again, err := evidence.Decode[Evidence](data); err != nil || again.Left() == 0 {
				t.Errorf("left = %d, %v", again.Left(), err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := run(ctx, input(transport.Bench, 5, 6, 7))
	if partial, _ := errors.AsType[*probe.Partial](err); partial == nil || !slices.Equal(partial.Missing, []string{"tcp/127.0.0.1:5-7"}) {
		t.Errorf("err = %v", err)
	}
}

func TestLeft(t *testing.T) {
	whole := Evidence{Addrs: []netip.Addr{loopback}, Open: []Port{{Addr: netip.AddrPortFrom(loopback, 1), Seen: 2}}, Closed: []Range{{loopback, 2, 65535}}}
	if got := whole.Left(); got != 0 {
		t.Errorf("Left of all = %d", got)
	}
	if whole.Open[0].Seen = 1; whole.Left() != 1 {
		t.Errorf("Left when looks differ = %d", whole.Left())
	}
	if got := (Evidence{}).Left(); got != All {
		t.Errorf("Left of nothing = %d", got)
	}
	quiet := Evidence{Addrs: []netip.Addr{loopback}, Silent: []Range{{loopback, 1, 65535}}}
	if got := quiet.Left(); got != All {
		t.Errorf("Left of silence without a control = %d", got)
	}
	if quiet.Controls = []Control{{loopback, 5, 5}}; quiet.Left() != 0 {
		t.Errorf("Left of silence with a control = %d", quiet.Left())
	}
}

func TestBound(t *testing.T) {
	target := probe.Target{Addrs: []netip.Addr{loopback}, Ports: allPorts(), Pace: transport.Normal, PerSecond: 100}
	normal := bound(target)
	target.Pace, target.PerSecond = transport.Bench, 0
	bench := bound(target)
	if normal.Connections < 2*All || normal.Time < 2*All*10*time.Millisecond || bench.Time >= normal.Time || normal.Logins != 0 {
		t.Errorf("normal = %+v, bench = %+v", normal, bench)
	}
}
