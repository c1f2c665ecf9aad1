package websocket

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/transport"
)

// wire is a connection below frames.
type wire struct {
	transport.Conn
	out    bytes.Buffer
	hidden string
}

func (w *wire) Write(b []byte) (int, error) { return w.out.Write(b) }

func (w *wire) WriteSecret(b []byte, offset, length int) (int, error) {
	w.hidden = string(b[offset : offset+length])
	return w.out.Write(b)
}

func (*wire) SetWriteDeadline(time.Time) error { return nil }
func (*wire) Span() evidence.Span              { return evidence.Span{} }

// pieces hands out one piece a read, and a time-out for an empty one.
type pieces []string

func (p *pieces) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	piece := (*p)[0]
	*p = (*p)[1:]
	if piece == "" {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, piece)
	if n < len(piece) {
		*p = append(pieces{piece[n:]}, *p...)
	}
	return n, nil
}

func TestFrames(t *testing.T) {
	long, longer := strings.Repeat("x", 200), strings.Repeat("y", 70_000)
	tests := []struct {
		name string
		in   pieces
		want string
		err  error
		out  string
	}{
		{"one", pieces{"\x82\x02ab"}, "ab", io.EOF, ""},
		{"two", pieces{"\x82\x02ab\x82\x01c"}, "abc", io.EOF, ""},
		{"in_fragments", pieces{"\x02\x02ab\x80\x01c"}, "abc", io.EOF, ""},
		{"byte_by_byte", pieces{"\x82", "\x02", "a", "b"}, "ab", io.EOF, ""},
		{"empty_frames", pieces{"\x82\x00\x82\x01c"}, "c", io.EOF, ""},
		{"of_200_bytes", pieces{"\x82\x7e\x00\xc8" + long}, long, io.EOF, ""},
		{"of_70_000_bytes", pieces{"\x82\x7f\x00\x00\x00\x00\x00\x01\x11\x70", longer[:30_000], longer[30_000:]}, longer, io.EOF, ""},
		{"ping_in_between", pieces{"\x82\x01a\x89\x02hi\x82\x01b"}, "ab", io.EOF, "\x8a\x82\x00\x00\x00\x00hi"},
		{"pong_in_between", pieces{"\x8a\x00\x82\x01b"}, "b", io.EOF, ""},
		{"closed", pieces{"\x82\x01a\x88\x02\x03\xe8\x82\x01b"}, "a", io.EOF, ""},
		{"text", pieces{"\x81\x01a"}, "", ErrMalformed, ""},
		{"masked", pieces{"\x82\x81\x00\x00\x00\x00a"}, "", ErrMalformed, ""},
		{"reserved_bits", pieces{"\xc2\x01a"}, "", ErrMalformed, ""},
		{"unknown_kind", pieces{"\x83\x01a"}, "", ErrMalformed, ""},
		{"long_ping", pieces{"\x89\x7e\x00\x7e"}, "", ErrMalformed, ""},
		{"ping_in_fragments", pieces{"\x09\x00"}, "", ErrMalformed, ""},
		{"cut_off", pieces{"\x82\x05ab"}, "ab", io.EOF, ""},
		{"length_lie", pieces{"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xffab"}, "ab", io.EOF, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &wire{}
			f := &framed{Conn: w, reader: bufio.NewReader(&tt.in)}
			got, err := io.ReadAll(f)
			if err == nil {
				err = io.EOF
			}
			assert.True(t, tt.want == string(got), "%d bytes", len(got))
			assert.ErrorIs(t, err, tt.err)
			assert.Equal(t, tt.out, w.out.String())
		})
	}
}

// A time-out in the middle of a frame loses nothing.
func TestFramesGoOnAfterATimeOut(t *testing.T) {
	in := pieces{"\x82", "", "\x7e\x00", "", "\xc8", "", strings.Repeat("x", 100), "", strings.Repeat("x", 100)}
	f := &framed{Conn: &wire{}, reader: bufio.NewReader(&in)}
	var got []byte
	waited := 0
	for {
		b := make([]byte, 64)
		n, err := f.Read(b)
		got = append(got, b[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			waited++
		} else if err != nil {
			break
		}
	}
	assert.Equal(t, 4, waited)
	assert.Equal(t, strings.Repeat("x", 200), string(got))
}

func TestWrittenFrames(t *testing.T) {
	for length, header := range map[int]string{
		3: "\x82\x83", 125: "\x82\xfd", 126: "\x82\xfe\x00\x7e", 70_000: "\x82\xff\x00\x00\x00\x00\x00\x01\x11\x70",
	} {
		w := &wire{}
		payload := strings.Repeat("p", length-2) + "!?"
		f := &framed{Conn: w, offset: length - 2, length: 2}
		n, err := f.Write([]byte(payload))
		assert.NoError(t, err)
		assert.Equal(t, length, n)
		assert.True(t, header+"\x00\x00\x00\x00"+payload == w.out.String(), "%d bytes", length)
		assert.Equal(t, "!?", w.hidden)
	}
}

// The example of RFC 6455, 1.3.
func TestAccept(t *testing.T) {
	const key, accept = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	assert.Equal(t, accept, acceptOf(key))
	head := "HTTP/1.1 101 OK\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n"
	assert.Equal(t, Upgraded, ofHead([]byte(head+"\r\n"), key, "mqtt"))
	assert.Equal(t, Upgraded, ofHead([]byte(head+"Sec-WebSocket-Protocol: mqtt\r\n\r\n"), key, "mqtt"))
	assert.Equal(t, OddUpgrade, ofHead([]byte(head+"Sec-WebSocket-Protocol: chat\r\n\r\n"), key, "mqtt"))
	assert.Equal(t, OddUpgrade, ofHead([]byte(head+"\r\n"), "other", "mqtt"))
}

func FuzzFrames(f *testing.F) {
	for _, s := range []string{"\x82\x02ab", "\x89\x02hi\x82\x01b", "\x82\x7e\x00\xc8", "\x88\x00", "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xffab"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		w := &wire{}
		got, _ := io.ReadAll(&framed{Conn: w, reader: bufio.NewReader(bytes.NewReader(in))})
		if len(got) > len(in) || w.out.Len() > 8*len(in) {
			t.Errorf("%d bytes read and %d written for %d", len(got), w.out.Len(), len(in))
		}
	})
}

func FuzzHead(f *testing.F) {
	f.Add([]byte("HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		if ofHead(head, "dGhlIHNhbXBsZSBub25jZQ==", "mqtt") == Upgraded && !bytes.Contains(head, []byte("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
			t.Errorf("%q is taken for an upgrade", head)
		}
	})
}
