package dtlswire

import (
	"bytes"
	"fmt"
)

// A Message is a whole handshake message.
type Message struct {
	Type byte
	Seq  uint16
	Body []byte
}

// An Alert is a refusal, or a farewell, in DTLS's own words.
type Alert struct{ Level, Description byte }

// Fatal reports whether the other side gives up. A farewell does so whatever its
// level.
func (a Alert) Fatal() bool { return a.Level == 2 || a.Description == closeNotify }

const (
	closeNotify = 0
	// userCanceled is what a client says that breaks off for no fault of the
	// server: RFC 8446, 6.1.
	userCanceled = 90
)

// Farewell returns a datagram that ends a handshake in clear, so that a server
// need not wait for more, in the record number seq.
func Farewell(v Version, seq uint64) []byte {
	return Record{Type: contentAlert, Version: v, Seq: seq, Body: []byte{2, userCanceled}}.Bytes()
}

// A Flight puts together what a server answers to one hello. Its fragments may
// come in any order, more than once, and overlap, as long as they agree. Its zero
// value is ready to use; what it holds is capped.
type Flight struct {
	// Alerts are those in clear, in the order in which they came.
	Alerts []Alert
	// Datagrams, Fragments and Bytes count what came, copies included.
	Datagrams, Fragments, Bytes int
	// Sealed says that records came that only a key opens.
	Sealed bool
	// Version is that of the record that came last.
	Version Version

	parts map[uint16]*parts
	held  int // bytes that the parts take
}

// parts are what is there of one message.
type parts struct {
	kind    byte
	data    []byte
	have    []bool
	missing int
}

// alertsMost is how many alerts are kept: one ends a flight.
const alertsMost = 8

// Add takes a datagram. What was read of it before an error stays.
func (f *Flight) Add(datagram []byte) error {
	f.Datagrams++
	f.Bytes += len(datagram)
	records, err := Records(datagram)
	for _, r := range records {
		if r.Sealed || r.Epoch != 0 {
			f.Sealed = true
			continue
		}
		f.Version = r.Version
		if err := f.record(r); err != nil {
			return err
		}
	}
	return err
}

func (f *Flight) record(r Record) error {
	switch r.Type {
	case contentAlert:
		return f.alert(r.Body)
	case contentHandshake:
		list, err := fragments(r.Body)
		for _, part := range list {
			if err := f.fragment(part); err != nil {
				return err
			}
		}
		return err
	}
	return nil
}

func (f *Flight) alert(body []byte) error {
	if len(body) != 2 || body[0] < 1 || body[0] > 2 {
		return fmt.Errorf("an alert of %d bytes", len(body))
	}
	if len(f.Alerts) < alertsMost {
		f.Alerts = append(f.Alerts, Alert{body[0], body[1]})
	}
	return nil
}

func (f *Flight) fragment(part Fragment) error {
	if f.Fragments++; f.Fragments > fragmentsMost {
		return fmt.Errorf("%d fragments: %w", f.Fragments, ErrTooMuch)
	}
	p, err := f.place(part)
	if err != nil {
		return err
	}
	if p.kind != part.Type || len(p.data) != part.Whole {
		return fmt.Errorf("message %d: %w", part.Seq, ErrContradicted)
	}
	return p.take(part)
}

// place returns what is there of the message that a fragment belongs to.
func (f *Flight) place(part Fragment) (*parts, error) {
	if p, ok := f.parts[part.Seq]; ok {
		return p, nil
	}
	if part.Whole > messageMost || f.held+part.Whole > flightMost || len(f.parts) == messagesMost {
		return nil, fmt.Errorf("message %d of %d bytes: %w", part.Seq, part.Whole, ErrTooMuch)
	}
	if f.parts == nil {
		f.parts = map[uint16]*parts{}
	}
	p := &parts{kind: part.Type, data: make([]byte, part.Whole), have: make([]bool, part.Whole), missing: part.Whole}
	f.parts[part.Seq] = p
	f.held += part.Whole
	return p, nil
}

// take puts a fragment in its place, which must agree with what is there.
func (p *parts) take(part Fragment) error {
	for i, b := range part.Body {
		at := part.Offset + i
		switch {
		case !p.have[at]:
			p.data[at], p.have[at] = b, true
			p.missing--
		case p.data[at] != b:
			return fmt.Errorf("byte %d of message %d: %w", at, part.Seq, ErrContradicted)
		}
	}
	return nil
}

// Messages returns the messages that are whole, from the one that opens a flight
// on and without a gap: what comes after a gap may belong to anything.
func (f *Flight) Messages() []Message {
	first, ok := f.first()
	var list []Message
	for ok {
		p := f.parts[first]
		if p == nil || p.missing > 0 {
			break
		}
		list = append(list, Message{p.kind, first, bytes.Clone(p.data)})
		first++
	}
	return list
}

// first returns the number of the message that opens the flight. That of a hello
// after a cookie is 1, but not with every server.
func (f *Flight) first() (lowest uint16, ok bool) {
	for seq, p := range f.parts {
		if (p.kind == ServerHello || p.kind == HelloVerifyRequest) && (!ok || seq < lowest) {
			lowest, ok = seq, true
		}
	}
	return lowest, ok
}

// Find returns the first whole message of a type.
func (f *Flight) Find(kind byte) (Message, bool) {
	for _, m := range f.Messages() {
		if m.Type == kind {
			return m, true
		}
	}
	return Message{}, false
}

// Forget drops the messages of a type.
func (f *Flight) Forget(kind byte) {
	for seq, p := range f.parts {
		if p.kind == kind {
			f.held -= len(p.data)
			delete(f.parts, seq)
		}
	}
}
