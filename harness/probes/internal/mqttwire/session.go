package mqttwire

import "io"

// Session is one client on one connection. Each method works until it has its
// answer or the caller's deadline on the connection passes; after a time-out
// while reading, a new deadline lets the session go on. Any other error ends
// it, and is returned by every later call. A Session must not be used by two
// goroutines at once.
type Session struct {
	conn    io.ReadWriter
	reader  *Reader
	limits  Limits
	version Version
	failed  error

	largest  uint32 // the broker's Maximum Packet Size, zero if it named none
	aliases  *aliases
	queue    []Message
	held     map[uint16]bool // identifiers of QoS 2 messages not yet released
	lastID   uint16
	pings    int // PINGREQs without an answer
	received int // packets
	stray    int
	at       Span
}

// Message is a PUBLISH that the broker sent.
type Message struct {
	Publish
	Span Span // in what was received
}

// Open sends a CONNECT, as the first bytes of the connection and in one Write,
// and waits for the CONNACK. A refusal is no error: it is what the ConnAck
// says, and ends the session. The Session is never nil.
func Open(conn io.ReadWriter, c Connect, l Limits) (*Session, ConnAck, error) {
	s := &Session{
		conn:    conn,
		reader:  NewReader(conn, c.Version, l),
		limits:  l.orDefault(),
		version: c.Version,
		aliases: newAliases(c.Properties),
		held:    map[uint16]bool{},
	}
	ack, err := s.connect(c)
	switch {
	case err != nil:
		s.failed = err // a connection that has no CONNACK in time has no second chance
	case !ack.Accepted():
		s.failed = ErrNotConnected
	}
	s.largest, _ = ack.Properties.Number(MaximumPacketSize)
	return s, ack, err
}

func (s *Session) connect(c Connect) (ConnAck, error) {
	packet, _, err := c.Encode()
	if err != nil {
		return ConnAck{}, err
	}
	if err := s.write(packet); err != nil {
		return ConnAck{}, err
	}
	p, err := s.read()
	if err != nil {
		return ConnAck{}, err
	}
	if d, ok := p.(Disconnect); ok {
		return ConnAck{}, &DisconnectedError{d}
	}
	ack, ok := p.(ConnAck)
	switch {
	case !ok:
		return ConnAck{}, &UnexpectedError{Got: p.Type(), Want: CONNACK}
	case ack.Accepted() && ack.Version != c.Version:
		return ack, malformed(CONNACK, "accepts in MQTT %s what asked in MQTT %s", ack.Version, c.Version)
	}
	return ack, nil
}

// Subscribe asks for the filters and returns what was granted, a code each.
// Messages that come before the answer are kept for Next.
func (s *Session) Subscribe(filters ...Filter) (SubAck, error) {
	id := s.nextID()
	packet, err := Subscribe{PacketID: id, Filters: filters}.Encode(s.version)
	if err != nil {
		return SubAck{}, err
	}
	ack, err := ask(s, packet, func(a SubAck) bool { return a.PacketID == id })
	if err == nil && len(ack.Codes) != len(filters) {
		return ack, s.fail(malformed(SUBACK, "%d codes for %d filters", len(ack.Codes), len(filters)))
	}
	return ack, err
}

// Unsubscribe gives the filters back.
func (s *Session) Unsubscribe(topics ...string) (UnsubAck, error) {
	id := s.nextID()
	packet, err := Unsubscribe{PacketID: id, Topics: topics}.Encode(s.version)
	if err != nil {
		return UnsubAck{}, err
	}
	ack, err := ask(s, packet, func(a UnsubAck) bool { return a.PacketID == id })
	if err == nil && s.version == V5 && len(ack.Codes) != len(topics) {
		return ack, s.fail(malformed(UNSUBACK, "%d codes for %d filters", len(ack.Codes), len(topics)))
	}
	return ack, err
}

// Publish sends a message under an identifier of its own choice and returns
// the last acknowledgement: PUBACK at QoS 1; PUBCOMP, or a PUBREC that refuses,
// at QoS 2; the zero Ack at QoS 0, which has none.
func (s *Session) Publish(p Publish) (Ack, error) {
	if p.QoS > 0 {
		p.PacketID = s.nextID()
	}
	packet, err := p.Encode(s.version)
	switch {
	case err != nil:
		return Ack{}, err
	case p.QoS == 0:
		return Ack{}, s.send(packet)
	case p.QoS == 1:
		return s.acknowledged(packet, PUBACK, p.PacketID)
	}
	ack, err := s.acknowledged(packet, PUBREC, p.PacketID)
	if err != nil || ack.Code.Failed() {
		return ack, err
	}
	packet, err = Ack{Kind: PUBREL, PacketID: p.PacketID}.Encode(s.version)
	if err != nil {
		return ack, err
	}
	return s.acknowledged(packet, PUBCOMP, p.PacketID)
}

func (s *Session) acknowledged(packet []byte, kind Type, id uint16) (Ack, error) {
	return ask(s, packet, func(a Ack) bool { return a.Kind == kind && a.PacketID == id })
}

// Next returns the next message, acknowledged as its QoS asks.
func (s *Session) Next() (Message, error) {
	for len(s.queue) == 0 {
		if err := s.step(); err != nil {
			return Message{}, err
		}
	}
	m := s.queue[0]
	s.queue = s.queue[1:]
	return m, nil
}

// Ping sends a PINGREQ and waits until all that were sent are answered.
func (s *Session) Ping() error {
	if err := s.send(EncodePingReq()); err != nil {
		return err
	}
	s.pings++
	for s.pings > 0 {
		if err := s.step(); err != nil {
			return err
		}
	}
	return nil
}

// Disconnect says good-bye and ends the session. The connection is the
// caller's to close.
func (s *Session) Disconnect() error {
	packet, err := Disconnect{}.Encode(s.version)
	if err != nil {
		return err
	}
	if err := s.send(packet); err != nil {
		return err
	}
	s.failed = ErrNotConnected
	return nil
}

// Last returns where the packet that was read last lies in what was received:
// after Open, Subscribe, Unsubscribe, Publish or Ping without error, their
// answer. Messages have a Span of their own.
func (s *Session) Last() Span { return s.at }

// Received returns how many bytes the broker sent, read or not understood.
func (s *Session) Received() int64 { return s.reader.Received() }

// Stray returns how many acknowledgements came that nothing waited for, such
// as late ones.
func (s *Session) Stray() int { return s.stray }

func (s *Session) nextID() uint16 {
	if s.lastID++; s.lastID == 0 {
		s.lastID = 1
	}
	return s.lastID
}
