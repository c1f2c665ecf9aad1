package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

// lab is a loopback address of the test's own on which a device listens. It
// says hello to whom connects, and reads until the end.
func lab(t *testing.T) (at netip.AddrPort) {
	t.Helper()
	l, err := net.Listen("tcp", "127.84.72.6:0")
	if err != nil {
		t.Skipf("no loopback address of its own: %v", err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				io.WriteString(c, "hello "+canary)
				io.Copy(io.Discard, c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// Our own connections keep their headers, those of others their payload too.
func TestLiveCapture(t *testing.T) {
	peers.NeedRoot(t)
	at := lab(t)
	n := transport.New(transport.Config{Scope: []netip.Prefix{netip.PrefixFrom(at.Addr(), 32)}})
	f := &file{name: "lo", ours: n.Ours}
	stop, err := watch(t.Context(), probe.Input{Capture: f, Target: probe.Target{Addrs: []netip.Addr{at.Addr()}}})
	if err != nil {
		t.Fatal(err)
	}
	ours, err := n.Dial(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	talk(t, ours, "from us")
	theirs, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	talk(t, theirs, "from another program")
	e, err := stop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := packets(t, f)
	if int(e.Frames.Count) != len(all) || e.Own < 6 || e.FromDevice < 6 || e.Doubled < e.Frames.Count || e.Dropped != 0 || e.Vantage != Host {
		t.Errorf("%d frames: %+v", len(all), e)
	}
	whole := bytes.Join(all, nil)
	if bytes.Contains(whole, []byte("from us")) || !bytes.Contains(whole, []byte("from another program")) || bytes.Contains(whole, []byte(canary)) {
		t.Errorf("frames = %q", whole)
	}
}

func talk(t *testing.T, c net.Conn, text string) {
	t.Helper()
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadFull(c, make([]byte, len("hello "+canary))); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// A device that sends as fast as loopback lets it loses nothing.
func TestNothingIsLost(t *testing.T) {
	peers.NeedRoot(t)
	const count = 40_000 // which the ring holds even if nobody reads
	to, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 84, 72, 7)})
	if err != nil {
		t.Skipf("no loopback address of its own: %v", err)
	}
	defer to.Close()
	f := &file{name: "lo"}
	stop, err := watch(t.Context(), probe.Input{Capture: f, Target: probe.Target{Addrs: []netip.Addr{netip.MustParseAddr("127.84.72.7")}}})
	if err != nil {
		t.Fatal(err)
	}
	from, err := net.DialUDP("udp", nil, to.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	payload := make([]byte, 150)
	begun := time.Now()
	for range count {
		if _, err := from.Write(payload); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(begun)
	e, err := stop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f frames a second, %d lost", count/took.Seconds(), e.Dropped)
	if e.Frames.Count+e.Dropped != count || e.Dropped > 0 {
		t.Errorf("got %+v", e)
	}
}

// The error says which right is missing.
func TestWithoutTheRight(t *testing.T) {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its rights
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&head, &none[0]); err != nil {
			failed <- err
			return
		}
		_, err := watch(t.Context(), probe.Input{Capture: &file{name: "lo"}})
		failed <- err
	}()
	if err := <-failed; !errors.Is(err, ErrNoCapture) || !errors.Is(err, unix.EPERM) {
		t.Errorf("err = %v", err)
	}
}

// hostBlock makes a block of the ring that holds frames, as the system does.
func hostBlock(frames ...frame) []byte {
	b := make([]byte, 4096)
	put := func(at, v int) { binary.NativeEndian.PutUint32(b[at:], uint32(v)) }
	put(blockCount, len(frames))
	at := 48
	put(blockFirst, at)
	for _, f := range frames {
		put(at+frameNext, 256)
		put(at+frameSec, int(f.at.Unix()))
		put(at+frameNsec, f.at.Nanosecond())
		put(at+frameKept, len(f.data))
		put(at+frameLength, f.length)
		binary.NativeEndian.PutUint16(b[at+frameMAC:], 80)
		if f.outgoing {
			b[at+frameType] = unix.PACKET_OUTGOING
		}
		copy(b[at+80:], f.data)
		at += 256
	}
	return b
}

func TestWalk(t *testing.T) {
	at := time.Unix(1_700_000_000, 123_456_789).UTC()
	want := []frame{{at, []byte("first"), 1500, false}, {at.Add(1), []byte("second"), 6, true}}
	var got []frame
	walk(hostBlock(want...), func(f frame) { got = append(got, f) })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Lengths that lead out of the block end the walk and nothing else.
func FuzzWalk(f *testing.F) {
	f.Add(hostBlock(frame{time.Unix(1, 2), []byte("first"), 5, false})[:512])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 64 || binary.NativeEndian.Uint32(b[blockCount:]) > 1000 {
			return
		}
		walk(b, func(f frame) {
			if len(f.data) > len(b) {
				t.Errorf("%d bytes out of %d", len(f.data), len(b))
			}
		})
	})
}
