package mqttread

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
)

// device answers each connection to a port of 127.0.0.1 by serve.
func device(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				c.SetDeadline(time.Now().Add(30 * time.Second))
				serve(c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// scripted answers the first thing that it reads with one text and the second
// with another one.
func scripted(t *testing.T, first, second string) netip.AddrPort {
	return device(t, func(c net.Conn) {
		b := make([]byte, 4096)
		for _, text := range []string{first, second} {
			if _, err := c.Read(b); err != nil {
				return
			}
			io.WriteString(c, text)
		}
		io.Copy(io.Discard, c)
	})
}

// picky lets everybody in, grants every filter and hangs up on one.
func picky(t *testing.T, bad string) netip.AddrPort {
	return device(t, func(c net.Conn) {
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			switch mqttwire.Type(b[0] >> 4) {
			case mqttwire.CONNECT:
				io.WriteString(c, "\x20\x02\x00\x00")
			case mqttwire.SUBSCRIBE:
				if filter := string(b[6 : n-1]); filter == bad {
					return
				}
				io.WriteString(c, "\x90\x03"+string(b[2:4])+"\x00")
			case mqttwire.UNSUBSCRIBE:
				io.WriteString(c, "\xb0\x02"+string(b[2:4]))
			case mqttwire.PINGREQ:
				io.WriteString(c, "\xd0\x00")
			}
		}
	})
}

func TestAbout(t *testing.T) {
	u := us{"assay01234567", netip.MustParseAddrPort("192.0.2.9:41000"), netip.MustParseAddr("192.0.2.1")}
	tests := []struct{ name, topic, payload, want string }{
		{"total", "$SYS/broker/clients/total", "3", "counter"},
		{"connected", "$SYS/broker/clients/connected", "12", "counter"},
		{"uptime", "$SYS/broker/uptime", "3600 seconds", "counter"},
		{"load", "$SYS/broker/load/messages/received/1min", "12.34", "counter"},
		{"version", "$SYS/broker/version", "mosquitto version 2.0.21", "version"},
		{"version_of_four_parts", "$SYS/broker/version", "1.2.3.4", "version"},
		{"listener", "$SYS/broker/listener", "0.0.0.0:1883", "counter"},
		{"own_address", "$SYS/broker/address", "tcp://192.0.2.1:1883", "other"},
		{"list", "$SYS/broker/clients/list", "bolt-1 lock 192.0.2.7\n", "peer_address"},
		{"list_with_us", "$SYS/broker/clients/list", `"assay01234567" "" 192.0.2.9:41000`, "client_id peer_address"},
		{"log", "$SYS/broker/log/N", "1478: New client connected from 192.0.2.7:4711 as plug-7 (p2, c1, k60, u'plug').", "client_id user_name peer_address"},
		{"log_without_a_user", "$SYS/broker/log/N", "1478: New client connected from 192.0.2.7 as plug-7 (p2, c1, k60).", "client_id peer_address"},
		{"event", "$SYS/brokers/a@b/clients/plug-7/connected", `{"username":"plug","ipaddress":"192.0.2.7","clientid":"plug-7"}`, "client_id user_name peer_address"},
		{"topic_of_a_client", "$SYS/brokers/a@b/clients/plug-7/disconnected", `{"reason":"normal"}`, "client_id"},
		{"topic_with_our_id", "$SYS/broker/sessions/assay01234567", "x", "client_id"},
		{"empty_fields", "$SYS/x", `{"username":"","clientid":"","peerhost":""}`, "other"},
		{"other", "$SYS/broker/name", "door lock", "other"},
		{"six", "$SYS/x", "peer [2001:db8::7]:4711", "peer_address"},
		{"multicast", "$SYS/x", "group 224.0.0.1", "other"},
		{"time", "$SYS/broker/time", "12:34:56", "counter"},
		{"nothing", "$SYS", "", "other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, a := range about(tt.topic, []byte(tt.payload), u) {
				got = append(got, string(a))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("about = %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzAbout(f *testing.F) {
	f.Add("$SYS/broker/clients/list", []byte("bolt-1 lock 192.0.2.7\n"))
	f.Add("$SYS/a/clients/b/c", []byte(`{"clientid":"x"}`))
	u := us{"assay01234567", netip.MustParseAddrPort("192.0.2.9:41000"), netip.MustParseAddr("192.0.2.1")}
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		if len(about(topic, payload, u)) == 0 {
			t.Error("about nothing at all")
		}
	})
}
