package capture

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// A pcapng writes a capture file with one section and one Ethernet interface
// (draft-ietf-opsawg-pcapng), in little-endian order whatever the machine.
type pcapng struct {
	w   *bufio.Writer
	buf []byte
}

// Types of blocks.
const (
	blockSection    = 0x0a0d0d0a
	blockInterface  = 1
	blockStatistics = 5
	blockFrame      = 6
)

const (
	byteOrder = 0x1a2b3c4d
	ethernet  = 1 // LINKTYPE_ETHERNET

	optEnd        = 0
	optName       = 2
	optResolution = 9
	optReceived   = 4
	optDropped    = 5

	nanoseconds = 9 // as a negative power of ten
)

// newPcapng writes the head of the file.
func newPcapng(w io.Writer, name string) (*pcapng, error) {
	p := &pcapng{w: bufio.NewWriterSize(w, 256<<10)}
	head := u32(nil, byteOrder)
	head = append(head, 1, 0, 0, 0) // version 1.0
	head = u64(head, -1)            // length of the section: not known
	if err := p.block(blockSection, head); err != nil {
		return nil, err
	}
	link := u16(u16(nil, ethernet), 0)
	link = u32(link, 0) // no limit on the length of frames
	link = option(link, optName, []byte(name))
	link = option(link, optResolution, []byte{nanoseconds})
	if err := p.block(blockInterface, option(link, optEnd, nil)); err != nil {
		return nil, err
	}
	return p, nil
}

// write adds a frame, of which data may be a part.
func (p *pcapng) write(at time.Time, data []byte, length int) error {
	p.buf = u32(p.buf[:0], 0) // the interface
	p.buf = timestamp(p.buf, at)
	p.buf = u32(p.buf, len(data))
	p.buf = u32(p.buf, length)
	p.buf = append(p.buf, data...)
	return p.block(blockFrame, pad(p.buf))
}

// finish adds the counts and writes all that is left.
func (p *pcapng) finish(at time.Time, received, dropped int64) error {
	b := timestamp(u32(nil, 0), at)
	b = option(b, optReceived, u64(nil, received+dropped))
	b = option(b, optDropped, u64(nil, dropped))
	if err := p.block(blockStatistics, option(b, optEnd, nil)); err != nil {
		return err
	}
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("writing the capture: %w", err)
	}
	return nil
}

// block writes a block with its length on both sides.
func (p *pcapng) block(kind int, body []byte) error {
	length := len(body) + 12
	for _, part := range [][]byte{u32(u32(nil, kind), length), body, u32(nil, length)} {
		if _, err := p.w.Write(part); err != nil {
			return fmt.Errorf("writing the capture: %w", err)
		}
	}
	return nil
}

func option(b []byte, code int, value []byte) []byte {
	b = u16(u16(b, code), len(value))
	return pad(append(b, value...))
}

// timestamp writes the upper half first, whatever the order of bytes.
func timestamp(b []byte, at time.Time) []byte {
	ns := at.UnixNano()
	return u32(u32(b, int(ns>>32)), int(ns&(1<<32-1)))
}

// pad fills up to a multiple of four bytes.
func pad(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// What is written is no longer than a frame, or a count.
func u16(b []byte, v int) []byte   { return binary.LittleEndian.AppendUint16(b, uint16(v)) } //nolint:gosec // bounded, as said above
func u32(b []byte, v int) []byte   { return binary.LittleEndian.AppendUint32(b, uint32(v)) } //nolint:gosec // bounded, as said above
func u64(b []byte, v int64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(v)) } //nolint:gosec // bounded, as said above
