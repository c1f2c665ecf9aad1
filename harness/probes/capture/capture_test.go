package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"
	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	device = netip.MustParseAddrPort("192.0.2.1:1883")
	us     = netip.MustParseAddrPort("192.0.2.9:40000")
	other  = netip.MustParseAddrPort("198.51.100.1:443")
)

const canary = "correct horse battery staple"

// file is a capture member in memory, and what knows the run's connections.
type file struct {
	bytes.Buffer
	closed int
	name   string
	full   error // what writing returns, if not nil
	ours   func(local, remote netip.AddrPort) bool
}

func (f *file) Interface() string { return f.name }

func (f *file) Create() (evidence.Member, probe.WriteCloser, error) { return "capture.pcapng", f, nil }

func (f *file) Ours(local, remote netip.AddrPort) bool {
	return f.ours != nil && f.ours(local, remote)
}

func (f *file) Mask(b []byte) {
	for i := bytes.Index(b, []byte(canary)); i >= 0; i = bytes.Index(b, []byte(canary)) {
		copy(b[i:], strings.Repeat("*", len(canary)))
	}
}

func (f *file) Write(b []byte) (int, error) {
	if f.full != nil {
		return 0, f.full
	}
	return f.Buffer.Write(b)
}

func (f *file) Close() error {
	f.closed++
	return nil
}

// packets reads a capture back with a reader that is not ours.
func packets(t *testing.T, f *file) [][]byte {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(f.Bytes()), pcapgo.NgReaderOptions{ErrorOnMismatchingLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	if i, err := r.Interface(0); err != nil || i.Name != f.name {
		t.Errorf("interface = %+v, %v", i, err)
	}
	var all [][]byte
	for {
		data, info, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if info.CaptureLength != len(data) || info.Length < len(data) || info.Timestamp.IsZero() {
			t.Errorf("frame %d: %+v", len(all)+1, info)
		}
		all = append(all, data)
	}
}

// tape is a source that has seen what it holds.
type tape struct {
	frames []frame
	lost   int64
	lo     bool
	broken error
	closed int
}

func (s *tape) read(take func(frame)) error {
	for _, f := range s.frames {
		take(f)
	}
	s.frames = nil
	time.Sleep(time.Millisecond)
	return s.broken
}

func (s *tape) dropped() (int64, error) { return s.lost, nil }
func (s *tape) loopback() bool          { return s.lo }
func (s *tape) close() error            { s.closed++; return nil }

// tcp returns a frame from one end to the other.
func tcp(from, to netip.AddrPort, payload string) []byte {
	b := make([]byte, 12, 200)
	segment := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from.Port()), to.Port())
	segment = append(segment, 0, 0, 0, 0, 0, 0, 0, 0, 6<<4, 0x18, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1) // 4 bytes of options
	segment = append(segment, payload...)
	return append(ip(b, protoTCP, from.Addr(), to.Addr(), len(segment)), segment...)
}

// ip adds a type and a header without options to an Ethernet header.
func ip(b []byte, proto byte, from, to netip.Addr, length int) []byte {
	if from.Is4() {
		b = append(b, 0x08, 0x00, 0x45, 0, byte((length+20)>>8), byte(length+20), 0, 0, 0x40, 0, 64, proto, 0, 0)
	} else {
		b = append(b, 0x86, 0xdd, 0x60, 0, 0, 0, byte(length>>8), byte(length), proto, 64)
	}
	return append(append(b, from.AsSlice()...), to.AsSlice()...)
}

func taken(t *testing.T, f *file, s *tape) (Evidence, error) {
	t.Helper()
	target := probe.Target{Addrs: []netip.Addr{device.Addr()}}
	stop, err := record(probe.Input{Capture: f, Target: target}, s)
	if err != nil {
		return Evidence{}, err
	}
	return stop(t.Context())
}

