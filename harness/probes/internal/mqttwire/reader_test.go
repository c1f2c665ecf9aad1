package mqttwire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repeat is a broker that sends the same bytes for ever.
type repeat struct {
	bytes []byte
	at    int
}

func (r *repeat) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = r.bytes[r.at]
		r.at = (r.at + 1) % len(r.bytes)
	}
	return len(b), nil
}

// hesitant fails with a time-out between any two bytes.
type hesitant struct {
	rest  []byte
	speak bool
}

func (h *hesitant) Read(b []byte) (int, error) {
	if h.speak = !h.speak; h.speak {
		return 0, os.ErrDeadlineExceeded
	}
	if len(h.rest) == 0 {
		return 0, io.EOF
	}
	b[0], h.rest = h.rest[0], h.rest[1:]
	return 1, nil
}

func TestReaderFrames(t *testing.T) {
	wire := unhex(t, "20 02 00 00  31 05 0001 61 6869  d0 00")
	want := []Frame{
		{CONNACK, 0, []byte{0, 0}, Span{0, 4}},
		{PUBLISH, 1, []byte("\x00\x01ahi"), Span{4, 7}},
		{PINGRESP, 0, []byte{}, Span{11, 2}},
	}
	for name, src := range map[string]io.Reader{
		"at_once":        bytes.NewReader(wire),
		"byte_by_byte":   iotest.OneByteReader(bytes.NewReader(wire)),
		"end_with_bytes": iotest.DataErrReader(bytes.NewReader(wire)),
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(src, V311, Limits{})
			for _, f := range want {
				got, err := r.Next()
				require.NoError(t, err)
				assert.Equal(t, f, got)
			}
			_, err := r.Next()
			assert.Equal(t, io.EOF, err)
			assert.Equal(t, int64(len(wire)), r.Received())
		})
	}
}

func TestReaderGoesOnAfterATimeout(t *testing.T) {
	r := NewReader(&hesitant{rest: unhex(t, "20 02 00 00 d0 80 00")}, V311, Limits{})
	var types []Type
	waits := 0
	for {
		f, err := r.Next()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			waits++
			continue
		}
		if err != nil {
			require.Equal(t, io.EOF, err)
			break
		}
		types = append(types, f.Type)
	}
	assert.Equal(t, []Type{CONNACK, PINGRESP}, types)
	assert.Equal(t, 8, waits) // one before each of 7 bytes and one before the end
}

func TestReaderErrorsAreFinal(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name string
		src  io.Reader
		want error
	}{
		{"cut_in_header", strings.NewReader("\x20"), io.ErrUnexpectedEOF},
		{"cut_in_length", strings.NewReader("\x20\x80"), io.ErrUnexpectedEOF},
		{"cut_in_body", strings.NewReader("\x20\x02\x00"), io.ErrUnexpectedEOF},
		{"empty", strings.NewReader(""), io.EOF},
		{"malformed", strings.NewReader("\x20\xff\xff\xff\xff\x20\x02\x00\x00"), ErrMalformed},
		{"too_large", strings.NewReader("\x30\xff\xff\xff\x7f\x20\x02\x00\x00"), ErrTooLarge},
		{"broken", iotest.ErrReader(broken), broken},
		{"broken_beside_bytes", io.MultiReader(strings.NewReader("\x20\x02"), iotest.ErrReader(broken)), broken},
		{"no_progress", stuck{}, io.ErrNoProgress},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(tt.src, V311, Limits{})
			for range 3 {
				f, err := r.Next()
				assert.ErrorIs(t, err, tt.want)
				assert.Zero(t, f)
			}
		})
	}
}

// beside returns its error together with its bytes.
type beside struct {
	bytes string
	err   error
}

func (b beside) Read(p []byte) (int, error) { return copy(p, b.bytes), b.err }

func TestReaderKeepsAnErrorBesideBytes(t *testing.T) {
	broken := errors.New("the transcript cannot be written")
	r := NewReader(beside{"\xd0\x00\xd0", broken}, V311, Limits{})
	f, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, PINGRESP, f.Type)
	_, err = r.Next()
	assert.Equal(t, broken, err)
}

