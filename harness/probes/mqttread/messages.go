package mqttread

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/probes/internal/secretpattern"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	maxMessages = 64   // that are kept
	maxTelling  = 64   // more, if they tell of secrets or clients
	maxPayload  = 1024 // bytes of one payload that are kept
	maxTopic    = 1024 // bytes of one topic
	maxSecrets  = 16   // of one message
	maxHidden   = 256  // secrets of one look: more would slow the transcript down
)

// collection keeps what one look received.
type collection struct {
	net      transport.Dialer
	list     []Message
	whole    map[string]int // place in list, by topic, payload and whether it was retained
	telling  int            // kept beyond maxMessages
	received int
	retained int
	unkept   int
	hidden   int
	clients  bool // something told of clients
	others   bool // something came that is not about the broker
}

func newCollection(d transport.Dialer) *collection {
	return &collection{net: d, whole: map[string]int{}}
}

// add takes one message up.
func (c *collection) add(m mqttwire.Message, s *mqttdoor.Session, way Way) {
	c.received++
	key := m.Topic + "\x00" + string(m.Payload)
	if m.Retain {
		key += "\x00retained"
	}
	if i, ok := c.whole[key]; ok {
		if i >= 0 {
			c.list[i].Times++
		}
		return
	}
	c.whole[key] = -1
	msg := c.read(m, s, way)
	if m.Retain {
		c.retained++
	}
	told := msg.NamesClients()
	c.clients = c.clients || told
	c.others = c.others || !isSys(m.Topic)
	switch {
	case len(c.list)-c.telling < maxMessages:
	case (told || len(msg.Secrets) > 0) && c.telling < maxTelling:
		c.telling++
	default:
		c.unkept++
		return
	}
	c.whole[key] = len(c.list)
	c.list = append(c.list, msg)
}

// read hides every secret of a message before it describes it.
func (c *collection) read(m mqttwire.Message, s *mqttdoor.Session, way Way) Message {
	payload := bytes.Clone(m.Payload)
	msg := Message{
		Topic: evidence.Bytes(m.Topic[:min(len(m.Topic), maxTopic)]), Length: len(m.Payload),
		Retained: evidence.No, Times: 1, Named: len(secretpattern.Names(m.Payload)), Span: s.Span(m.Span),
	}
	if m.Retain {
		msg.Retained = evidence.Yes
	}
	level := m.Topic[lastSlash(m.Topic)+1:]
	for _, f := range secretpattern.Find([]byte(level), m.Payload) {
		secret := m.Payload[f.From:f.To]
		if c.hidden++; c.hidden <= maxHidden && len(msg.Secrets) < maxSecrets {
			msg.Secrets = append(msg.Secrets, Found{evidence.Bytes(f.Name), c.net.Hide(f.Class, secret)})
		}
		copy(payload[f.From:f.To], bytes.Repeat([]byte("*"), len(secret)))
	}
	msg.Payload = payload[:min(len(payload), maxPayload)]
	if isSys(m.Topic) {
		local, _ := netip.ParseAddrPort(s.Conn.LocalAddr().String())
		msg.About = about(m.Topic, m.Payload, us{s.ClientID, local, way.Addr.Addr()})
	}
	return msg
}

// into writes down what was received.
func (c *collection) into(l *Look) {
	l.Received, l.Retained, l.Messages, l.Unkept = c.received, c.retained, c.list, c.unkept
}

// hasAll reports whether everything that the look before was told came again.
func (c *collection) hasAll(want []Message) bool {
	for _, w := range want {
		if !slices.ContainsFunc(c.list, func(m Message) bool { return bytes.Equal(m.Topic, w.Topic) }) {
			return false
		}
	}
	return true
}

func lastSlash(topic string) int {
	for i := len(topic) - 1; i >= 0; i-- {
		if topic[i] == '/' {
			return i
		}
	}
	return -1
}
