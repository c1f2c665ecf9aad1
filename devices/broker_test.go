package devices

import (
	"testing"

	paho3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who is let in, by fault. Codes are those of a CONNACK: of version 3.1.1 as
// the client library names them, of version 5 as they are.
func TestLogins(t *testing.T) {
	t.Parallel()
	good := visitor{id: "good", user: "app", password: "good"}
	for _, tt := range []struct {
		fault string
		who   visitor
		want3 error
		want5 byte
	}{
		{"", good, nil, 0},
		{"", visitor{id: "x"}, packets.ErrorRefusedNotAuthorised, 0x86},
		{"", visitor{id: "x", user: "app", password: "wrong"}, packets.ErrorRefusedNotAuthorised, 0x86},
		{"", visitor{id: "x", user: "random", password: "random"}, packets.ErrorRefusedNotAuthorised, 0x86},
		{"", visitor{id: "x", user: "admin", password: "admin"}, packets.ErrorRefusedNotAuthorised, 0x86},
		{"mqtt_anonymous", visitor{id: "x"}, nil, 0},
		{"mqtt_anonymous", visitor{id: "x", user: "random", password: "random"}, packets.ErrorRefusedNotAuthorised, 0x86},
		{"mqtt_any_password", visitor{id: "x", user: "random", password: "random"}, nil, 0},
		{"mqtt_any_password", visitor{id: "x"}, packets.ErrorRefusedNotAuthorised, 0x86},
		{"mqtt_default_password", visitor{id: "x", user: "admin", password: "admin"}, nil, 0},
		{"mqtt_default_password", good, nil, 0},
		{"mqtt_default_password", visitor{id: "x", user: "admin", password: "wrong"}, packets.ErrorRefusedNotAuthorised, 0x86},
		{"mqtt_v5_unprotected", visitor{id: "x"}, packets.ErrorRefusedNotAuthorised, 0},
		{"mqtt_v5_unprotected", visitor{id: "x", user: "random", password: "random"}, packets.ErrorRefusedNotAuthorised, 0x86},
		{"posture_lost_on_restart", visitor{id: "x"}, packets.ErrorRefusedNotAuthorised, 0x86},
	} {
		t.Run(tt.fault+"_"+tt.who.user+"_"+tt.who.password, func(t *testing.T) {
			d := launch(t, named(tt.fault)...)
			if tt.who == good {
				tt.who = as(t, d, "app", "good")
			}
			_, err := connect3(t, d, tt.who)
			assert.ErrorIs(t, err, tt.want3)
			assert.Equal(t, tt.want5, connect5(t, d, tt.who))
		})
	}
}

func named(fault string) []string {
	if fault == "" {
		return nil
	}
	return []string{fault}
}

func TestWildcard(t *testing.T) {
	t.Parallel()
	for fault, delivered := range map[string]bool{"": false, "mqtt_wildcard_readable": true, "mqtt_cross_publish": false} {
		t.Run("with_"+fault, func(t *testing.T) {
			d := launch(t, named(fault)...)
			app, lock := mustConnect(t, d, as(t, d, "app", "a")), mustConnect(t, d, as(t, d, "lock", "b"))
			everything, code := subscribe(t, app, "#")
			require.LessOrEqual(t, code, byte(2))
			own, _ := subscribe(t, lock, "door/lock/#")

			publish(t, lock, "door/lock/selftest", "one")
			requireNext(t, own, "door/lock/selftest one")
			if delivered {
				requireNext(t, everything, "door/lock/selftest one")
			}
			publish(t, app, "door/app/selftest", "two")
			requireNext(t, everything, "door/app/selftest two") // it is alive
			requireNever(t, everything, "door/lock/selftest one")
		})
	}
}

func TestCrossPublish(t *testing.T) {
	t.Parallel()
	for fault, delivered := range map[string]bool{"": false, "mqtt_cross_publish": true, "mqtt_wildcard_readable": false} {
		t.Run("with_"+fault, func(t *testing.T) {
			d := launch(t, named(fault)...)
			app, lock := mustConnect(t, d, as(t, d, "app", "a")), mustConnect(t, d, as(t, d, "lock", "b"))
			got, _ := subscribe(t, lock, "door/lock/#")
			publish(t, app, "door/lock/selftest", "foreign")
			if delivered {
				requireNext(t, got, "door/lock/selftest foreign")
			}
			publish(t, lock, "door/lock/selftest", "own")
			requireNext(t, got, "door/lock/selftest own")
			requireNever(t, got, "door/lock/selftest foreign")
		})
	}
}

// A will is a message too.
func TestForeignWillIsRefused(t *testing.T) {
	d := launch(t)
	v := as(t, d, "app", "w")
	try := func(topic string) error {
		o := paho3.NewClientOptions().AddBroker("ssl://"+d.At(mqttPort).String()).SetTLSConfig(trusting(t, d)).
			SetClientID(v.id).SetUsername(v.user).SetPassword(v.password).SetProtocolVersion(4).
			SetAutoReconnect(false).SetConnectTimeout(patience).SetWill(topic, "gone", 0, false)
		c := paho3.NewClient(o)
		token := c.Connect()
		require.True(t, token.WaitTimeout(patience))
		if token.Error() == nil {
			c.Disconnect(0)
		}
		return token.Error()
	}
	require.NoError(t, try("door/app/gone"))
	require.ErrorIs(t, try("door/lock/open"), packets.ErrorRefusedNotAuthorised)
}

func TestRetained(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string][]string{
		"": nil, "mqtt_retained_pin": {`door/lock/owner {"user":"owner","pin":"7Q4K-92XD-LM5R"}`},
	} {
		t.Run("with_"+fault, func(t *testing.T) {
			d := launch(t, named(fault)...)
			got, code := subscribe(t, mustConnect(t, d, as(t, d, "admin", "all")), "#")
			require.LessOrEqual(t, code, byte(2))
			want = append(want, `door/status {"firmware":"2.3.1","start":1,"battery":87,"door":"closed"}`)
			var all []string
			for range want {
				all = append(all, <-got)
			}
			assert.ElementsMatch(t, want, all)
			requireNever(t, got, "")
			assert.Empty(t, got)
		})
	}
}

