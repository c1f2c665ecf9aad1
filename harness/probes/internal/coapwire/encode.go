package coapwire

import (
	"encoding/binary"
	"slices"
)

const (
	// payloadMark is the byte between options and payload (RFC 7252, 3).
	payloadMark = 0xff
	// headerLength is that of a datagram without token.
	headerLength = 4
	// The nibbles that are followed by one and two more bytes, and the one that
	// is reserved in an option and means four more in a length over TCP.
	oneMore, twoMore, fourMore = 13, 14, 15
	// What the value of such a nibble begins at. With four more bytes it begins
	// above MaxMessage.
	fromOne, fromTwo = 13, 13 + 1<<8
)

// Encode returns the message as one datagram.
func (m Message) Encode() ([]byte, error) {
	if err := m.sendable(); err != nil {
		return nil, err
	}
	if err := m.sound(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, m.room())
	b = append(b, Version<<6|byte(m.Type)<<4|byte(len(m.Token)), byte(m.Code))
	b = binary.BigEndian.AppendUint16(b, m.ID)
	return m.finish(append(b, m.Token...))
}

// EncodeStream returns the message as it is sent over TCP.
func (m Message) EncodeStream() ([]byte, error) {
	if err := m.sendable(); err != nil {
		return nil, err
	}
	body, err := m.finish(make([]byte, 0, m.room()))
	if err != nil {
		return nil, err
	}
	nibble, more := extend(len(body))
	b := append([]byte{nibble<<4 | byte(len(m.Token))}, more...)
	b = append(append(b, byte(m.Code)), m.Token...)
	return append(b, body...), nil
}

// EncodeWeb returns the message as the payload of one WebSocket message.
func (m Message) EncodeWeb() ([]byte, error) {
	if err := m.sendable(); err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, m.room()), byte(len(m.Token)), byte(m.Code))
	return m.finish(append(b, m.Token...))
}

// room is at least what the message takes.
func (m Message) room() int {
	n := 2*headerLength + len(m.Token) + 1 + len(m.Payload)
	for _, o := range m.Options {
		n += len(o.Value) + 5
	}
	return n
}

// sendable refuses what could not be read again.
func (m Message) sendable() error {
	switch {
	case len(m.Token) > MaxToken:
		return wrong(TokenLength, 0)
	case len(m.Options) > MaxOptions:
		return wrong(TooManyOptions, 0)
	case !slices.IsSortedFunc(m.Options, func(a, b Option) int { return int(a.Number) - int(b.Number) }):
		return wrong(UnsortedOptions, 0)
	}
	for _, o := range m.Options {
		if len(o.Value) > MaxValue {
			return wrong(OptionLength, 0)
		}
	}
	return nil
}

// finish appends options and payload.
func (m Message) finish(b []byte) ([]byte, error) {
	before := 0
	for _, o := range m.Options {
		delta, more := extend(int(o.Number) - before)
		length, longer := extend(len(o.Value))
		b = append(b, delta<<4|length)
		b = append(append(append(b, more...), longer...), o.Value...)
		before = int(o.Number)
	}
	if len(m.Payload) > 0 {
		b = append(append(b, payloadMark), m.Payload...)
	}
	if len(b) > MaxMessage {
		return nil, wrong(TooLarge, MaxMessage)
	}
	return b, nil
}

// extend splits a delta or a length of an option (RFC 7252, 3.1), or the length
// of a message (RFC 8323, 3.2).
func extend(v int) (nibble byte, more []byte) {
	switch {
	case v < fromOne:
		return byte(v), nil
	case v < fromTwo:
		return oneMore, []byte{byte(v - fromOne)}
	}
	return twoMore, binary.BigEndian.AppendUint16(nil, uint16(v-fromTwo)) //nolint:gosec // at most MaxMessage, which is fromTwo less than what fits
}
