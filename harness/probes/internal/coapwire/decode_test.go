package coapwire_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// Examples are worked out by hand after RFC 7252, 3 and RFC 8323, 3.2.
func TestDatagrams(t *testing.T) {
	tests := []struct {
		name string
		raw  string
		want Message
	}{
		{"empty", "\x40\x00\x12\x34", Message{ID: 0x1234}},
		{"reset", "\x70\x00\x00\x01", Message{Type: Reset, ID: 1}},
		{"get", "\x42\x01\x7d\x34ab\xbb.well-known\x04core", Message{Code: GET, ID: 0x7d34, Token: []byte("ab"), Options: PathOptions(Core)}},
		{"content", "\x61\x45\x00\x02t\xc1\x28\xff<>", Message{Type: Acknowledgement, Code: Content, ID: 2, Token: []byte("t"), Options: []Option{Uint(ContentFormat, 40)}, Payload: []byte("<>")}},
		{"observe_0", "\x41\x01\x00\x03t\x60\x51a", Message{Code: GET, ID: 3, Token: []byte("t"), Options: []Option{Uint(Observe, 0), Text(URIPath, "a")}}},
		{"delta_of_one_more_byte", "\x50\x01\x00\x04\xd1\x0a\x0e", Message{Type: NonConfirmable, Code: GET, ID: 4, Options: []Option{Block{SZX: 6, More: true}.Option(Block2)}}},
		{"delta_of_two_more_bytes", "\x40\x45\x00\x05\xe1\x00\x17x", Message{Code: Content, ID: 5, Options: []Option{Text(RequestTag, "x")}}},
		{"length_of_one_more_byte", "\x40\x01\x00\x06\xbd\x00" + strings.Repeat("p", 13), Message{Code: GET, ID: 6, Options: []Option{Text(URIPath, strings.Repeat("p", 13))}}},
		{"length_of_two_more_bytes", "\x40\x01\x00\x07\xbe\x00\x01" + strings.Repeat("p", 270), Message{Code: GET, ID: 7, Options: []Option{Text(URIPath, strings.Repeat("p", 270))}}},
		{"highest_number", "\x40\x45\x00\x08\xe0\xfe\xf2", Message{Code: Content, ID: 8, Options: []Option{{Number: 65535}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Decode([]byte(tt.raw))
			require.NoError(t, err)
			same(t, tt.want, got)
			raw, err := tt.want.Encode()
			require.NoError(t, err)
			assert.Equal(t, tt.raw, string(raw))
		})
	}
}

const Core = "/.well-known/core"

// same compares without the difference between nil and empty.
func same(t *testing.T, want, got Message) {
	t.Helper()
	assert.Equal(t, want.String(), got.String())
	assert.Equal(t, want.ID, got.ID)
	assert.True(t, bytes.Equal(want.Token, got.Token) && bytes.Equal(want.Payload, got.Payload))
	require.Len(t, got.Options, len(want.Options))
	for i, o := range want.Options {
		assert.Equal(t, o.Number, got.Options[i].Number)
		assert.True(t, bytes.Equal(o.Value, got.Options[i].Value), "%x", got.Options[i].Value)
	}
}

func TestWhatIsWrongWithADatagram(t *testing.T) {
	tests := []struct {
		raw    string
		want   Fault
		offset int
	}{
		{"", Truncated, 0}, {"\x40\x01\x00", Truncated, 3}, {"\x80\x01\x00\x00", OtherVersion, 0},
		{"\x49\x01\x00\x00123456789", TokenLength, 0}, {"\x44\x01\x00\x00abc", Truncated, 4},
		{"\x41\x00\x00\x00t", NotEmpty, 4}, {"\x40\x00\x00\x00\xffx", NotEmpty, 4}, {"\x50\x00\x00\x00", WrongType, 0},
		{"\x70\x01\x00\x00", WrongType, 0}, {"\x60\x01\x00\x00", WrongType, 0}, {"\x40\x21\x00\x00", ReservedCode, 1}, {"\x40\xe1\x00\x00", ReservedCode, 1},
		{"\x40\x01\x00\x00\xff", EmptyPayload, 4}, {"\x40\x01\x00\x00\xf0", ReservedNibble, 4}, {"\x40\x01\x00\x00\x0f", ReservedNibble, 4},
		{"\x40\x01\x00\x00\xb2x", Truncated, 5}, {"\x40\x01\x00\x00\xd0", Truncated, 5}, {"\x40\x01\x00\x00\xbe\x01", Truncated, 5},
		{"\x40\x01\x00\x00\xe0\xff\xff", OptionNumber, 4}, {"\x40\x01\x00\x00\xbe\xff\xff", OptionLength, 4},
		{"\x40\x01\x00\x00" + strings.Repeat("\x00", 65), TooManyOptions, 68}, {strings.Repeat("\x40", MaxMessage+1), TooLarge, MaxMessage},
	}
	for _, tt := range tests {
		_, err := Decode([]byte(tt.raw))
		var bad *MalformedError
		require.ErrorAs(t, err, &bad, "%.20q", tt.raw)
		assert.Equal(t, MalformedError{tt.want, tt.offset}, *bad, "%.20q", tt.raw)
		assert.ErrorIs(t, err, ErrMalformed)
		assert.Contains(t, err.Error(), string(tt.want))
	}
}

func TestWhatIsNotSent(t *testing.T) {
	long := bytes.Repeat([]byte("x"), MaxMessage)
	for name, m := range map[string]Message{
		"token": {Code: GET, Token: long[:9]}, "options": {Code: GET, Options: make([]Option, 65)}, "order": {Code: GET, Options: []Option{{Number: 4}, {Number: 1}}},
		"value": {Code: GET, Options: []Option{{Number: 4, Value: long[:1035]}}}, "payload": {Code: POST, Payload: long},
	} {
		for _, encode := range []func() ([]byte, error){m.Encode, m.EncodeStream, m.EncodeWeb} {
			_, err := encode()
			assert.ErrorIs(t, err, ErrMalformed, name)
		}
	}
	_, err := Message{Type: Reset, Code: GET}.Encode()
	assert.ErrorIs(t, err, ErrMalformed)
}

func TestStreams(t *testing.T) {
	big := Message{Code: Content, Token: []byte("12345678"), Payload: bytes.Repeat([]byte("x"), 60_000)}
	messages := []Message{{Code: CSM, Options: []Option{Uint(MaxMessageSize, 1152)}}, {Code: Ping, Token: []byte("p")},
		{Code: Content, Payload: bytes.Repeat([]byte("y"), 11)}, {Code: Content, Payload: bytes.Repeat([]byte("y"), 12)}, {Code: Content, Payload: bytes.Repeat([]byte("y"), 267)}, {Code: Content, Payload: bytes.Repeat([]byte("y"), 268)}, big}
	var raw []byte
	for _, m := range messages {
		b, err := m.EncodeStream()
		require.NoError(t, err)
		raw = append(raw, b...)
		web, err := m.EncodeWeb()
		require.NoError(t, err)
		again, err := DecodeWeb(web)
		require.NoError(t, err)
		same(t, m, again)
	}
	r, total := NewReader(&halting{b: raw}), 0
	for _, m := range messages {
		got, n, err := r.Next()
		for errors.Is(err, os.ErrDeadlineExceeded) { // reading goes on where it was
			got, n, err = r.Next()
		}
		require.NoError(t, err)
		same(t, m, got)
		total += n
	}
	assert.Len(t, raw, total)
	_, _, err := r.Next()
	assert.ErrorIs(t, err, io.EOF)
}

// halting hands out a few bytes at a time, and a time-out between.
type halting struct {
	b    []byte
	halt bool
}

func (h *halting) Read(b []byte) (int, error) {
	if h.halt = !h.halt; h.halt && len(h.b) > 0 {
		return 0, os.ErrDeadlineExceeded
	}
	if len(h.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 7000)], h.b)
	h.b = h.b[n:]
	return n, nil
}

