package mqttdoor_test

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	. "github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/internal/peers"
)

// overWeb is the door of MQTT over WebSocket of a listener.
func overWeb(at netip.AddrPort, secure evidence.Tri, v Version) Door {
	return Door{Addr: at, TLS: secure, Version: v, Path: "/mqtt"}
}

// reachable waits until somebody listens, which a broker with WebSocket does a
// moment after it says so.
func reachable(t *testing.T, at netip.AddrPort) netip.AddrPort {
	t.Helper()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", at.String())
		if err == nil {
			c.Close()
		}
		return err == nil
	}, 5*time.Second, 10*time.Millisecond)
	return at
}

func TestMQTTOverWebSocket(t *testing.T) {
	t.Parallel()
	cert := peers.NewAuthority(t).Issue(t, "device")
	users := map[string]string{good.User: good.Password}
	for name, secure := range map[string]evidence.Tri{"plain": evidence.No, "tls": evidence.Yes} {
		rules := doortest.Rules{Users: users, WebSocket: true, Reads: doortest.Everything, Retained: map[string]string{"a": strings.Repeat("kept", 20_000)}}
		if secure == evidence.Yes {
			rules.TLS = &tls.Config{Certificates: []tls.Certificate{cert.TLS}}
		}
		broker := doortest.NewBroker(t, rules)
		at := reachable(t, broker.Addr)
		for _, v := range []Version{V311, V5} {
			t.Run(name+"_"+strings.ReplaceAll(string(v), ".", ""), func(t *testing.T) {
				bench, door := doortest.New(t), overWeb(at, secure, v)
				how, span, err := TryUpgrade(t.Context(), bench.Input, door)
				require.NoError(t, err)
				assert.Equal(t, Upgraded, how)
				assert.Contains(t, bench.Member(span.Member), "101 Switching Protocols")
				for login, want := range map[*Client]Outcome{{}: Refused, {Login: &bad}: Refused, {Login: &good}: Accepted} {
					got, err := Try(t.Context(), bench.Input, door, *login)
					require.NoError(t, err)
					assert.Equal(t, want, got.Outcome)
				}
				s, _, err := Open(t.Context(), bench.Input, door, Client{Login: &good})
				require.NoError(t, err)
				m := firstMessage(t, s)
				assert.Len(t, m.Payload, 80_000)
				require.NoError(t, s.Ping())
				s.Close()
				for _, secret := range []string{good.Password, bad.Password} {
					assert.False(t, strings.Contains(bench.Transcript(), secret))
				}
				assert.Eventually(t, func() bool { return broker.Clients() == 0 }, time.Second, time.Millisecond)
			})
		}
	}
}

// A short password is masked too, though it is not looked for in what is
// written.
func TestShortPasswordOverWebSocket(t *testing.T) {
	t.Parallel()
	broker := doortest.NewBroker(t, doortest.Rules{Users: map[string]string{"u": "~!~"}, WebSocket: true})
	bench, login := doortest.New(t), good
	login.User, login.Password = "u", "~!~"
	got, err := Try(t.Context(), bench.Input, overWeb(reachable(t, broker.Addr), evidence.No, V5), Client{Login: &login})
	require.NoError(t, err)
	assert.Equal(t, Accepted, got.Outcome)
	assert.False(t, strings.Contains(bench.Transcript(), "~!~"))
}

func TestUpgrades(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	tests := []struct {
		name string
		door Door
		want Upgrade
		open Outcome
		most time.Duration
	}{
		{"not_found", overWeb(device(t, says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")), evidence.No, V5), NotUpgraded, Declined, time.Second},
		{"redirect", overWeb(device(t, says("HTTP/1.0 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n")), evidence.No, V5), NotUpgraded, Declined, time.Second},
		{"wrong_key", overWeb(device(t, says(head+"Sec-WebSocket-Accept: AAAA\r\n\r\n")), evidence.No, V5), OddUpgrade, Malformed, time.Second},
		{"no_http", overWeb(device(t, says("\x20\x02\x00\x00\r\n\r\n")), evidence.No, V5), OddUpgrade, Malformed, time.Second},
		{"endless_head", overWeb(peers.Flood(t, "HTTP/1.1 "), evidence.No, V5), OddUpgrade, Malformed, time.Second},
		{"closed", overWeb(peers.Closer(t), evidence.No, V5), NoUpgrade, Declined, time.Second},
		{"no_tls", overWeb(peers.Closer(t), evidence.Yes, V5), NoUpgrade, Declined, time.Second},
		{"half_a_head", overWeb(device(t, func(c net.Conn) { c.Read(make([]byte, 4096)); c.Write([]byte(head)) }), evidence.No, V5), OddUpgrade, Malformed, time.Second},
		{"silent", overWeb(peers.Tarpit(t), evidence.No, V5), MuteUpgrade, Silent, 2*Patience + time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			begun, bench := time.Now(), doortest.New(t)
			how, _, err := TryUpgrade(t.Context(), bench.Input, tt.door)
			require.NoError(t, err)
			assert.Equal(t, tt.want, how)
			got, err := Try(t.Context(), bench.Input, tt.door, Client{})
			require.NoError(t, err)
			assert.Equal(t, tt.open, got.Outcome)
			assert.Less(t, time.Since(begun), tt.most)
		})
	}
}

func TestWebSocketDoorsAreNamed(t *testing.T) {
	assert.Equal(t, "tcp/127.0.0.1:80#mqtt-5-websocket", overWeb(plainAt(80), evidence.No, V5).Endpoint().Name)
	assert.Equal(t, []Path{"/mqtt", "/"}, Paths())
}