func TestSysTopics(t *testing.T) {
	const refused = 0x80
	d := launch(t)
	_, code := subscribe(t, mustConnect(t, d, as(t, d, "app", "a")), "$SYS/#")
	assert.EqualValues(t, refused, code)
	_, code = subscribe(t, mustConnect(t, d, as(t, d, "admin", "c")), "$SYS/broker/clients/list")
	assert.EqualValues(t, refused, code)

	open := launch(t, "mqtt_sys_open")
	mustConnect(t, open, as(t, open, "lock", "the-lock-client"))
	app := mustConnect(t, open, as(t, open, "app", "a"))
	got, code := subscribe(t, app, "$SYS/broker/clients/#")
	require.LessOrEqual(t, code, byte(2))
	for list := range got {
		if len(list) > len(clientsTopic) && list[:len(clientsTopic)] == clientsTopic {
			assert.Contains(t, list, `"the-lock-client" "lock" 127.`)
			assert.Contains(t, list, "bolt-DL-0001 lock "+open.Addr.String())
			break
		}
	}
	other := mustConnect(t, open, as(t, open, "app", "b")) // "#" does not select $SYS
	everything, _ := subscribe(t, other, "#")
	publish(t, other, "door/app/selftest", "x")
	for m := range everything {
		require.NotContains(t, m, "$SYS")
		if m == "door/app/selftest x" {
			break
		}
	}
}

func TestPlainListener(t *testing.T) {
	d := launch(t, "mqtt_plain_listener")
	v := as(t, d, "app", "p")
	v.plain = true
	mustConnect(t, d, v)
	_, err := connect3(t, d, visitor{id: "x", plain: true})
	require.ErrorIs(t, err, packets.ErrorRefusedNotAuthorised)
	assert.False(t, launch(t).At(plainMQTTPort).IsValid())
}

