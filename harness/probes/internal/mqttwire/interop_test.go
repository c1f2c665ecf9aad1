package mqttwire

import (
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serve starts a real broker on loopback that knows one user and returns its
// address.
func serve(t *testing.T) string {
	ledger := &auth.Ledger{Auth: auth.AuthRules{{Username: "user", Password: "good", Allow: true}}}
	return serveWith(t, new(auth.Hook), &auth.Options{Ledger: ledger})
}

func serveWith(t *testing.T, hook mqtt.Hook, options any) string {
	server := mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, server.AddHook(hook, options))
	listener := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	require.NoError(t, server.AddListener(listener))
	require.NoError(t, server.Serve())
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	return listener.Address()
}

func dial(t *testing.T, addr string) net.Conn {
	conn, err := net.DialTimeout("tcp", addr, patience)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

func user(v Version, id, password string) Connect {
	c := Connect{Version: v, ClientID: id, CleanStart: true, KeepAlive: 60, UserName: new("user"), Password: &password}
	if v == V5 {
		c.Properties = Properties{{ID: SessionExpiryInterval}, {ID: ReceiveMaximum, Number: 16}}
	}
	return c
}

func in(t *testing.T, addr string, c Connect) *Session {
	s, ack, err := Open(dial(t, addr), c, Limits{})
	require.NoError(t, err)
	require.True(t, ack.Accepted(), "code 0x%02x", byte(ack.Code))
	require.Equal(t, c.Version, ack.Version)
	return s
}

// bothVersions runs a test against a broker of its own for each version.
func bothVersions(t *testing.T, f func(t *testing.T, addr string, v Version)) {
	for _, v := range []Version{V311, V5} {
		t.Run("MQTT_"+map[Version]string{V311: "311", V5: "5"}[v], func(t *testing.T) {
			f(t, serve(t), v)
		})
	}
}

func TestBrokerLetsInAndRefuses(t *testing.T) {
	bothVersions(t, func(t *testing.T, addr string, v Version) {
		require.NoError(t, in(t, addr, user(v, "good", "good")).Ping())
		refused := map[Version]Code{V311: NotAuthorized311, V5: BadUserNameOrPassword}[v] // this broker's choice in 3.1.1
		for _, c := range []Connect{
			user(v, "bad", "wrong"),
			{Version: v, ClientID: "anonymous", CleanStart: true},
		} {
			s, ack, err := Open(dial(t, addr), c, Limits{})
			require.NoError(t, err)
			assert.Equal(t, refused, ack.Code, c.ClientID)
			assert.ErrorIs(t, s.Ping(), ErrNotConnected)
		}
	})
}

func TestBrokerAssignsClientIdentifier(t *testing.T) {
	c := user(V5, "", "good")
	_, ack, err := Open(dial(t, serve(t)), c, Limits{})
	require.NoError(t, err)
	id, ok := ack.Properties.Text(AssignedClientIdentifier)
	assert.True(t, ok)
	assert.NotEmpty(t, id)
}

func TestBrokerDelivers(t *testing.T) {
	bothVersions(t, func(t *testing.T, addr string, v Version) {
		reader, writer := in(t, addr, user(v, "reader", "good")), in(t, addr, user(v, "writer", "good"))
		granted, err := reader.Subscribe(Filter{Topic: "a/+", QoS: 2}, Filter{Topic: "b/#", QoS: 0})
		require.NoError(t, err)
		assert.Equal(t, []Code{GrantedQoS2, Success}, granted.Codes)
		for qos := range byte(3) {
			sent := Publish{QoS: qos, Topic: "a/b", Payload: []byte{'0' + qos}}
			if v == V5 {
				sent.Properties = Properties{{ID: ContentType, Text: "canary"}, {ID: UserProperty, Name: "n", Text: "v"}}
			}
			ack, err := writer.Publish(sent)
			require.NoError(t, err)
			assert.Equal(t, []Type{0, PUBACK, PUBCOMP}[qos], ack.Kind)
			got, err := reader.Next()
			require.NoError(t, err)
			assert.Equal(t, sent.Payload, got.Payload)
			assert.Equal(t, qos, got.QoS)
			assert.False(t, got.Retain)
			if v == V5 {
				text, _ := got.Properties.Text(ContentType)
				assert.Equal(t, "canary", text)
				assert.Len(t, got.Properties.User(), 1)
			}
		}
		require.NoError(t, reader.Ping())
		assert.Zero(t, reader.Stray())
		assert.Zero(t, writer.Stray())
	})
}

func TestBrokerStopsDeliveringAfterUnsubscribe(t *testing.T) {
	bothVersions(t, func(t *testing.T, addr string, v Version) {
		s := in(t, addr, user(v, "both", "good"))
		_, err := s.Subscribe(Filter{Topic: "a"}, Filter{Topic: "b"})
		require.NoError(t, err)
		ack, err := s.Unsubscribe("a")
		require.NoError(t, err)
		assert.Len(t, ack.Codes, map[Version]int{V311: 0, V5: 1}[v])
		for _, topic := range []string{"a", "b"} {
			_, err = s.Publish(Publish{QoS: 1, Topic: topic})
			require.NoError(t, err)
		}
		m, err := s.Next()
		require.NoError(t, err)
		assert.Equal(t, "b", m.Topic)
	})
}

func TestBrokerRetains(t *testing.T) {
	bothVersions(t, func(t *testing.T, addr string, v Version) {
		writer := in(t, addr, user(v, "writer", "good"))
		_, err := writer.Publish(Publish{QoS: 1, Retain: true, Topic: "kept", Payload: []byte("x")})
		require.NoError(t, err)
		reader := in(t, addr, user(v, "reader", "good"))
		_, err = reader.Subscribe(Filter{Topic: "#"})
		require.NoError(t, err)
		m, err := reader.Next()
		require.NoError(t, err)
		assert.True(t, m.Retain)
		assert.Equal(t, "kept", m.Topic)
		_, err = writer.Publish(Publish{QoS: 1, Retain: true, Topic: "kept"}) // takes it back
		require.NoError(t, err)
	})
}

func TestBrokerLetsASessionBeTakenOver(t *testing.T) {
	bothVersions(t, func(t *testing.T, addr string, v Version) {
		first := in(t, addr, user(v, "same", "good"))
		second := in(t, addr, user(v, "same", "good"))
		_, err := first.Next()
		if v == V5 {
			var disconnected *DisconnectedError
			require.ErrorAs(t, err, &disconnected)
			assert.Equal(t, SessionTakenOver, disconnected.Disconnect.Code)
		} else {
			assert.Error(t, err)
			assert.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		}
		assert.Error(t, first.Ping())
		require.NoError(t, second.Ping())
		require.NoError(t, second.Disconnect())
		_, err = second.conn.Read(make([]byte, 1))
		assert.Equal(t, io.EOF, err)
	})
}
