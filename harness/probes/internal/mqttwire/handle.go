package mqttwire

import "fmt"

// ask sends a packet and returns the answer of type P for which match is true.
// What else comes in between is handled.
func ask[P Packet](s *Session, packet []byte, match func(P) bool) (P, error) {
	var none P
	if err := s.send(packet); err != nil {
		return none, err
	}
	for {
		p, err := s.read()
		if err != nil {
			return none, s.fail(err)
		}
		if answer, ok := p.(P); ok && match(answer) {
			return answer, nil
		}
		if err := s.handle(p); err != nil {
			return none, s.fail(err)
		}
	}
}

// send writes a packet of ours, unless the session is over or the broker said
// that it takes none so large.
func (s *Session) send(packet []byte) error {
	if s.failed != nil {
		return s.failed
	}
	if s.largest > 0 && uint64(len(packet)) > uint64(s.largest) {
		return fmt.Errorf("packet of %d bytes is over the broker's limit of %d", len(packet), s.largest)
	}
	return s.write(packet)
}

// write ends the session on any error: part of the packet may be sent.
func (s *Session) write(packet []byte) error {
	if _, err := s.conn.Write(packet); err != nil {
		s.failed = err
		return err
	}
	return nil
}

func (s *Session) read() (Packet, error) {
	f, err := s.reader.Next()
	if err != nil {
		return nil, err
	}
	s.at = f.Span
	if s.received++; s.received > s.limits.Packets {
		return nil, &TooLargeError{LargePackets, s.received, s.limits.Packets}
	}
	return f.Decode(s.version)
}

// step reads one packet and handles it.
func (s *Session) step() error {
	if s.failed != nil {
		return s.failed
	}
	p, err := s.read()
	if err == nil {
		err = s.handle(p)
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// fail ends the session unless err is a time-out.
func (s *Session) fail(err error) error {
	if s.failed == nil && !timedOut(err) {
		s.failed = err
	}
	return err
}

// handle does what the standard asks of a client for a packet that no call
// waits for.
func (s *Session) handle(p Packet) error {
	switch p := p.(type) {
	case Publish:
		return s.deliver(p)
	case Ack:
		if p.Kind == PUBREL {
			return s.release(p.PacketID)
		}
		s.stray++
	case PingResp:
		if s.pings > 0 {
			s.pings--
		} else {
			s.stray++
		}
	case SubAck, UnsubAck:
		s.stray++
	case Disconnect:
		return &DisconnectedError{p}
	default: // a second CONNACK; an AUTH, for which we never ask
		return &UnexpectedError{Got: p.Type()}
	}
	return nil
}

// deliver queues a message and acknowledges it. A QoS 2 message that is sent
// again before its release is acknowledged again and not queued.
func (s *Session) deliver(p Publish) error {
	if err := s.aliases.resolve(&p); err != nil {
		return err
	}
	if p.QoS < 2 || !s.held[p.PacketID] {
		s.queue = append(s.queue, Message{p, s.at})
	}
	switch p.QoS {
	case 1:
		return s.acknowledge(Ack{Kind: PUBACK, PacketID: p.PacketID})
	case 2:
		s.held[p.PacketID] = true
		return s.acknowledge(Ack{Kind: PUBREC, PacketID: p.PacketID})
	}
	return nil
}

func (s *Session) release(id uint16) error {
	a := Ack{Kind: PUBCOMP, PacketID: id}
	if !s.held[id] && s.version == V5 {
		a.Code = PacketIdentifierNotFound
	}
	delete(s.held, id)
	return s.acknowledge(a)
}

func (s *Session) acknowledge(a Ack) error {
	packet, err := a.Encode(s.version)
	if err != nil {
		return err
	}
	return s.write(packet)
}

// aliases are the broker's topic aliases. It may set as many as our CONNECT
// allowed: none unless that had a Topic Alias Maximum.
type aliases struct {
	max    uint32
	topics map[uint32]string
}

func newAliases(p Properties) *aliases {
	largest, _ := p.Number(TopicAliasMaximum)
	return &aliases{largest, map[uint32]string{}}
}

// resolve learns an alias, or puts the topic in that it stands for.
func (a *aliases) resolve(p *Publish) error {
	alias, ok := p.Properties.Number(TopicAlias)
	switch {
	case !ok:
		return nil
	case alias > a.max:
		return malformed(PUBLISH, "topic alias %d where %d is the largest", alias, a.max)
	case p.Topic != "":
		a.topics[alias] = p.Topic
		return nil
	}
	if p.Topic = a.topics[alias]; p.Topic == "" {
		return malformed(PUBLISH, "topic alias %d stands for nothing", alias)
	}
	return nil
}