func TestTakeover(t *testing.T) {
	t.Parallel()
	for fault, dropped := range map[string]bool{"": false, "mqtt_id_takeover": true} {
		t.Run("with_"+fault, func(t *testing.T) {
			d := launch(t, named(fault)...)
			first := mustConnect(t, d, as(t, d, "app", "canary"))
			got, _ := subscribe(t, first, "door/app/#")
			_, err := connect3(t, d, as(t, d, "lock", "canary"))
			if dropped {
				require.NoError(t, err)
				require.Eventually(t, func() bool { return !first.IsConnectionOpen() }, patience, quiet/10)
				return
			}
			require.ErrorIs(t, err, packets.ErrorRefusedNotAuthorised)
			publish(t, first, "door/app/selftest", "alive")
			requireNext(t, got, "door/app/selftest alive")

			second := mustConnect(t, d, as(t, d, "app", "canary")) // its own second connection may
			require.Eventually(t, func() bool { return !first.IsConnectionOpen() }, patience, quiet/10)
			require.True(t, second.IsConnectionOpen())
		})
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	corpus := map[string]string{
		"truncated_connect":   "\x10\x02\x00\x04",
		"wrong_protocol_name": "\x10\x0c\x00\x04MQTX\x04\x02\x00\x05\x00\x00",
		"reserved_flag":       "\x10\x0c\x00\x04MQTT\x04\x03\x00\x05\x00\x00",
		"endless_length":      "\x10\xff\xff\xff\xff\xff",
		"huge_length":         "\x10\xff\xff\xff\x7f",
	}
	for name, bytes := range corpus {
		t.Run(name, func(t *testing.T) {
			sound, dying := launch(t), launch(t, "mqtt_dies_on_malformed")
			for _, d := range []*Device{sound, dying} {
				witness := mustConnect(t, d, as(t, d, "app", "witness"))
				c := dialTLS(t, d, mqttPort)
				_, err := c.Write([]byte(bytes))
				require.NoError(t, err)
				require.NoError(t, readToEnd(c)) // that client only, or all
				if d == dying {
					require.Eventually(t, func() bool { return !answers(t.Context(), d.At(mqttPort)) }, patience, quiet/10)
					require.Eventually(t, func() bool { return !witness.IsConnectionOpen() }, patience, quiet/10)
					continue
				}
				require.True(t, witness.IsConnectionOpen())
				mustConnect(t, d, as(t, d, "lock", "after"))
			}
		})
	}
}

// What other protocols say first is no malformed MQTT, or a scanner would kill
// the broker before it is tested.
func TestGreetingsOfOthersKillNothing(t *testing.T) {
	d := launch(t, "mqtt_dies_on_malformed", "mqtt_plain_listener")
	for _, greeting := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05hello", "\r\n\r\n", "SSH-2.0-x\r\n", "\x00\x00\x00\x00"} {
		c := dial(t, d.At(plainMQTTPort))
		_, err := c.Write([]byte(greeting))
		require.NoError(t, err)
		require.NoError(t, readToEnd(c))
	}
	mustConnect(t, d, as(t, d, "app", "after"))
	require.NoError(t, d.Restart(t.Context()))
	mustConnect(t, d, as(t, d, "app", "later"))
}

func TestDuplicateIDs(t *testing.T) {
	for fault, want := range map[string]byte{"": 7, "duplicate_ids": onlyID} {
		d := launch(t, append(named(fault), "mqtt_anonymous", "mqtt_plain_listener")...)
		c := dial(t, d.At(plainMQTTPort))
		_, err := c.Write([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x1e\x00\x01x\x82\x10\x00\x07\x00\x0bdoor/status\x00"))
		require.NoError(t, err)
		answer := make([]byte, 9) // CONNACK, SUBACK
		_, err = readFull(c, answer)
		require.NoError(t, err)
		assert.Equal(t, []byte{0x90, 3, 0, want, 0}, answer[4:], "with %q", fault)
	}
}

// What a student's client may do to the broker is bounded.
func TestBrokerCaps(t *testing.T) {
	d := launch(t)
	app := mustConnect(t, d, as(t, d, "app", "greedy"))
	for i := range brokerRetained + 20 {
		token := app.Publish("door/app/selftest/"+string(rune('a'+i%26))+string(rune('0'+i/26)), 0, true, "x")
		require.True(t, token.WaitTimeout(patience))
	}
	publish(t, app, "door/app/selftest", "done")
	assert.LessOrEqual(t, d.retained(), brokerRetained)
	for i := range brokerFilters + 1 {
		token := app.Subscribe("door/app/"+string(rune('a'+i%26))+string(rune('0'+i/26)), 0, nil)
		token.WaitTimeout(patience)
	}
	require.Eventually(t, func() bool { return !app.IsConnectionOpen() }, patience, quiet/10)
}

// retained counts the retained messages of the broker.
func (d *Device) retained() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.now.parts {
		if b, ok := p.(*broker); ok {
			return b.server.Topics.Retained.Len()
		}
	}
	return -1
}