func TestWhatIsWrongWithAStream(t *testing.T) {
	for raw, want := range map[string]error{
		"":                             io.EOF,
		"\x09\x45123456789":            &MalformedError{TokenLength, 0},
		"\xf0\x00\x00\x00\x00\x45":     &MalformedError{TooLarge, 1},
		"\xf0\xff\xff\xff\xff\x45":     &MalformedError{TooLarge, 1},
		"\xe0\xff\xff\x45":             &MalformedError{TooLarge, 1},
		"\xd0":                         io.ErrUnexpectedEOF,
		"\x20\x45x":                    io.ErrUnexpectedEOF,
		"\x10\x45\xff":                 &MalformedError{EmptyPayload, 2},
		"\x00\x21":                     &MalformedError{ReservedCode, 0},
		"HTTP/1.1 400 Bad Request\r\n": &MalformedError{ReservedNibble, 2},
	} {
		_, _, err := NewReader(strings.NewReader(raw)).Next()
		var bad *MalformedError
		if errors.As(err, &bad) && strings.HasPrefix(raw, "HTTP") {
			continue // what exactly is wrong with it does not matter
		}
		assert.Equal(t, want, err, "%q", raw)
	}
	for raw, want := range map[string]Fault{"": Truncated, "\x00": Truncated, "\x10\x45": FrameLength, "\x09\x45": TokenLength, "\x00\x61": ReservedCode, strings.Repeat("x", MaxMessage+1): TooLarge} {
		_, err := DecodeWeb([]byte(raw))
		var bad *MalformedError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, want, bad.Fault, "%.10q", raw)
	}
}

