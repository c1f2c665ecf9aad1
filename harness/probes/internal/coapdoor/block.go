package coapdoor

import (
	"context"
	"errors"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// Caps of an answer in blocks.
const (
	MaxBlocks  = 128
	MaxPayload = 64 << 10 // bytes
)

// szx is the exponent of the size of the blocks that are sent: 1024 bytes.
const szx = 6

var errNoBlock = errors.New("no block")

// blockOf returns where in the whole a response belongs.
func blockOf(m coapwire.Message) (coapwire.Block, error) {
	o, ok := m.Get(coapwire.Block2)
	if !ok {
		return coapwire.Block{}, errNoBlock
	}
	return coapwire.BlockOf(o)
}

// rest fetches the blocks after the first (RFC 7959, 2.4). What does not fit is
// left out, and the exchange says so.
func (d *dialogue) rest(ctx context.Context, reply coapwire.Message) error {
	b, err := blockOf(reply)
	if err != nil || b.Num != 0 {
		if !errors.Is(err, errNoBlock) {
			d.x.Truncated = evidence.Yes
		}
		return nil
	}
	for b.More {
		d.x.Truncated = evidence.Yes // until the last block is there
		if d.x.Blocks >= MaxBlocks || len(d.x.Payload)+b.Size() > MaxPayload || len(reply.Payload) == 0 {
			return nil
		}
		m, outcome, err := d.call(ctx, d.asking(b, len(d.x.Payload)))
		if err != nil || outcome != Answered {
			return err
		}
		if !m.Code.Response() || m.Code.Class() != 2 {
			d.x.Code = Code(m.Code.String())
			return nil
		}
		if b, err = blockOf(m); err != nil || !d.fits(b, m) {
			return nil //nolint:nilerr // what the device sent is no error of ours
		}
		reply = m
		d.x.Payload = slices.Concat(d.x.Payload, m.Payload)
		d.x.Blocks++
	}
	if len(d.x.Payload) > MaxPayload {
		d.x.Payload = d.x.Payload[:MaxPayload]
		return nil
	}
	d.x.Truncated = evidence.No
	return nil
}

// asking is the request for the block that begins at offset.
func (d *dialogue) asking(b coapwire.Block, offset int) coapwire.Message {
	m := d.first
	if m.Payload = nil; m.Code == coapwire.GET || m.Code == coapwire.FETCH {
		m.Token = token() // for all others some servers keep the whole under the first one
	}
	m.Options = slices.DeleteFunc(slices.Clone(m.Options), func(o coapwire.Option) bool {
		return o.Number == coapwire.Observe || o.Number == coapwire.Block1 || o.Number == coapwire.Size1
	})
	m.Set(coapwire.Block{Num: uint32(offset / b.Size()), SZX: b.SZX}.Option(coapwire.Block2)) //nolint:gosec // at most MaxPayload
	return m
}

// fits reports whether a block follows what is there, and is of the same whole.
func (d *dialogue) fits(b coapwire.Block, m coapwire.Message) bool {
	tag, _ := m.Get(coapwire.ETag)
	full := !b.More || len(m.Payload) > 0 && len(m.Payload)%b.Size() == 0
	return int(b.Num)*b.Size() == len(d.x.Payload) && full && slices.Equal(tag.Value, d.x.ETag)
}

// upload sends the request, in blocks if its payload is long (RFC 7959, 2.5), and
// returns the response to the last of them.
func (d *dialogue) upload(ctx context.Context) (coapwire.Message, Outcome, error) {
	size := szx
	for {
		m, outcome, err := d.blocks(ctx, size)
		smaller, ok := d.smaller(m, size)
		if err != nil || outcome != Answered || !ok {
			return m, outcome, err
		}
		size = smaller
	}
}

// smaller returns the size of blocks that a server asks for that refused larger
// ones.
func (d *dialogue) smaller(m coapwire.Message, size int) (int, bool) {
	o, ok := m.Get(coapwire.Block1)
	if m.Code != coapwire.EntityTooLarge || !ok {
		return 0, false
	}
	b, err := coapwire.BlockOf(o)
	return int(b.SZX), err == nil && int(b.SZX) < size
}

// blocks sends the payload in blocks of one size.
func (d *dialogue) blocks(ctx context.Context, size int) (coapwire.Message, Outcome, error) {
	whole, step := d.first.Payload, coapwire.Block{SZX: uint8(size)}.Size() //nolint:gosec // at most 7
	most := step
	if !d.s.Door.Datagrams() && size == szx {
		most = d.s.most - baseMessage/2 // with room for the options
	}
	if len(whole) <= max(most, step) {
		return d.call(ctx, d.first)
	}
	for offset := 0; ; offset += step {
		m := d.first
		part := whole[offset:min(offset+step, len(whole))]
		more := offset+step < len(whole)
		m.Payload = part
		m.Set(coapwire.Block{Num: uint32(offset / step), More: more, SZX: uint8(size)}.Option(coapwire.Block1)) //nolint:gosec // at most MaxMessage
		reply, outcome, err := d.call(ctx, m)
		if err != nil || outcome != Answered || !more || reply.Code != coapwire.Continue {
			return reply, outcome, err
		}
	}
}
