package devices

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	paho5 "github.com/eclipse/paho.golang/paho"
	"github.com/eclipse/paho.mqtt.golang/packets"
	mqtt "github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// connectPacket writes a CONNECT of version 3.1.1 that keeps its session.
func connectPacket(t *testing.T, v visitor) []byte {
	t.Helper()
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.ClientIdentifier, p.Keepalive = "MQTT", 4, v.id, 30
	if v.user != "" {
		p.Username, p.Password, p.UsernameFlag, p.PasswordFlag = v.user, []byte(v.password), true, true
	}
	var b bytes.Buffer
	require.NoError(t, p.Write(&b))
	return b.Bytes()
}

// The server's own words of refusal are no malformed packets.
func TestMalformedErrors(t *testing.T) {
	for err, want := range map[error]bool{
		nil:                                       false,
		io.EOF:                                    false,
		io.ErrUnexpectedEOF:                       false,
		net.ErrClosed:                             false,
		syscall.ECONNRESET:                        false,
		os.ErrDeadlineExceeded:                    false,
		mqtt.ErrBadUsernameOrPassword:             false,
		mqtt.ErrNotAuthorized:                     false,
		mqtt.ErrSessionTakenOver:                  false,
		mqtt.ErrServerShuttingDown:                false,
		mqtt.ErrRejectPacket:                      false,
		mqtt.ErrUnsupportedProtocolVersion:        false,
		mqtt.ErrMalformedFlags:                    true,
		mqtt.ErrMalformedInvalidUTF8:              true,
		mqtt.ErrProtocolViolationSecondConnect:    true,
		mqtt.ErrPacketTooLarge:                    true,
		mqtt.ErrTopicAliasInvalid:                 true,
		errors.New("invalid packet type; 0"):      true,
		&net.OpError{Op: "read", Err: io.EOF}:     false,
		fmt.Errorf("x: %w", mqtt.ErrMalformedQos): true,
	} {
		wrapped := err
		if err != nil {
			wrapped = fmt.Errorf("read connection: %w", err)
		}
		assert.Equal(t, want, malformed(wrapped), "%v", err)
	}
}

