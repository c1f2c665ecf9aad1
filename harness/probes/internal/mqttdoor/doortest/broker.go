package doortest

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Rules say whom a broker lets in and what it shows. The zero value refuses
// everybody.
type Rules struct {
	Users map[string]string // passwords
	// Anonymous says whether a client without a user name is let in, by the
	// version that it speaks: 4 or 5.
	Anonymous func(version byte) bool
	// AnyUser lets every pair in.
	AnyUser bool
	// HangsUp closes the connection of those who are refused, without a word.
	HangsUp bool
	// Reads says whether a user, empty for none, may read a topic or
	// subscribe to a filter. Nil is no.
	Reads func(user, topic string) bool
	// Retained are the messages that it keeps, by topic.
	Retained map[string]string
	// TLS, if not nil, is how it speaks TLS.
	TLS *tls.Config
	// WebSocket makes it speak MQTT over WebSocket alone, at every path.
	WebSocket bool
	// Seen, if not nil, is called with each CONNECT.
	Seen func(clientID, user, password string)
}

// A Broker is a running one.
type Broker struct {
	Addr   netip.AddrPort
	server *mqtt.Server
}

// sysSeconds keeps the counters of the broker out of the tests.
const sysSeconds = 24 * 3600

// NewBroker starts a broker on loopback, which ends with the test.
func NewBroker(t testing.TB, r Rules) *Broker {
	t.Helper()
	server := mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler), InlineClient: true, SysTopicResendInterval: sysSeconds})
	config := listeners.Config{ID: "tcp", Address: "127.0.0.1:0", TLSConfig: r.TLS}
	var listener listeners.Listener = listeners.NewTCP(config)
	if r.WebSocket { // which does not say which port it got
		config.Address = unused(t)
		listener = listeners.NewWebsocket(config)
	}
	for _, err := range []error{server.AddHook(&hook{rules: r}, nil), server.AddListener(listener), server.Serve()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	for topic := range server.Topics.Retained.GetAll() { // its own counters
		server.Topics.Retained.Delete(topic)
	}
	b := &Broker{netip.MustParseAddrPort(listener.Address()), server}
	for topic, payload := range r.Retained {
		b.Retain(topic, payload)
	}
	return b
}

// unused returns an address on which nothing listens.
func unused(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Retain keeps a message for those who subscribe later.
func (b *Broker) Retain(topic, payload string) {
	b.server.Topics.RetainMessage(packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true},
		TopicName:   topic, Payload: []byte(payload), Created: time.Now().Unix(),
	})
}

// Publish sends a message that is not kept.
func (b *Broker) Publish(topic, payload string) error {
	return b.server.Publish(topic, []byte(payload), false, 0)
}

// Clients returns how many clients are connected, and Subscriptions and
// Retained how many of these there are: what a probe must not leave behind.
func (b *Broker) Clients() int {
	n := 0
	for id, c := range b.server.Clients.GetAll() {
		if id != mqtt.InlineClientId && !c.Closed() {
			n++
		}
	}
	return n
}

// Subscriptions returns how many filters clients are subscribed to.
func (b *Broker) Subscriptions() int { return int(b.server.Info.Clone().Subscriptions) }

// Retained returns how many messages are kept.
func (b *Broker) Retained() int { return b.server.Topics.Retained.Len() }

type hook struct {
	mqtt.HookBase
	rules Rules
}

// ID names the hook.
func (*hook) ID() string { return "rules" }

// Provides says which methods are ours.
func (*hook) Provides(b byte) bool {
	return strings.ContainsRune(string([]byte{mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck}), rune(b))
}

// OnConnect hangs up on those who are refused, if the rules say so.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	if h.rules.Seen != nil {
		h.rules.Seen(pk.Connect.ClientIdentifier, string(pk.Connect.Username), string(pk.Connect.Password))
	}
	if h.rules.HangsUp && !h.OnConnectAuthenticate(cl, pk) {
		return packets.ErrBadUsernameOrPassword
	}
	return nil
}

// OnConnectAuthenticate follows the rules.
func (h *hook) OnConnectAuthenticate(_ *mqtt.Client, pk packets.Packet) bool {
	user, password := string(pk.Connect.Username), string(pk.Connect.Password)
	if !pk.Connect.UsernameFlag {
		return h.rules.Anonymous != nil && h.rules.Anonymous(pk.ProtocolVersion)
	}
	known, ok := h.rules.Users[user]
	return h.rules.AnyUser || ok && known == password
}

// OnACLCheck follows the rules.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	return write || h.rules.Reads != nil && h.rules.Reads(string(cl.Properties.Username), topic)
}

// Everybody is a rule for Anonymous.
func Everybody(byte) bool { return true }

// Everything is a rule for Reads.
func Everything(string, string) bool { return true }
