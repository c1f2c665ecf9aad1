package mqttconnect

import (
	"bufio"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/internal/peers"
)

// httpAt is what the services probe says of an HTTP listener.
func httpAt(at netip.AddrPort, secure evidence.Tri) services.Evidence {
	return services.Evidence{Services: []services.Service{{Addr: at, Protocol: services.HTTP, TLS: secure, Seen: 2}}}
}

// reachable waits until somebody listens.
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

func TestBrokersBehindHTTP(t *testing.T) {
	cert := peers.NewAuthority(t).Issue(t, "device")
	for name, secure := range map[string]evidence.Tri{"plain": evidence.No, "tls": evidence.Yes} {
		t.Run(name, func(t *testing.T) {
			rules := doortest.Rules{Users: users, WebSocket: true}
			if secure == evidence.Yes {
				rules.TLS = &tls.Config{Certificates: []tls.Certificate{cert.TLS}}
			}
			broker, bench := doortest.NewBroker(t, rules), doortest.New(t, app)
			e, err := collect(t, bench, httpAt(reachable(t, broker.Addr), secure))
			require.NoError(t, err)
			require.Len(t, e.Web, 1)
			assert.Equal(t, evidence.Yes, e.Web[0].MQTT)
			assert.Equal(t, []Upgrade{mqttdoor.Upgraded}, e.Web[0].Paths[0].Upgrades)
			require.Len(t, e.Doors, 2)
			for i, d := range e.Doors {
				assert.Equal(t, Way{Addr: broker.Addr, TLS: secure, Version: []Version{V311, V5}[i], Path: "/mqtt"}, d.Way)
				assert.Equal(t, []Outcome{Accepted, Refused, Refused, Refused, Refused, Accepted}, shape(d))
			}
			assert.False(t, strings.Contains(bench.Transcript(), app.Password))
		})
	}
}

// chat speaks WebSocket, and inside it plain text.
func chat(c net.Conn) {
	wish, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	sum := sha1.Sum([]byte(wish.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(c, "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n\x81\x05hello",
		base64.StdEncoding.EncodeToString(sum[:]))
	io.Copy(io.Discard, c)
}

func TestHTTPWithoutABroker(t *testing.T) {
	answer := func(text string) netip.AddrPort {
		return device(t, func(c net.Conn) {
			c.Read(make([]byte, 4096))
			io.WriteString(c, text)
		})
	}
	tests := []struct {
		name string
		at   netip.AddrPort
		want evidence.Tri
		took int // wishes at the first path
	}{
		{"not_found", answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), evidence.No, 1},
		{"page_at_every_path", answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), evidence.No, 1},
		{"nginx", peers.Nginx(t, peers.NginxConfig{Pages: map[string]string{"/index.html": "hello"}}).Addrs[0], evidence.No, 1},
		{"websocket_of_something_else", device(t, chat), evidence.No, 1},
		{"hangs_up", peers.Closer(t), evidence.Unknown, 2},
		{"resets", peers.Reset(t), evidence.Unknown, 2},
		{"floods", peers.Flood(t, "HTTP"), evidence.Unknown, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := collect(t, doortest.New(t), httpAt(tt.at, evidence.No))
			require.NoError(t, err)
			require.Len(t, e.Web, 1)
			assert.Equal(t, tt.want, e.Web[0].MQTT)
			assert.Len(t, e.Web[0].Paths, 2)
			assert.Len(t, e.Web[0].Paths[0].Upgrades, tt.took)
			assert.Empty(t, e.Doors)
		})
	}
}

// What one part of the work missed does not hide what another one missed.
func TestBothPartsNameWhatTheyMissed(t *testing.T) {
	outside := netip.MustParseAddrPort("192.0.2.1:80")
	found := httpAt(outside, evidence.No)
	found.Services = append(found.Services, doortest.Listeners(netip.MustParseAddrPort("192.0.2.1:1883")).Services...)
	e, err := collect(t, doortest.New(t), found)
	var partial *probe.Partial
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, []string{"tcp/192.0.2.1:80", "tcp/192.0.2.1:1883#mqtt-311", "tcp/192.0.2.1:1883#mqtt-5"}, partial.Missing)
	assert.Empty(t, e.Web)
	assert.Empty(t, e.Doors)
}
