package mqttmalformed

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttbook"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/internal/peers"
)

func TestASoundDoorLockTakesThemAll(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Start(t, "door-lock-hardened", "mqtt_plain_listener")
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	require.Len(t, e.Listeners, 2)
	for _, l := range e.Listeners {
		assert.Equal(t, LogIn, l.Control)
		assert.Len(t, l.Packets, packets)
		for _, p := range l.Packets {
			assert.Equal(t, Whole, p.Sent, "%+v", p)
			assert.NotEqual(t, None, p.Reaction)
		}
		assert.Empty(t, l.Looks)
		assert.Empty(t, l.Witness.Drops)
		assert.Equal(t, evidence.Yes, l.Witness.Held)
	}
	assert.Len(t, lab.Charged(), 3, "%s", lab.Charged()) // the control once, and a packet at each listener
}

// A broker that is gone is seen to be gone in two looks, also from a second
// address.
func TestADoorLockThatDies(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Start(t, "door-lock-hardened", "mqtt_dies_on_malformed")
	lab.Input.Target.Second = netip.MustParseAddr("127.0.0.2")
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	require.Len(t, e.Listeners, 1)
	l := e.Listeners[0]
	require.Len(t, l.Looks, 2)
	for _, k := range l.Looks {
		assert.Equal(t, evidence.No, k.First)
		assert.Equal(t, evidence.No, k.Second)
		assert.GreaterOrEqual(t, k.Waited, recovery)
	}
	assert.Equal(t, evidence.No, l.Witness.Held)
	assert.Len(t, l.Witness.Drops, 1)
}

// mosquitto is a real broker.
func mosquitto(t *testing.T, anonymous bool) netip.AddrPort {
	t.Helper()
	return peers.Mosquitto(t, peers.MosquittoConfig{
		Users: map[string]string{mqttlab.App.User: mqttlab.App.Password}, Listeners: []peers.MosquittoListener{{Anonymous: anonymous}},
	}).Addr
}

func TestAgainstMosquitto(t *testing.T) {
	t.Parallel()
	wrong := mqttlab.App
	wrong.Password = "mistaken"
	tests := []struct {
		name      string
		anonymous bool
		logins    []probe.Login
		control   Control
		later     Sent // packets that follow a good CONNECT
		witness   evidence.Tri
	}{
		{"log_in", false, []probe.Login{mqttlab.App}, LogIn, Whole, evidence.Yes},
		{"stranger_who_is_let_in", true, nil, Anonymous, Whole, evidence.Yes},
		{"stranger_who_is_not", false, nil, Anonymous, NotLetIn, evidence.Unknown},
		{"wrong_log_in", true, []probe.Login{wrong}, Anonymous, Whole, evidence.Yes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Plain(t, mosquitto(t, tt.anonymous), tt.logins...)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.Len(t, e.Listeners, 1)
			l := e.Listeners[0]
			assert.Equal(t, tt.control, l.Control)
			assert.Equal(t, tt.witness, l.Witness.Held)
			assert.Empty(t, l.Looks)
			require.Len(t, l.Packets, packets)
			for i, p := range l.Packets {
				want := Whole
				if mqttwire.Malformed()[i].AfterConnect {
					want = tt.later
				}
				assert.Equal(t, want, p.Sent, "%s", p.Name)
				assert.Equal(t, want == Whole, p.Reaction != None, "%s", p.Name)
			}
			lab.Within(t, bound)
			assert.NotContains(t, lab.Transcript(), mqttlab.App.Password)
		})
	}
}

// A device that turns our address away for a moment after each malformed packet
// does right, and is waited for.
func TestADeviceThatBans(t *testing.T) {
	t.Parallel()
	broker := newBanning(t, 1500*time.Millisecond, false)
	lab := mqttlab.Plain(t, broker, mqttlab.App)
	s := &siege{in: lab.Input, book: mqttbook.Open(lab.Input), Listener: Listener{Addr: broker, TLS: evidence.No}}
	begin(t, s)
	sent := 0
	for _, bad := range mqttwire.Malformed()[:packets] {
		if bad.AfterConnect || strings.Contains(string(bad.Bytes), "MQTT") {
			continue
		}
		sent++
		p, err := s.packet(transport.ExpectAbsence(transport.Beside(t.Context())), bad)
		require.NoError(t, err)
		assert.Equal(t, Whole, p.Sent)
		assert.Greater(t, p.Back, time.Second)
	}
	require.NoError(t, s.end(transport.Beside(t.Context())))
	assert.Equal(t, 3, sent)
	assert.Empty(t, s.Looks)
	assert.Equal(t, evidence.Yes, s.Witness.Held)
	assert.Equal(t, mqttdoor.Accepted, s.After.Outcome)
	assert.Len(t, lab.Charged(), 1, "a closed door costs no log-in")
}