// stuck returns neither bytes nor an error.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestReaderLimits(t *testing.T) {
	exact := append(unhex(t, "30 fd ff 0f"), make([]byte, 256<<10)...) // 4 + 262,141 is one over
	tests := []struct {
		name   string
		src    io.Reader
		limits Limits
		want   *TooLargeError
		frames int
	}{
		{"length_lie", strings.NewReader("\x30\xff\xff\xff\x7f"), Limits{}, &TooLargeError{LargePacket, 1<<28 + 4, DefaultPacketBytes}, 0},
		{"one_byte_over", bytes.NewReader(exact), Limits{}, &TooLargeError{LargePacket, DefaultPacketBytes + 1, DefaultPacketBytes}, 0},
		{"own_packet_limit", strings.NewReader("\xd0\x00\x30\x04\x00\x01ab"), Limits{PacketBytes: 5}, &TooLargeError{LargePacket, 6, 5}, 1},
		{"own_total_limit", strings.NewReader("\xd0\x00\xd0\x00\xd0\x00"), Limits{TotalBytes: 5}, &TooLargeError{LargeTotal, 6, 5}, 2},
		{"endless_pings", &repeat{bytes: []byte{0xd0, 0}}, Limits{}, &TooLargeError{LargeTotal, DefaultTotalBytes + 2, DefaultTotalBytes}, DefaultTotalBytes / 2},
		{"endless_packet", &repeat{bytes: []byte{0x30, 0xff, 0x7f}}, Limits{TotalBytes: 1000}, &TooLargeError{LargeTotal, 16386, 1000}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(tt.src, V311, tt.limits)
			frames := 0
			_, err := r.Next()
			for ; err == nil; _, err = r.Next() {
				frames++
			}
			require.ErrorIs(t, err, ErrTooLarge)
			assert.NotErrorIs(t, err, ErrMalformed)
			assert.Equal(t, tt.want, err)
			assert.Equal(t, tt.frames, frames)
			assert.LessOrEqual(t, r.Received(), int64(tt.limits.orDefault().TotalBytes))
		})
	}
}

func TestReaderTakesAPacketOfTheLimit(t *testing.T) {
	body := append([]byte("\x00\x01a"), make([]byte, DefaultPacketBytes-4-3)...)
	wire := append(appendVarint([]byte{0x30}, len(body)), body...)
	require.Len(t, wire, DefaultPacketBytes)
	p, err := decode(t, V311, wire)
	require.NoError(t, err)
	assert.Len(t, p.(Publish).Payload, len(body)-3)
}

// allocated returns how many bytes f set aside.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Five bytes that announce 256 MB made another client set 256 MB aside.
func TestLengthLieAllocatesNextToNothing(t *testing.T) {
	const each = 16 << 10 // a Reader, its first chunk and the error
	for _, limits := range []Limits{{}, {PacketBytes: 1 << 29, TotalBytes: 1 << 30}} {
		got := allocated(func() {
			for range 50 {
				r := NewReader(strings.NewReader("\x30\xff\xff\xff\x7f"), V311, limits)
				_, err := r.Next()
				if err == nil {
					t.Error("a packet of 256 MB was read from 5 bytes")
				}
			}
		})
		assert.Less(t, got, uint64(50*each))
	}
}

// The properties, strings and codes in a packet announce lengths as well.
func TestInnerLengthLiesAllocateNextToNothing(t *testing.T) {
	for _, wire := range []string{
		"20 09 00 00 ff ff ff 7f 1f ff ff", "20 06 00 00 03 1f ff ff", "30 04 ff ff 61 61", "30 08 0001 61 ff ff ff 7f 61",
	} {
		b := unhex(t, wire)
		b[1] = byte(len(b) - 2)
		got := allocated(func() {
			_, err := decode(t, V5, b)
			require.ErrorIs(t, err, ErrMalformed)
		})
		assert.Less(t, got, uint64(32<<10), wire)
	}
}

// A broker that drips keeps an idle timer alive, but not an absolute deadline.
func TestReaderDripEndsAtTheDeadline(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		defer theirs.Close()
		for _, err := theirs.Write([]byte{0x30, 0xff, 0x7f}); err == nil; _, err = theirs.Write([]byte{0}) {
			time.Sleep(5 * time.Millisecond)
		}
	}()
	start := time.Now()
	require.NoError(t, ours.SetDeadline(start.Add(100*time.Millisecond)))
	_, err := NewReader(ours, V311, Limits{}).Next()
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.Less(t, time.Since(start), time.Second)
}

func TestVarint(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, maxVarint} {
		b := appendVarint(nil, n)
		value, length, ok := varint(append(b, 0xff))
		assert.True(t, ok)
		assert.Equal(t, n, value)
		assert.Equal(t, len(b), length)
		assert.False(t, overlong(value, length))
		_, length, ok = varint(b[:len(b)-1])
		assert.True(t, ok)
		assert.Zero(t, length, "%d cut short", n)
	}
	_, _, ok := varint([]byte{0x80, 0x80, 0x80, 0x80})
	assert.False(t, ok)
	assert.True(t, overlong(0, 2))
	assert.True(t, overlong(127, 4))
	assert.False(t, overlong(128, 2))
}
