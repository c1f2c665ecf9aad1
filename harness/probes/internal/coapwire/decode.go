package coapwire

import "encoding/binary"

// Decode reads one datagram. What it returns shares the memory of b. Encoding
// it again gives the same bytes.
func Decode(b []byte) (Message, error) {
	switch {
	case len(b) > MaxMessage:
		return Message{}, wrong(TooLarge, MaxMessage)
	case len(b) < headerLength:
		return Message{}, wrong(Truncated, len(b))
	case b[0]>>6 != Version:
		return Message{}, wrong(OtherVersion, 0)
	}
	m := Message{Type: Type(b[0] >> 4 & 3), Code: Code(b[1]), ID: binary.BigEndian.Uint16(b[2:])}
	c := cursor{b: b, at: headerLength}
	if err := c.rest(&m, int(b[0]&0x0f)); err != nil {
		return Message{}, err
	}
	if err := m.sound(); err != nil {
		return Message{}, err
	}
	return m, nil
}

// DecodeWeb reads the payload of one WebSocket message (RFC 8323, 4.2).
func DecodeWeb(b []byte) (Message, error) {
	switch {
	case len(b) > MaxMessage:
		return Message{}, wrong(TooLarge, MaxMessage)
	case len(b) < 2:
		return Message{}, wrong(Truncated, len(b))
	case b[0]>>4 != 0:
		return Message{}, wrong(FrameLength, 0)
	}
	return body(b, 2, Code(b[1]), int(b[0]&0x0f))
}

// body reads what follows the code of a message over TCP or WebSocket.
func body(b []byte, at int, code Code, token int) (Message, error) {
	m := Message{Code: code}
	c := cursor{b: b, at: at}
	if err := c.rest(&m, token); err != nil {
		return Message{}, err
	}
	if class := code.Class(); class == 1 || class == 3 || class == 6 {
		return Message{}, wrong(ReservedCode, 0)
	}
	return m, nil
}

// sound refuses a datagram whose parts do not go together (RFC 7252, 3, 4.1 to
// 4.3 and 12.1). Signals have no place in it.
func (m Message) sound() error {
	switch {
	case m.Code == Empty && (len(m.Token) > 0 || len(m.Options) > 0 || len(m.Payload) > 0):
		return wrong(NotEmpty, headerLength)
	case m.Code == Empty && m.Type == NonConfirmable, m.Code != Empty && m.Type == Reset,
		m.Code.Request() && m.Type == Acknowledgement:
		return wrong(WrongType, 0)
	case m.Code != Empty && !m.Code.Request() && !m.Code.Response():
		return wrong(ReservedCode, 1)
	}
	return nil
}

// A cursor goes through a message.
type cursor struct {
	b  []byte
	at int
}

// take returns the next n bytes.
func (c *cursor) take(n int) ([]byte, error) {
	if n > len(c.b)-c.at {
		return nil, wrong(Truncated, c.at)
	}
	c.at += n
	return c.b[c.at-n : c.at : c.at], nil
}

// rest reads token, options and payload.
func (c *cursor) rest(m *Message, token int) (err error) {
	if token > MaxToken {
		return wrong(TokenLength, 0)
	}
	if m.Token, err = c.take(token); err != nil {
		return err
	}
	number := 0
	for c.at < len(c.b) {
		if c.b[c.at] == payloadMark {
			return c.payload(m)
		}
		if len(m.Options) == MaxOptions {
			return wrong(TooManyOptions, c.at)
		}
		o, err := c.option(&number)
		if err != nil {
			return err
		}
		m.Options = append(m.Options, o)
	}
	return nil
}

func (c *cursor) payload(m *Message) error {
	if c.at+1 == len(c.b) {
		return wrong(EmptyPayload, c.at)
	}
	m.Payload = c.b[c.at+1:]
	return nil
}

// option reads one option; number is that of the one before, and then its own.
func (c *cursor) option(number *int) (Option, error) {
	begun := c.at
	first := c.b[c.at]
	c.at++
	delta, err := c.extended(int(first >> 4))
	if err != nil {
		return Option{}, err
	}
	length, err := c.extended(int(first & 0x0f))
	if err != nil {
		return Option{}, err
	}
	switch {
	case *number+delta > 0xffff:
		return Option{}, wrong(OptionNumber, begun)
	case length > MaxValue:
		return Option{}, wrong(OptionLength, begun)
	}
	*number += delta
	value, err := c.take(length)
	return Option{Number(*number), value}, err //nolint:gosec // see the case
}

// extended reads what belongs to a nibble of an option.
func (c *cursor) extended(nibble int) (int, error) {
	switch nibble {
	case oneMore:
		more, err := c.take(1)
		if err != nil {
			return 0, err
		}
		return int(more[0]) + fromOne, nil
	case twoMore:
		more, err := c.take(2)
		if err != nil {
			return 0, err
		}
		return int(binary.BigEndian.Uint16(more)) + fromTwo, nil
	case fourMore:
		return 0, wrong(ReservedNibble, c.at-1)
	}
	return nibble, nil
}
