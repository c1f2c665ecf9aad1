package mqttwire

import (
	"io"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pause is how long a packet that this broker overlooks is watched. What it
// does refuse it refuses within a few milliseconds on loopback.
const pause = 30 * time.Millisecond

// overlooked says why a packet of the corpus is bad although this broker does
// not hang up on it. All others it must refuse, which shows that they are what
// their names say.
var overlooked = map[string]string{
	"connect-truncated":                      "waits for the rest",
	"connect-first-byte-only":                "waits for the rest",
	"connect-remaining-length-256-mib":       "waits for the rest",
	"connect-remaining-length-unfinished":    "waits for the rest",
	"publish-remaining-length-256-mib":       "waits for the rest",
	"connect-password-without-user-name":     "MQTT-3.1.2-22 of 3.1.1",
	"connect-user-name-invalid-utf8":         "MQTT-3.1.3-11 of 3.1.1",
	"connect-will-qos-without-will":          "MQTT-3.1.2-13 of 3.1.1",
	"connect-trailing-bytes":                 "the payload has no further field",
	"connect5-property-twice":                "3.1.2.11.2 of 5",
	"connect5-property-truncated":            "2.2.2 of 5",
	"connect5-user-property-truncated":       "2.2.2 of 5",
	"connect5-receive-maximum-0":             "3.1.2.11.3 of 5",
	"connect5-maximum-packet-size-0":         "3.1.2.11.4 of 5",
	"connect5-request-problem-information-2": "3.1.2.11.7 of 5",
	"connect5-auth-data-without-method":      "3.1.2.11.10 of 5",
	"pingreq-with-body":                      "3.12.1 of 3.1.1",
	"pubrel-unknown-id":                      "answered by PUBCOMP, as it may be",
	"pubrec-packet-id-0":                     "no packet has the identifier 0",
	"puback5-reason-unknown":                 "MQTT-3.4.2-1 of 5",
	"auth5-unasked":                          "no authentication method was agreed",
	"publish5-property-twice":                "3.3.2.3.2 of 5",
	"publish5-payload-format-2":              "3.3.2.3.2 of 5",
	"publish5-response-topic-wildcard":       "MQTT-3.3.2-14 of 5",
	"publish5-topic-alias-too-large":         "MQTT-3.3.2-9 of 5",
	"publish5-topic-alias-unknown":           "the alias was never set",
	"subscribe-filter-empty":                 "refused by SUBACK",
	"subscribe-filter-hash-inside":           "refused by SUBACK",
	"subscribe-filter-plus-in-level":         "MQTT-4.7.1-3 of 3.1.1",
	"subscribe5-reserved-options":            "MQTT-3.8.3-5 of 5",
	"subscribe5-retain-handling-3":           "3.8.3.1 of 5",
	"subscribe5-identifier-0":                "3.8.2.1.2 of 5",
	"subscribe5-shared-without-filter":       "refused by SUBACK",
}

// refused reports whether the broker ended the connection on which the packet
// was sent.
func refused(t *testing.T, addr string, p BadPacket) bool {
	conn := dial(t, addr)
	defer conn.Close()
	if p.AfterConnect {
		_, ack, err := Open(conn, user(p.Version, "corpus", "good"), Limits{})
		require.NoError(t, err)
		require.True(t, ack.Accepted())
	}
	_, err := conn.Write(p.Bytes)
	require.NoError(t, err)
	if _, ok := overlooked[p.Name]; ok {
		require.NoError(t, conn.SetDeadline(time.Now().Add(pause)))
	}
	_, err = io.Copy(io.Discard, conn)
	return err == nil || !timedOut(err)
}

// The broker lets everybody in, so that it refuses a packet for what it is.
func TestBrokerRefusesTheCorpusAndLivesOn(t *testing.T) {
	addr := serveWith(t, new(auth.AllowHook), nil)
	witness := in(t, addr, user(V5, "witness", "good"))
	for _, p := range Malformed() {
		_, ok := overlooked[p.Name]
		assert.Equal(t, !ok, refused(t, addr, p), p.Name)
		require.NoError(t, witness.Ping(), "after %s", p.Name)
	}
	require.NoError(t, in(t, addr, user(V311, "after", "good")).Disconnect())
}

// Nothing of the corpus stays behind in the broker: no retained message, and
// no session that a client of the same name would find.
func TestCorpusLeavesNothingInTheBroker(t *testing.T) {
	addr := serveWith(t, new(auth.AllowHook), nil)
	for _, p := range Malformed() {
		refused(t, addr, p)
	}
	s := in(t, addr, user(V311, "after", "good"))
	_, err := s.Subscribe(Filter{Topic: "#"})
	require.NoError(t, err)
	require.NoError(t, s.Ping())
	assert.Empty(t, s.queue)
	_, ack, err := Open(dial(t, addr), Connect{Version: V311, ClientID: "assay-malformed"}, Limits{})
	require.NoError(t, err)
	assert.False(t, ack.SessionPresent)
}

// The parts of which the corpus is made are sound: put together without a
// mistake, the broker takes them.
func TestCorpusIsMadeOfSoundParts(t *testing.T) {
	addr := serveWith(t, new(auth.AllowHook), nil)
	whole := map[Version][]byte{V311: under(0x10, clean311+clientID), V5: under(0x10, clean5+"\x00"+clientID)}
	for v, connect := range whole {
		conn := dial(t, addr)
		_, err := conn.Write(connect)
		require.NoError(t, err)
		r := NewReader(conn, v, Limits{})
		assert.Equal(t, CONNACK, next(t, r, v).Type())
		properties := map[Version]string{V311: "", V5: "\x00"}[v]
		for _, exchange := range []struct {
			send []byte
			want Type
		}{
			{under(0x82, "\x00\x01"+properties+topic+"\x00"), SUBACK},
			{under(0x30, topic+properties+"canary"), PUBLISH},
			{under(0xa2, "\x00\x02"+properties+topic), UNSUBACK},
			{under(0xc0, ""), PINGRESP},
		} {
			_, err := conn.Write(exchange.send)
			require.NoError(t, err)
			assert.Equal(t, exchange.want, next(t, r, v).Type())
		}
	}
}

func next(t *testing.T, r *Reader, v Version) Packet {
	f, err := r.Next()
	require.NoError(t, err)
	p, err := f.Decode(v)
	require.NoError(t, err)
	return p
}
