package coapwire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// maxHead is the longest way from the first byte of a message over TCP to its
// code.
const maxHead = 1 + 4 + 1

// A Reader reads messages of a stream (RFC 8323, 3.2). After a time-out reading
// goes on where it was.
type Reader struct{ r *bufio.Reader }

// NewReader returns a reader of r.
func NewReader(r io.Reader) *Reader {
	return &Reader{bufio.NewReaderSize(r, maxHead+MaxToken+MaxMessage)}
}

// Next reads the next message, and returns how many bytes it took. After an
// error that is no time-out nothing that comes can be made sense of.
func (r *Reader) Next() (Message, int, error) {
	first, err := r.r.Peek(1)
	if err != nil {
		return Message{}, 0, err
	}
	length, token := int(first[0]>>4), int(first[0]&0x0f)
	if token > MaxToken {
		return Message{}, 0, wrong(TokenLength, 0)
	}
	head := 2 // with the code
	if length >= oneMore {
		head += 1 << (length - oneMore)
	}
	b, err := r.peek(head)
	if err != nil {
		return Message{}, 0, err
	}
	if length, err = bodyLength(length, b[1:]); err != nil {
		return Message{}, 0, err
	}
	size := head + token + length
	if b, err = r.peek(size); err != nil {
		return Message{}, 0, err
	}
	m, err := body(append([]byte(nil), b...), head, Code(b[head-1]), token)
	if err != nil {
		return Message{}, 0, err
	}
	_, err = r.r.Discard(size)
	return m, size, err
}

// peek is Peek, in which a stream may not end.
func (r *Reader) peek(n int) ([]byte, error) {
	b, err := r.r.Peek(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// bodyLength reads the length of options and payload.
func bodyLength(nibble int, more []byte) (int, error) {
	length := nibble
	switch nibble {
	case oneMore:
		length = int(more[0]) + fromOne
	case twoMore:
		length = int(binary.BigEndian.Uint16(more)) + fromTwo
	}
	if length > MaxMessage || nibble == fourMore {
		return 0, wrong(TooLarge, 1)
	}
	return length, nil
}
