package lwm2mbench

import (
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/transport"
)

// largestDatagram is the most that UDP carries, in bytes.
const largestDatagram = 64 << 10

// remembered is how many answers are kept for requests that are sent again.
const remembered = 32

// A dialogue serves one port of the device in one protocol.
type dialogue struct {
	desk *desk
	look looker // for secrets, which stands still inside DTLS
	note func(func(*Dialogue))

	sent []answered
}

// answered is a request that was answered, and how.
type answered struct {
	id    uint16
	index int    // of the request in the evidence, -1 if it is not there
	reply []byte // empty for no answer
}

// serve answers until nothing more comes. Its error is that of the connection.
func (d *dialogue) serve(c transport.Conn, first []byte) error {
	buffer := make([]byte, largestDatagram)
	datagram, before := first, int64(0)
	if first == nil {
		before = c.Span().Length
	}
	for {
		if datagram == nil {
			n, err := c.Read(buffer)
			if err != nil {
				return err
			}
			datagram = buffer[:n]
		}
		span := c.Span()
		span.Offset, span.Length = before, span.Length-before
		before += span.Length
		if reply := d.take(datagram, span); len(reply) > 0 {
			if _, err := c.Write(reply); err != nil {
				return err
			}
		}
		datagram = nil
	}
}

// take records one datagram and returns what is said to it.
func (d *dialogue) take(datagram []byte, span evidence.Span) []byte {
	m, err := coapwire.Decode(datagram)
	if err != nil {
		d.note(func(e *Dialogue) { e.Malformed++ })
		return nil
	}
	switch {
	case m.Code == coapwire.Empty && m.Type == coapwire.Confirmable: // a ping
		return encode(coapwire.Message{Type: coapwire.Reset, ID: m.ID})
	case !m.Code.Request():
		return nil // an answer to nothing that we asked
	}
	if i := slices.IndexFunc(d.sent, func(a answered) bool { return a.id == m.ID }); i >= 0 {
		d.again(d.sent[i].index)
		return d.sent[i].reply
	}
	a := d.request(m, datagram, span)
	if len(d.sent) == remembered {
		d.sent = d.sent[1:]
	}
	d.sent = append(d.sent, a)
	return a.reply
}

// again counts a request that was sent once more.
func (d *dialogue) again(index int) {
	if index >= 0 {
		d.note(func(e *Dialogue) { e.Requests[index].Times++ })
	}
}

// request records a new request, or one more block of the last one.
func (d *dialogue) request(m coapwire.Message, datagram []byte, span evidence.Span) answered {
	kind, block := kindOf(m), blockOf(m)
	a := answered{id: m.ID, index: -1}
	code, location, ok := coapwire.Continue, []string(nil), true
	switch _, bad := m.BadCritical(); {
	case bad && kind != Protected:
		code = coapwire.BadOption
	case !block.More:
		code, location, ok = d.desk.answer(kind, m)
	}
	key, secrets := d.look.in(datagram)
	d.note(func(e *Dialogue) {
		if a.index = e.place(kind, block, m, span); a.index < 0 {
			return
		}
		r := &e.Requests[a.index]
		r.Blocks++
		r.Whole = tri(!block.More)
		r.Secrets = append(r.Secrets, secrets...)
		if r.Key != evidence.Yes {
			r.Key = key
		}
		if ok {
			r.Answer = Code(code.String())
		}
	})
	if ok {
		a.reply = encode(reply(m, code, location))
	}
	return a
}

// place returns where a request stands in the evidence: that of the last one for
// a further block of it, else a new one. It is -1 where no more are kept.
func (e *Dialogue) place(kind Kind, block coapwire.Block, m coapwire.Message, span evidence.Span) int {
	last := len(e.Requests) - 1
	if block.Num > 0 && last >= 0 && e.Requests[last].Kind == kind && e.Requests[last].Whole == evidence.No {
		return last
	}
	if len(e.Requests) == mostRequests {
		e.More++
		return -1
	}
	e.Requests = append(e.Requests, Request{
		Kind: kind, OSCORE: tri(m.Has(coapwire.OSCORE)), Path: []byte(m.Path()), Endpoint: endpointName(m), Times: 1, Span: span,
	})
	return last + 1
}

// blockOf is the block of a request; one that is not divided, or not as it should
// be, is whole.
func blockOf(m coapwire.Message) coapwire.Block {
	o, ok := m.Get(coapwire.Block1)
	if !ok {
		return coapwire.Block{}
	}
	b, err := coapwire.BlockOf(o)
	if err != nil {
		return coapwire.Block{}
	}
	return b
}

// encode returns the bytes of a message of ours, which always has some.
func encode(m coapwire.Message) []byte {
	b, err := m.Encode()
	if err != nil { // what came has a token and a block that fit: see Decode
		return nil
	}
	return b
}

func tri(b bool) evidence.Tri {
	if b {
		return evidence.Yes
	}
	return evidence.No
}
