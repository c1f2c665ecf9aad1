package devices

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// What one broker keeps at most. A lock has a handful of clients; the rest is
// room for those who test it, and none for those who flood it.
const (
	brokerClients    = 128       // connected
	brokerSessions   = 512       // connected or kept for later
	brokerRetained   = 256       // retained messages
	brokerFilters    = 64        // subscriptions of one client
	brokerPacket     = 16 << 10  // bytes
	brokerPending    = 256       // messages that a client has not read yet
	brokerInflight   = 64        // messages that a client has not acknowledged
	brokerKeeps      = 300       // seconds, for the session of a client that left
	brokerSysSeconds = 24 * 3600 // between two rounds of counters below $SYS; "#" would receive each
)

// A broker is the MQTT broker of one boot.
type broker struct {
	boot   *boot
	server *mqtt.Server
	access access
}

func newBroker(b *boot) *broker {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumClients = brokerClients
	c.MaximumPacketSize = brokerPacket
	c.MaximumClientWritesPending = brokerPending
	c.ReceiveMaximum = brokerInflight
	c.MaximumInflight = brokerInflight
	c.MaximumSessionExpiryInterval = brokerKeeps
	c.TopicAliasMaximum = 0 // an alias would hide the topic from the access rules
	c.MinimumProtocolVersion = 4
	return &broker{
		boot:   b,
		access: newAccess(b.unit, b.number > 1),
		server: mqtt.New(&mqtt.Options{
			Capabilities:           c,
			Logger:                 slog.New(slog.NewTextHandler(io.Discard, nil)),
			SysTopicResendInterval: brokerSysSeconds,
		}),
	}
}

func (b *broker) begin() error {
	if err := b.server.AddHook(&hook{broker: b}, nil); err != nil {
		return err
	}
	for topic, payload := range b.retained() {
		b.retain(topic, payload)
	}
	return b.server.Serve()
}

func (b *broker) end() error { return b.server.Close() }

// retain keeps a message for those who subscribe later.
func (b *broker) retain(topic string, payload []byte) {
	b.server.Topics.RetainMessage(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true},
		TopicName:   topic,
		Payload:     payload,
		Origin:      b.boot.unit.serial,
		Created:     time.Now().Unix(),
	})
}

// speak serves one client, and looks at why that ended.
func (b *broker) speak(c net.Conn) {
	p := &peeked{Conn: c}
	err := b.server.EstablishConnection("tcp", p)
	if !p.mqtt || !malformed(err) {
		return
	}
	if b.boot.unit.oddities.BansMalformed {
		b.boot.gate.ban(c.RemoteAddr(), time.Now())
	}
	if b.boot.unit.faults.MQTTDiesOnMalformed {
		_ = b.boot.shut("mqtt") // a crash leaves no error either
		b.disconnectAll()
	}
}

func (b *broker) disconnectAll() {
	for _, c := range b.server.Clients.GetAll() {
		c.Stop(packets.ErrServerShuttingDown)
	}
}

// A peeked connection tells whether it began with a CONNECT. A scanner that
// tries other protocols sends no malformed MQTT.
type peeked struct {
	net.Conn
	begun bool
	mqtt  bool
}

// connectByte begins every CONNECT.
const connectByte = 0x10

// Read reads from the connection.
func (p *peeked) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if n > 0 && !p.begun {
		p.begun, p.mqtt = true, b[0] == connectByte
	}
	return n, err
}

// malformed says whether a session ended for what the client sent, and not
// because somebody left or was refused.
func malformed(err error) bool {
	if code, ok := errors.AsType[packets.Code](err); ok {
		switch code.Code {
		case packets.ErrMalformedPacket.Code, packets.ErrProtocolViolation.Code,
			packets.ErrTopicAliasInvalid.Code, packets.ErrPacketTooLarge.Code:
			return true
		}
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok || err == nil {
		return false
	}
	// What is left is the decoder's own: a packet type that does not exist.
	return !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, net.ErrClosed)
}
