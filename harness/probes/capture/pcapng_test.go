package capture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

// The bytes of a capture are the same on every machine.
func TestPcapngBytes(t *testing.T) {
	var b bytes.Buffer
	p, err := newPcapng(&b, "eth0")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1, 2)
	if err := errors.Join(p.write(at, []byte("abcde"), 9), p.finish(at, 1, 7)); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"0a0d0d0a" + "1c000000" + "4d3c2b1a" + "01000000" + "ffffffffffffffff" + "1c000000",
		"01000000" + "28000000" + "0100" + "0000" + "00000000" + "0200" + "0400" + "65746830" + "0900" + "0100" + "09000000" + "00000000" + "28000000",
		"06000000" + "28000000" + "00000000" + "00000000" + "02ca9a3b" + "05000000" + "09000000" + "6162636465000000" + "28000000",
		"05000000" + "34000000" + "00000000" + "00000000" + "02ca9a3b" + "0400" + "0800" + "0800000000000000" + "0500" + "0800" + "0700000000000000" + "00000000" + "34000000",
	}, "")
	if got := hex.EncodeToString(b.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Blocks are multiples of four bytes and say their length twice.
func TestBlocks(t *testing.T) {
	var b bytes.Buffer
	p, err := newPcapng(&b, "a-long-name")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		if err := p.write(time.Now(), make([]byte, n), n+1500); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.finish(time.Now(), 50, 0); err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for rest := b.Bytes(); len(rest) > 0; blocks++ {
		n := int(binary.LittleEndian.Uint32(rest[4:]))
		if n%4 != 0 || n > len(rest) || int(binary.LittleEndian.Uint32(rest[n-4:])) != n {
			t.Fatalf("block %d is %d bytes long", blocks, n)
		}
		rest = rest[n:]
	}
	if blocks != 53 {
		t.Errorf("%d blocks", blocks)
	}
}

// noMember is a bundle that cannot take a capture.
type noMember struct {
	*file
	err error
}

func (n noMember) Create() (evidence.Member, probe.WriteCloser, error) { return "", nil, n.err }

func TestMemberThatCannotBeMade(t *testing.T) {
	full := errors.New("read-only file system")
	s := &tape{}
	if _, err := record(probe.Input{Capture: noMember{&file{name: "eth9"}, full}}, s); !errors.Is(err, full) || s.closed != 1 {
		t.Errorf("err = %v, closed %d times", err, s.closed)
	}
}

// The head of the file is on its way before the first frame, and a file that
// takes no head is no capture.
func TestFullFromTheStart(t *testing.T) {
	full := errors.New("no space left on device")
	f, s := &file{name: strings.Repeat("long", 100_000), full: full}, &tape{}
	if _, err := record(probe.Input{Capture: f}, s); !errors.Is(err, full) || f.closed != 1 || s.closed != 1 {
		t.Errorf("err = %v", err)
	}
}

// IPv6 and fragments: only what surely is ours is cut.
func TestWhatIsCut(t *testing.T) {
	ours := func(l, r netip.AddrPort) bool { return l == us6 && r == device6 || l == us && r == device }
	fragment := tcp(us, device, "rest of a datagram")
	fragment[21] = 0x10
	tests := []struct {
		name string
		in   []byte
		kept int
		own  int64
	}{
		{"ours_6", udp(us6, device6, "hello"), 14 + 40 + 8, 1},
		{"ours_6_back", udp(device6, us6, "hello"), 14 + 40 + 8, 1},
		{"reversed_ports", udp(netip.AddrPortFrom(us6.Addr(), device6.Port()), netip.AddrPortFrom(device6.Addr(), us6.Port()), "hello"), 14 + 40 + 8 + 5, 0},
		{"fragment", fragment, len(fragment), 0},
		{"without_payload", tcp(us, device, ""), 14 + 20 + 24, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &file{name: "eth9", ours: ours}
			e, err := taken(t, f, &tape{frames: []frame{{at: time.Unix(1, 0), data: tt.in, length: len(tt.in)}}})
			if err != nil {
				t.Fatal(err)
			}
			if got := packets(t, f); e.Own != tt.own || len(got) != 1 || len(got[0]) != tt.kept || !bytes.HasPrefix(tt.in, got[0]) {
				t.Errorf("%+v: kept %x", e, got)
			}
		})
	}
}