func TestRecord(t *testing.T) {
	f := &file{name: "eth9", ours: func(l, r netip.AddrPort) bool { return l == us && r == device }}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	var frames []frame
	for _, b := range [][]byte{
		tcp(us, device, "password="+canary),
		tcp(device, us, "hello"),
		tcp(device, other, "token="+canary+"!"),
		tcp(other, device, "ok"),
		[]byte("not a frame"),
	} {
		frames = append(frames, frame{at: at, data: b, length: len(b), outgoing: bytes.Contains(b, []byte("password"))})
	}
	s := &tape{frames: frames, lost: 3}
	e, err := taken(t, f, s)
	if err != nil {
		t.Fatal(err)
	}
	want := Evidence{
		Vantage: Unknown, Interface: "eth9", Started: e.Started, Ended: e.Ended,
		Frames: evidence.Frames{Member: "capture.pcapng", First: 1, Count: 5}, FromDevice: 2, Own: 2, Dropped: 3,
	}
	if e != want || e.Ended.Before(e.Started) || f.closed != 1 || s.closed != 1 {
		t.Errorf("got %+v, want %+v", e, want)
	}
	got := packets(t, f)
	if len(got) != 5 || len(got[0]) != 14+20+24 || len(got[1]) != 14+20+24 || !bytes.HasSuffix(got[2], []byte("token=****************************!")) || !bytes.HasSuffix(got[3], []byte("ok")) {
		t.Errorf("frames = %q", got)
	}
	if bytes.Contains(f.Bytes(), []byte("horse")) {
		t.Error("a secret is in the capture")
	}
	data, err := evidence.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Decode[Evidence](data); err != nil {
		t.Error(err)
	}
}

func TestLoopbackFramesComeTwice(t *testing.T) {
	b := tcp(device, other, "x")
	f := &file{name: "lo"}
	e, err := taken(t, f, &tape{lo: true, frames: []frame{{data: b, length: len(b), outgoing: true, at: time.Unix(1, 0)}, {data: b, length: len(b), at: time.Unix(1, 0)}}})
	if err != nil || e.Doubled != 1 || e.Frames.Count != 1 || e.Vantage != Host || len(packets(t, f)) != 1 {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestNothingSeen(t *testing.T) {
	f := &file{name: "eth9"}
	if e, err := taken(t, f, &tape{}); err != nil || e.Frames != (evidence.Frames{Member: "capture.pcapng"}) || len(packets(t, f)) != 0 {
		t.Errorf("got %+v, %v", e, err)
	}
}

// stated is a capture whose place is known.
type stated struct{ *file }

func (stated) Vantage() Vantage { return Mirror }

func TestVantage(t *testing.T) {
	if got := vantage(stated{}, false); got != Mirror {
		t.Errorf("stated: %s", got)
	}
	if got := vantage(stated{}, true); got != Host {
		t.Errorf("loopback: %s", got)
	}
	if got := vantage(&file{}, false); got != Unknown {
		t.Errorf("not stated: %s", got)
	}
}

// What cannot be written or read is no evidence.
func TestTrouble(t *testing.T) {
	full := errors.New("no space left on device")
	b := tcp(device, other, strings.Repeat("x", 1000))
	var many []frame
	for range 1000 {
		many = append(many, frame{data: b, length: len(b), at: time.Unix(1, 0)})
	}
	f, s := &file{name: "eth9", full: full}, &tape{frames: many}
	if e, err := taken(t, f, s); !errors.Is(err, full) || s.closed != 1 || f.closed != 1 {
		t.Errorf("full disk: %+v, %v", e, err)
	}
	down := errors.New("network is down")
	if e, err := taken(t, &file{name: "eth9"}, &tape{broken: down}); !errors.Is(err, down) {
		t.Errorf("broken source: %+v, %v", e, err)
	}
	if _, err := watch(t.Context(), probe.Input{}); !errors.Is(err, ErrNoCapture) || !strings.Contains(err.Error(), "CAP_NET_RAW") {
		t.Errorf("no right: %v", err)
	}
	if _, err := watch(t.Context(), probe.Input{Capture: &file{name: "no-such-link"}}); err == nil || !strings.Contains(err.Error(), "no-such-link") {
		t.Errorf("no interface: %v", err)
	}
}
