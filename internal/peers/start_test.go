package peers

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// httpd is a small real server to start and stop.
func httpd(setup func(Room) ([]string, error)) Spec {
	return Spec{Name: "httpd", Program: "bin/busybox", Setup: setup}
}

func serveHere(r Room) ([]string, error) {
	return []string{"httpd", "-f", "-p", r.Addrs[0].String(), "-h", r.Dir}, nil
}

func TestStartAndStop(t *testing.T) {
	p := Start(t, httpd(serveHere))
	if p.Addr != p.Addrs[0] || p.Addr.Port() == 0 || !p.Addr.Addr().IsLoopback() {
		t.Errorf("address is %v of %v, want a port on loopback", p.Addr, p.Addrs)
	}
	conn, err := net.Dial("tcp", p.Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	p.Stop()
	p.Stop()
	if err := syscall.Kill(p.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d after Stop: %v, want it gone", p.PID(), err)
	}
	if listens(p.PID(), p.Addr.Port()) {
		t.Errorf("%v is still listened on after Stop", p.Addr)
	}
}

func TestStopsWithTheTest(t *testing.T) {
	pid := 0
	t.Run("inner", func(t *testing.T) { pid = Start(t, httpd(serveHere)).PID() })
	if pid == 0 {
		t.Skip("the inner test did not start a peer")
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d after its test: %v, want it gone", pid, err)
	}
}

// A peer that ignores the request to end, and its child, are killed.
func TestStopKillsTheGroup(t *testing.T) {
	p := Start(t, httpd(func(r Room) ([]string, error) {
		script := "trap '' TERM; sleep 1000 & echo $! > child; httpd -f -p " + r.Addrs[0].String() + "; wait"
		return []string{"sh", "-c", script}, nil
	}))
	b, err := os.ReadFile(filepath.Join(p.Dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if !gone(child) {
		t.Errorf("child %d outlives the peer", child)
	}
}

// gone waits a moment for a killed process: its new parent has to bury it.
func gone(pid int) bool {
	for range 100 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestStartTriesOtherPorts(t *testing.T) {
	var ports []uint16
	p := Start(t, httpd(func(r Room) ([]string, error) {
		ports = append(ports, r.Addrs[0].Port())
		if len(ports) < attempts {
			return []string{"false"}, nil
		}
		return serveHere(r)
	}))
	if len(ports) != attempts || p.Addr.Port() != ports[attempts-1] {
		t.Errorf("tried %v and is on %v, want the last of %d", ports, p.Addr, attempts)
	}
}

// Who answers on the port while the peer is still on its way is not the peer.
func TestStartIsNotFooledByAnother(t *testing.T) {
	var other net.Listener
	p := Start(t, httpd(func(r Room) ([]string, error) {
		if other != nil {
			return serveHere(r)
		}
		var err error
		if other, err = net.Listen("tcp", r.Addrs[0].String()); err != nil {
			return nil, err
		}
		t.Cleanup(func() { other.Close() })
		return []string{"sh", "-c", "sleep 0.2; exec httpd -f -p " + r.Addrs[0].String()}, nil
	}))
	if other == nil || p.Addr.String() == other.Addr().String() {
		t.Errorf("the peer is said to be on %v, where the test itself listens", p.Addr)
	}
}

func TestStartFails(t *testing.T) {
	unpacked(t)
	tests := []struct {
		name  string
		setup func(Room) ([]string, error)
		want  string
	}{
		{"ends", func(Room) ([]string, error) { return []string{"sh", "-c", "echo no such luck"}, nil }, "no such luck"},
		{"setup", func(Room) ([]string, error) { return nil, errors.New("disk is full") }, "disk is full"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := watch(t, func(tb testing.TB) { Start(tb, httpd(tt.setup)) })
			if s.how != "fatal" || !strings.Contains(s.why, `"httpd"`) || !strings.Contains(s.why, tt.want) {
				t.Errorf("ended with %q, %q, want the peer and %q", s.how, s.why, tt.want)
			}
		})
	}
}

func TestFree(t *testing.T) {
	other := netip.MustParseAddr("127.0.0.9")
	got, err := free([]netip.AddrPort{{}, {}, netip.AddrPortFrom(other, 0)})
	if err != nil {
		t.Skipf("no second loopback address: %v", err)
	}
	if got[0] == got[1] || got[0].Port() == 0 || got[0].Addr().String() != "127.0.0.1" || got[2].Addr() != other {
		t.Errorf("free is %v, want two ports on 127.0.0.1 and one on %v", got, other)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got, err := free([]netip.AddrPort{l.Addr().(*net.TCPAddr).AddrPort()}); err == nil {
		t.Errorf("a port in use is given as free: %v", got)
	}
}

// The wish for a port that is in use is refused before the peer is started.
func TestStartOnAPortInUse(t *testing.T) {
	unpacked(t)
	taken := Tarpit(t)
	s := watch(t, func(tb testing.TB) {
		spec := httpd(serveHere)
		spec.Listen = []netip.AddrPort{taken}
		Start(tb, spec)
	})
	if s.how != "fatal" || !strings.Contains(s.why, "in use") {
		t.Errorf("ended with %q, %q, want the port in use", s.how, s.why)
	}
}
