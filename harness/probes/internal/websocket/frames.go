package websocket

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/assay-iot/assay/harness/transport"
)

// The kinds of frames (RFC 6455, 5.2). The protocols of devices have no use for
// text.
const (
	opContinue = 0x0
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa
)

const (
	finBit     = 0x80
	maskBit    = 0x80
	maxControl = 125 // bytes in a control frame
	maskLength = 4
)

// framed takes the frames off what is read and puts them on what is written.
// After a time-out reading goes on where it was.
type framed struct {
	transport.Conn
	reader *bufio.Reader
	left   uint64 // of the payload of the frame that is being read
	begun  bool   // a message
	fin    bool   // the frame is the last of its message

	offset, length int // of the secret in the next write
}

// Held passes on whether the connection below is held back.
func (f *framed) Held() bool { return transport.Held(f.Conn) }

// Read reads payload of binary frames.
func (f *framed) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for f.left == 0 {
		if err := f.header(); err != nil {
			return 0, err
		}
	}
	n, err := f.reader.Read(b[:min(uint64(len(b)), f.left)])
	f.left -= uint64(n) //nolint:gosec // never negative
	return n, err
}

// header reads the header of a frame, and all of a control frame.
func (f *framed) header() error {
	first, err := f.reader.Peek(2)
	if err != nil {
		return err
	}
	op, length, size := first[0]&0x0f, uint64(first[1]&^maskBit), 2
	switch length {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	head, err := f.reader.Peek(size)
	if err != nil {
		return err
	}
	switch length {
	case 126:
		length = uint64(binary.BigEndian.Uint16(head[2:]))
	case 127:
		length = binary.BigEndian.Uint64(head[2:])
	}
	switch {
	case head[1]&maskBit != 0, head[0]&0x70 != 0:
		return badFrame("masked, or with bits that nobody agreed on")
	case op == opBinary, op == opContinue:
		f.left, f.begun, f.fin = length, true, head[0]&finBit != 0
		_, err = f.reader.Discard(size)
		return err
	case op != opClose && op != opPing && op != opPong || length > maxControl || head[0]&finBit == 0:
		return badFrame("of a kind that has no place here")
	}
	return f.control(op, size, int(length)) //nolint:gosec // at most maxControl
}

// control reads a control frame and answers it.
func (f *framed) control(op byte, size, length int) error {
	frame, err := f.reader.Peek(size + length)
	if err != nil {
		return err
	}
	payload := append([]byte{}, frame[size:]...)
	if _, err := f.reader.Discard(size + length); err != nil {
		return err
	}
	switch op {
	case opClose:
		return io.EOF
	case opPing:
		_, err = f.write(opPong, payload)
	}
	return err
}

func badFrame(why string) error {
	return fmt.Errorf("websocket frame %s: %w", why, ErrMalformed)
}

// Write writes b as one binary frame.
func (f *framed) Write(b []byte) (int, error) { return f.write(opBinary, b) }

// write writes a frame. Its mask is zero: it is there to protect proxies from
// scripts in browsers, and would only hide from the transcript what is sent.
func (f *framed) write(op byte, b []byte) (int, error) {
	frame := []byte{finBit | op}
	switch n := len(b); {
	case n <= maxControl:
		frame = append(frame, maskBit|byte(n)) //nolint:gosec // at most 125
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, maskBit|126), uint16(n)) //nolint:gosec // see the case
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, maskBit|127), uint64(n)) //nolint:gosec // a length
	}
	frame = append(frame, make([]byte, maskLength)...)
	header := len(frame)
	var err error
	if op == opBinary && f.length > 0 {
		_, err = f.WriteSecret(append(frame, b...), header+f.offset, f.length)
	} else {
		_, err = f.Conn.Write(append(frame, b...))
	}
	if err != nil {
		return 0, err
	}
	return len(b), nil
}
