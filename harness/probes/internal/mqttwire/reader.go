package mqttwire

import (
	"errors"
	"io"
	"slices"
)

// Frame is one control packet before it is understood.
type Frame struct {
	Type  Type
	Flags byte   // the lower half of the first byte
	Body  []byte // variable header and payload
	Span  Span   // of the whole packet in what was received
}

// Reader cuts what a broker sends into packets. It sets memory aside only for
// bytes that arrived, whatever a length says. A time-out does no harm: with a
// new deadline, Next goes on where it was. Every other error is final.
type Reader struct {
	src     io.Reader
	version Version
	limits  Limits

	buf      []byte // received and not handed out, from off on
	off      int
	consumed int // bytes handed out
	received int
	pending  error // came beside bytes, returned once those are used up
	failed   error
}

// NewReader returns a Reader for one connection in the given version.
func NewReader(src io.Reader, v Version, l Limits) *Reader {
	return &Reader{src: src, version: v, limits: l.orDefault()}
}

// Received returns how many bytes have arrived so far.
func (r *Reader) Received() int64 { return int64(r.received) }

// Next returns the next packet. Its errors are io.EOF between two packets,
// io.ErrUnexpectedEOF inside one, a *MalformedError, a *TooLargeError, or what
// the connection returned.
func (r *Reader) Next() (Frame, error) {
	if r.failed != nil {
		return Frame{}, r.failed
	}
	header, length, err := r.header()
	if err == nil {
		err = r.need(header + length)
	}
	if err != nil {
		return Frame{}, r.keep(err)
	}
	packet := r.buf[r.off : r.off+header+length]
	f := Frame{
		Type:  Type(packet[0] >> 4),
		Flags: packet[0] & 0x0f,
		Body:  slices.Clone(packet[header:]),
		Span:  Span{int64(r.consumed), int64(len(packet))},
	}
	r.off += len(packet)
	r.consumed += len(packet)
	return f, nil
}

// header reads the fixed header and returns its length and the remaining
// length that it announces, once that is within the limit.
func (r *Reader) header() (header, length int, err error) {
	for n := 2; ; n++ {
		if err := r.need(n); err != nil {
			return 0, 0, err
		}
		t := Type(r.buf[r.off] >> 4)
		value, size, ok := varint(r.buf[r.off+1 : r.off+n])
		switch {
		case !ok:
			return 0, 0, malformed(t, "remaining length has more than four bytes")
		case size == 0:
			continue
		case r.version == V5 && overlong(value, size):
			return 0, 0, malformed(t, "remaining length has more bytes than it needs")
		case n+value > r.limits.PacketBytes:
			return 0, 0, &TooLargeError{LargePacket, n + value, r.limits.PacketBytes}
		}
		return n, value, nil
	}
}

const (
	// readChunk is the most that is read at once. It holds nearly every
	// packet of a small device.
	readChunk = 4 << 10

	// maxEmptyReads is how often a connection may return neither bytes nor
	// an error, as in the standard library's own readers.
	maxEmptyReads = 100
)

// need makes sure that n bytes lie in the buffer.
func (r *Reader) need(n int) error {
	for empty := 0; len(r.buf)-r.off < n; {
		if r.received >= r.limits.TotalBytes {
			return &TooLargeError{LargeTotal, r.consumed + n, r.limits.TotalBytes}
		}
		got, err := r.fill()
		if empty++; got > 0 {
			empty = 0
		}
		switch {
		case got > 0:
		case err == io.EOF && len(r.buf) > r.off:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case empty >= maxEmptyReads:
			return io.ErrNoProgress
		}
	}
	return nil
}

// fill reads once, at most up to the limit of the connection. An error beside
// bytes is returned by the next call.
func (r *Reader) fill() (int, error) {
	if err := r.pending; err != nil {
		r.pending = nil
		return 0, err
	}
	r.buf = slices.Delete(r.buf, 0, r.off)
	r.off = 0
	chunk := min(readChunk, r.limits.TotalBytes-r.received)
	r.buf = slices.Grow(r.buf, chunk)
	n, err := r.src.Read(r.buf[len(r.buf) : len(r.buf)+chunk])
	r.buf = r.buf[:len(r.buf)+n]
	r.received += n
	if n > 0 {
		r.pending, err = err, nil
	}
	return n, err
}

// keep makes an error final unless it is a time-out.
func (r *Reader) keep(err error) error {
	if !timedOut(err) {
		r.failed = err
	}
	return err
}

// timedOut reports whether err is the caller's deadline.
func timedOut(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}