// Random packets, before and after a log-in: the broker and the others' sessions
// go on.
func TestRandomPackets(t *testing.T) {
	d := launch(t, "mqtt_plain_listener")
	witness := mustConnect(t, d, as(t, d, "app", "witness"))
	got, _ := subscribe(t, witness, "door/app/#")
	random := rand.New(rand.NewPCG(1, 2))
	login := connectPacket(t, as(t, d, "lock", "noise"))
	for i := range 200 {
		noise := make([]byte, 1+random.IntN(64))
		for j := range noise {
			noise[j] = byte(random.Uint32())
		}
		if i%2 == 1 {
			noise = append(bytes.Clone(login), noise...)
		}
		c := dial(t, d.At(plainMQTTPort))
		_, err := c.Write(noise)
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
	require.True(t, witness.IsConnectionOpen())
	publish(t, witness, "door/app/selftest", "alive")
	requireNext(t, got, "door/app/selftest alive")
}

func FuzzBroker(f *testing.F) {
	f.Add([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x1e\x00\x01x"))
	f.Add([]byte("\x10\x0e\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x01x\x82\x05\x00\x01\x00\x00\x00"))
	f.Add([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x1e\x00\x01x\x30\x03\x00\x01a\xe0\x00"))
	d, err := Start(f.Context(), Spec{Name: "door-lock-insecure"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = d.Close() })
	f.Fuzz(func(t *testing.T, b []byte) {
		c := dial(t, d.At(plainMQTTPort))
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		if !answers(t.Context(), d.At(plainMQTTPort)) {
			t.Fatal("the broker is gone")
		}
	})
}

// A service that breaks ends its own connection.
func TestPanicIsContained(t *testing.T) {
	b := newBoot(&Device{})
	ours, theirs := net.Pipe()
	b.gate.open[1]++
	b.talk(ours, service{port: 1, speak: func(net.Conn) { panic("broken") }})
	_, err := theirs.Read(make([]byte, 1))
	assert.ErrorIs(t, err, io.EOF)
	assert.Zero(t, b.gate.open[1])
	assert.Empty(t, b.clients)
	assert.NoError(t, b.end())
}

func TestOversizedPacket(t *testing.T) {
	d := launch(t)
	app := mustConnect(t, d, as(t, d, "app", "a"))
	lock := mustConnect(t, d, as(t, d, "lock", "b"))
	app.Publish("door/app/selftest", 0, false, strings.Repeat("x", brokerPacket))
	require.Eventually(t, func() bool { return !app.IsConnectionOpen() }, patience, quiet/10)
	require.True(t, lock.IsConnectionOpen())
}

// Sessions are kept for a while after their client left, and not without end.
func TestSessionCap(t *testing.T) {
	d := launch(t, "mqtt_plain_listener")
	v := as(t, d, "app", "")
	accepted := 0
	for i := range brokerSessions + 30 {
		v.id = fmt.Sprintf("session-%d", i)
		c := dial(t, d.At(plainMQTTPort))
		_, err := c.Write(connectPacket(t, v))
		require.NoError(t, err)
		answer := make([]byte, 4)
		if _, err := readFull(c, answer); err == nil && answer[3] == 0 {
			accepted++
		}
		require.NoError(t, c.Close())
	}
	assert.Equal(t, brokerSessions, accepted)
}

func TestConnectionCap(t *testing.T) {
	d := launch(t, "accept_and_silent")
	var last net.Conn
	for range maxClients + 1 {
		last = dial(t, d.At(silentPort))
	}
	_, err := last.Read(make([]byte, 1))
	assert.Error(t, err)
	assert.False(t, isTimeout(err), "%v", err)
	mustConnect(t, d, as(t, d, "app", "a"))
}

// A session that waits for its client is not given to somebody else.
func TestKeptSessionIsNotStolen(t *testing.T) {
	for fault, want := range map[string]byte{"": 5, "mqtt_id_takeover": 0} {
		d := launch(t, append(named(fault), "mqtt_plain_listener")...)
		answer := func(credential string) []byte {
			c := dial(t, d.At(plainMQTTPort))
			_, err := c.Write(connectPacket(t, as(t, d, credential, "kept")))
			require.NoError(t, err)
			b := make([]byte, 4)
			_, err = readFull(c, b)
			require.NoError(t, err)
			require.NoError(t, c.Close())
			return b
		}
		assert.Equal(t, []byte{0x20, 2, 0, 0}, answer("app"))
		assert.Equal(t, want, answer("lock")[3])
	}
}

func TestEmptyClientID(t *testing.T) {
	d := launch(t, "mqtt_plain_listener")
	c := dial(t, d.At(plainMQTTPort))
	_, err := c.Write(connectPacket(t, as(t, d, "app", ""))) // with a session to keep
	require.NoError(t, err)
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	assert.Equal(t, []byte{0x20, 2, 0, 2}, answer)
	mustConnect(t, d, as(t, d, "app", "")) // without
}

// Version 5 has words for what 3.1.1 swallows.
func TestVersion5Refusals(t *testing.T) {
	d := launch(t, "mqtt_plain_listener")
	conn := dial(t, d.At(plainMQTTPort))
	c := paho5.NewClient(paho5.ClientConfig{Conn: conn})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	v := as(t, d, "app", "five")
	_, err := c.Connect(ctx, &paho5.Connect{ClientID: v.id, CleanStart: true, KeepAlive: 30,
		Username: v.user, UsernameFlag: true, Password: []byte(v.password), PasswordFlag: true})
	require.NoError(t, err)
	defer func() { _ = c.Disconnect(&paho5.Disconnect{}) }()

	const notAuthorised = 0x87
	answer, err := c.Publish(ctx, &paho5.Publish{QoS: 1, Topic: "door/lock/selftest", Payload: []byte("x")})
	require.Error(t, err)
	assert.EqualValues(t, notAuthorised, answer.ReasonCode)
	answer, err = c.Publish(ctx, &paho5.Publish{QoS: 1, Topic: "door/app/selftest", Payload: []byte("x")})
	require.NoError(t, err)
	assert.Zero(t, answer.ReasonCode&0x80)
	for filter, want := range map[string]byte{
		"door/lock/#": notAuthorised, "door/lock/selftest": notAuthorised, "$SYS/#": notAuthorised,
		"$share/group/door/lock/#": notAuthorised, "door/app/#": 0, "door/status": 0, "#": 0, "+/#": 0,
	} {
		ack, _ := c.Subscribe(ctx, &paho5.Subscribe{Subscriptions: []paho5.SubscribeOptions{{Topic: filter}}})
		require.NotNil(t, ack, filter)
		assert.Equal(t, []byte{want}, ack.Reasons, filter)
	}
}

// Who says nothing is not waited for, whatever the port.
func TestSilentClientsAreDropped(t *testing.T) {
	t.Parallel()
	d := launch(t, "mqtt_plain_listener", "http_setup_plain", "undeclared_service")
	conns := map[string]net.Conn{"half an HTTP request": dial(t, d.At(plainHTTPPort)), "half a CONNECT": dial(t, d.At(plainMQTTPort)),
		"no TLS handshake": dial(t, d.At(mqttPort)), "no request": dialTLS(t, d, undeclaredPort)}
	for name, begin := range map[string]string{"half an HTTP request": "GET / HTTP/1.1\r\nHost:", "half a CONNECT": "\x10\x0d\x00\x04MQ"} {
		_, err := io.WriteString(conns[name], begin)
		require.NoError(t, err)
	}
	limit := time.Now().Add(webIdle + patience)
	for name, c := range conns {
		require.NoError(t, c.SetDeadline(limit))
		assert.NoError(t, readToEnd(c), name)
	}
}