// One that also drops the session of another one is seen to do so.
func TestADroppedWitness(t *testing.T) {
	t.Parallel()
	broker := newBanning(t, time.Millisecond, true)
	lab := mqttlab.Plain(t, broker, mqttlab.App)
	s := &siege{in: lab.Input, book: mqttbook.Open(lab.Input), Listener: Listener{Addr: broker, TLS: evidence.No}}
	begin(t, s)
	p, err := s.packet(transport.Beside(t.Context()), mqttwire.Malformed()[1])
	require.NoError(t, err)
	require.NoError(t, s.end(transport.Beside(t.Context())))
	require.Len(t, s.Witness.Drops, 1)
	assert.Equal(t, p.Name, s.Witness.Drops[0].After)
	assert.Equal(t, evidence.No, s.Witness.Held)
	assert.NotNil(t, s.witness, "another one took its place")
}

// begin does what comes before the first packet.
func begin(t *testing.T, s *siege) {
	t.Helper()
	require.NoError(t, s.begin(t.Context()))
	require.Equal(t, LogIn, s.Control)
	require.NoError(t, s.openWitness(t.Context()))
	require.NotNil(t, s.witness)
	t.Cleanup(s.closeWitness)
}

// newBanning is a listener in front of a mosquitto that, after a packet that is
// none, resets all new connections for a while and, if harsh, ends all others.
func newBanning(t *testing.T, ban time.Duration, harsh bool) netip.AddrPort {
	t.Helper()
	behind := mosquitto(t, false)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var mu sync.Mutex
	var until time.Time
	open := map[net.Conn]bool{}
	var running sync.WaitGroup
	offend := func(c net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		until = time.Now().Add(ban)
		for other := range open {
			if harsh {
				other.Close()
			}
		}
		c.Close()
	}
	relay := func(c net.Conn) {
		defer c.Close()
		b, err := net.Dial("tcp", behind.String())
		if err != nil {
			return
		}
		defer b.Close()
		running.Go(func() { io.Copy(c, b) })
		first := make([]byte, 4096)
		n, _ := c.Read(first)
		if n < 8 || string(first[4:8]) != "MQTT" {
			if n > 0 {
				offend(c)
			}
			return
		}
		mu.Lock()
		open[c] = true
		mu.Unlock()
		b.Write(first[:n])
		io.Copy(b, c)
	}
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			banned := time.Now().Before(until)
			mu.Unlock()
			if banned {
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
				continue
			}
			running.Go(func() { relay(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		offend(nopConn{})
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

type nopConn struct{ net.Conn }

func (nopConn) Close() error { return nil }

// Without a good exchange at first, nothing malformed is sent.
func TestHostilePeers(t *testing.T) {
	t.Parallel()
	for name, peer := range map[string]func(*testing.T) netip.AddrPort{
		"silent": func(t *testing.T) netip.AddrPort { return peers.Tarpit(t) },
		"reset":  func(t *testing.T) netip.AddrPort { return peers.Reset(t) },
		"closer": func(t *testing.T) netip.AddrPort { return peers.Closer(t) },
		"flood":  func(t *testing.T) netip.AddrPort { return peers.Flood(t, "\x20\x02\x02") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Plain(t, peer(t), mqttlab.App)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.Len(t, e.Listeners, 1)
			assert.Equal(t, NoControl, e.Listeners[0].Control)
			assert.Empty(t, e.Listeners[0].Packets)
			lab.Within(t, bound)
		})
	}
}

// A broker that does not know version 5 cannot be sent what follows a CONNECT
// of that version.
func TestAVersionThatIsNotSpoken(t *testing.T) {
	t.Parallel()
	at := onlyThree(t)
	lab := mqttlab.Plain(t, at, mqttlab.App)
	s := &siege{in: lab.Input, book: mqttbook.Open(lab.Input), Listener: Listener{Addr: at, TLS: evidence.No}}
	require.NoError(t, s.begin(t.Context()))
	seen := 0
	for _, bad := range mqttwire.Malformed()[:packets] {
		if !bad.AfterConnect || bad.Version != mqttwire.V5 {
			continue
		}
		p := Packet{Version: mqttdoor.V5}
		require.NoError(t, s.send(t.Context(), bad, &p))
		assert.Equal(t, NoVersion, p.Sent)
		assert.Equal(t, None, p.Reaction)
		seen++
	}
	assert.NotZero(t, seen)
}

// onlyThree lets everybody in who speaks version 3.1.1.
func onlyThree(t *testing.T) netip.AddrPort {
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
				defer c.Close()
				c.SetDeadline(time.Now().Add(10 * time.Second))
				b := make([]byte, 4096)
				if n, _ := c.Read(b); n > 8 && b[8] == 4 { // the protocol level
					io.WriteString(c, "\x20\x02\x00\x00")
					io.Copy(io.Discard, c)
					return
				}
				io.WriteString(c, "\x20\x02\x00\x01")
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}