func TestOptions(t *testing.T) {
	for v, want := range map[uint32]string{0: "", 1: "\x01", 255: "\xff", 256: "\x01\x00", 1 << 16: "\x01\x00\x00", 1<<32 - 1: "\xff\xff\xff\xff"} {
		o := Uint(MaxAge, v)
		assert.Equal(t, want, string(o.Value))
		got, ok := o.Uint()
		assert.True(t, ok)
		assert.Equal(t, v, got)
	}
	_, ok := Text(MaxAge, "12345").Uint()
	assert.False(t, ok)
	for path, want := range map[string]string{
		"/": "[]", "": "[]", "/a/b": "[11 a 11 b]", "a": "[11 a]", "/a/": "[11 a 11 ]", "/a?x=1&y": "[11 a 15 x=1 15 y]", "/a%20b/%2F": "[11 a b 11 /]", "/a%zz": "[11 a%zz]", "/?": "[15 ]",
	} {
		var got []string
		for _, o := range PathOptions(path) {
			got = append(got, map[Number]string{URIPath: "11", URIQuery: "15"}[o.Number]+" "+string(o.Value))
		}
		assert.Equal(t, want, "["+strings.Join(got, " ")+"]", "%q", path)
	}
	m := Message{Options: PathOptions("/a/b")}
	assert.Equal(t, "/a/b", m.Path())
	assert.Equal(t, "/", Message{}.Path())
	m.Set(Uint(Observe, 0))
	m.Set(Uint(Observe, 1))
	v, ok := m.Uint(Observe)
	assert.True(t, ok)
	assert.Equal(t, uint32(1), v)
	assert.Equal(t, Observe, m.Options[0].Number)
	assert.Len(t, m.Options, 3)
}

func TestCriticalOptions(t *testing.T) {
	block := Block{}.Option(Block2)
	for want, list := range map[Number][]Option{
		0:       {Uint(Observe, 1), Text(URIPath, "a"), Text(URIPath, "b"), block, {Number: 65000}, {Number: OSCORE, Value: []byte("x")}},
		65001:   {Text(URIPath, "a"), {Number: 65001}},
		Block2:  {block, block},
		URIHost: {{Number: URIHost}},
		URIPath: {Text(URIPath, strings.Repeat("x", 256))},
	} {
		o, bad := Message{Options: list}.BadCritical()
		assert.Equal(t, want != 0, bad, "%d", want)
		assert.Equal(t, want, o.Number)
	}
}

func TestBlocks(t *testing.T) {
	for _, b := range []Block{{}, {Num: 1, More: true, SZX: 6}, {Num: 1<<20 - 1, SZX: 2}, {Num: 5, More: true, SZX: BERT}} {
		got, err := BlockOf(b.Option(Block1))
		require.NoError(t, err)
		assert.Equal(t, b, got)
	}
	assert.Equal(t, 16, Block{}.Size())
	assert.Equal(t, 1024, Block{SZX: 6}.Size())
	assert.Equal(t, 1024, Block{SZX: BERT}.Size())
	_, err := BlockOf(Text(Block2, "four"))
	assert.Error(t, err)
}

func TestNames(t *testing.T) {
	assert.Equal(t, "2.05 4.01 7.05 0.00", strings.Join([]string{Content.String(), Unauthorized.String(), Abort.String(), Empty.String()}, " "))
	assert.Equal(t, "CON ACK", Confirmable.String()+" "+Acknowledgement.String())
	assert.True(t, GET.Request() && !Empty.Request() && Content.Response() && !CSM.Response() && CSM.Signal())
}
