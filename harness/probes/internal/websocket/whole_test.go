package websocket

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// messages reads all messages, a bar between them, and the error at the end.
func messages(in io.Reader, most int) (string, error) {
	r := &whole{framed: &framed{Conn: &wire{}, reader: bufio.NewReader(in)}, most: most}
	var got []string
	for {
		b := make([]byte, most)
		n, err := r.Read(b)
		switch {
		case err == nil:
			got = append(got, string(b[:n]))
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return strings.Join(got, "|"), err
		}
	}
}

func TestMessages(t *testing.T) {
	tests := []struct {
		name string
		in   pieces
		want string
		err  error
	}{
		{"one_each", pieces{"\x82\x02ab\x82\x01c"}, "ab|c", io.EOF},
		{"in_fragments", pieces{"\x02\x02ab\x80\x01c\x82\x01d"}, "abc|d", io.EOF},
		{"byte_by_byte_with_time_outs", pieces{"\x02", "", "\x02", "a", "", "b", "\x80", "", "\x01", "", "c"}, "abc", io.EOF},
		{"empty_ones", pieces{"\x82\x00\x82\x01c\x02\x00\x80\x00"}, "|c|", io.EOF},
		{"ping_between_fragments", pieces{"\x02\x01a\x89\x00\x80\x01b"}, "ab", io.EOF},
		{"too_long", pieces{"\x82\x01a\x82\x09123456789"}, "a", ErrMalformed},
		{"too_long_together", pieces{"\x02\x0512345\x80\x0456789"}, "", ErrMalformed},
		{"length_lie", pieces{"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xffab"}, "", ErrMalformed},
		{"cut_off", pieces{"\x82\x05ab"}, "", io.ErrUnexpectedEOF},
		{"closed", pieces{"\x82\x01a\x88\x00"}, "a", io.EOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := messages(&tt.in, 8)
			assert.Equal(t, tt.want, got)
			assert.ErrorIs(t, err, tt.err)
		})
	}
}

func FuzzMessages(f *testing.F) {
	for _, s := range []string{"\x82\x02ab", "\x02\x02ab\x80\x01c", "\x82\x7e\x00\xc8", "\x82\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := messages(bytes.NewReader(in), 64)
		if err == nil || len(got) > 2*len(in) {
			t.Errorf("%d bytes of messages in %d bytes, %v", len(got), len(in), err)
		}
	})
}
