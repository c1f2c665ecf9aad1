package dtlsserver

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor/dtlstest"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
)

// hasty is a patience for servers of the same process.
var hasty = patience{search: 200 * time.Millisecond, least: 100 * time.Millisecond, most: 200 * time.Millisecond, whole: 20 * time.Second, handshake: time.Second}

const pskCCM8 = 0xc0a8

// flight is that of a server that takes one suite of pre-shared keys.
func flight(seq uint16) [][]byte {
	return [][]byte{
		dtlstest.Handshake(dtlswire.ServerHello, seq, dtlstest.HelloBody(dtlswire.V12, []byte("r"), pskCCM8)),
		dtlstest.Handshake(dtlswire.ServerHelloDone, seq+1, nil),
	}
}

// sound is a script of a server that wants a cookie, takes one suite of 1.2 and
// refuses all others by an alert.
func sound(datagram []byte, reply func(...[]byte)) {
	a, ok := dtlstest.ReadHello(datagram)
	switch {
	case !ok:
	case a.Cookie == "":
		reply(dtlstest.VerifyRequest("biscuit"))
	case a.Version == dtlswire.V12 && slices.Contains(a.Suites, pskCCM8):
		reply(flight(1)...)
	default:
		reply(dtlstest.AlertOf(40))
	}
}

func look1(t *testing.T, at netip.AddrPort) Listener {
	t.Helper()
	b := dtlstest.Bench(t, nil, at)
	e, err := with(t.Context(), b.Input, hasty)
	require.NoError(t, err)
	require.Len(t, e.Listeners, 1)
	_, err = evidence.Encode(e)
	require.NoError(t, err)
	return e.Listeners[0]
}

// taken returns the suites that were taken in a version.
func taken(l Listener, v dtlswire.Version) (n int) {
	for _, o := range l.Versions[slices.Index(versions, v)].Offers {
		n += len(o.Suites)
	}
	return n
}

func TestASoundServer(t *testing.T) {
	t.Parallel()
	l := look1(t, dtlstest.Fake(t, sound))
	assert.True(t, l.Enumerated(), "%+v", l)
	assert.Equal(t, 1, taken(l, dtlswire.V12))
	assert.Equal(t, evidence.Yes, l.Cookie)
	assert.Equal(t, []Mode{{PSK, l.Modes[0].Seen}}, l.Modes)
}

// What is lost is asked for again, and does not count as not answered while the
// controls are lost as well.
func TestLosses(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	every := func(k int64) func([]byte, func(...[]byte)) {
		return func(d []byte, reply func(...[]byte)) {
			if n.Add(1)%k != 0 {
				sound(d, reply)
			}
		}
	}
	l := look1(t, dtlstest.Fake(t, every(5)))
	assert.True(t, l.Enumerated(), "%+v", l)
	assert.Equal(t, 1, taken(l, dtlswire.V12))

	t.Run("only_the_good_are_answered", func(t *testing.T) {
		l := look1(t, dtlstest.Fake(t, func(d []byte, reply func(...[]byte)) {
			if a, ok := dtlstest.ReadHello(d); ok && (a.Cookie == "" || a.Version == dtlswire.V12 && slices.Contains(a.Suites, pskCCM8)) {
				sound(d, reply)
			}
		}))
		assert.True(t, l.Enumerated(), "%+v", l)
		end := l.Versions[0].Offers[0].Ends
		require.Len(t, end, 1)
		assert.True(t, end[0].NotAnswered())
		assert.Equal(t, Controls{2, 2}, end[0].Controls)
	})
	t.Run("controls_are_lost_too", func(t *testing.T) {
		var n atomic.Int64
		l := look1(t, dtlstest.Fake(t, func(d []byte, reply func(...[]byte)) {
			a, ok := dtlstest.ReadHello(d)
			if ok && a.Version == dtlswire.V12 && slices.Contains(a.Suites, pskCCM8) && n.Add(1)%4 != 0 {
				sound(d, reply)
			}
		}))
		assert.False(t, l.Enumerated(), "%+v", l.Versions)
	})
}

// Fragments may come in any order, twice and overlapping.
func TestFragments(t *testing.T) {
	t.Parallel()
	l := look1(t, dtlstest.Fake(t, func(d []byte, reply func(...[]byte)) {
		a, ok := dtlstest.ReadHello(d)
		if !ok || a.Cookie == "" || a.Version != dtlswire.V12 || !slices.Contains(a.Suites, pskCCM8) {
			sound(d, reply)
			return
		}
		body := dtlstest.HelloBody(dtlswire.V12, []byte("r"), pskCCM8)
		n := len(body)
		reply(dtlstest.Handshake(dtlswire.ServerHelloDone, 2, nil), []byte("garbage"),
			dtlstest.Part(dtlswire.ServerHello, 1, n, 20, body[20:]), dtlstest.Part(dtlswire.ServerHello, 1, n, 20, body[20:]),
			dtlstest.Part(dtlswire.ServerHello, 1, n, 0, body[:30]))
	}))
	assert.True(t, l.Enumerated(), "%+v", l)
	assert.Equal(t, 4, l.Flight.Fragments)
}

// DTLS 1.3 asks for its cookie in a retry request.
func TestVersion13(t *testing.T) {
	t.Parallel()
	retry := []byte{0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c}
	version := dtlstest.Extension{Number: 43, Body: []byte{0xfe, 0xfc}}
	cookie := []byte{0, 3, 'a', 'b', 'c'}
	l := look1(t, dtlstest.Fake(t, func(d []byte, reply func(...[]byte)) {
		a, ok := dtlstest.ReadHello(d)
		switch {
		case !ok:
		case a.Exts[43] == nil || !slices.Contains(a.Suites, 0x1304):
			reply(dtlstest.AlertOf(70))
		case a.Exts[44] == nil:
			reply(dtlstest.Handshake(dtlswire.ServerHello, 0, dtlstest.HelloBody(dtlswire.V12, retry, 0x1304, version,
				dtlstest.Extension{Number: 44, Body: cookie}, dtlstest.Extension{Number: 51, Body: []byte{0, 23}})))
		case bytes.Equal(a.Exts[44], cookie) && binary.BigEndian.Uint16(a.Exts[51][2:]) == 23:
			reply(append(dtlstest.Handshake(dtlswire.ServerHello, 1, dtlstest.HelloBody(dtlswire.V12, []byte("r"), 0x1304, version,
				dtlstest.Extension{Number: 51, Body: []byte{0, 23, 0, 1, 9}})), 0x2e, 1, 2, 3))
		}
	}))
	assert.Equal(t, DTLS13, l.Control.Version)
	assert.True(t, l.Enumerated(), "%+v", l)
	assert.Equal(t, evidence.Yes, l.Before.Retry)
	assert.Equal(t, evidence.Yes, l.Cookie)
	assert.Equal(t, 1, taken(l, dtlswire.V13))
	assert.Equal(t, evidence.Unknown, l.Certified())
}

// A server with a raw public key shows it only to who can read one.
func TestRawPublicKey(t *testing.T) {
	t.Parallel()
	spki := []byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}
	spki = append(spki, bytes.Repeat([]byte{7}, 32)...)
	l := look1(t, dtlstest.Fake(t, func(d []byte, reply func(...[]byte)) {
		a, ok := dtlstest.ReadHello(d)
		switch {
		case !ok:
		case a.Version != dtlswire.V12 || a.Exts[20] == nil || !slices.Contains(a.Suites, 0xc0ae):
			reply(dtlstest.AlertOf(43))
		default:
			hello := dtlstest.HelloBody(dtlswire.V12, []byte("r"), 0xc0ae, dtlstest.Extension{Number: 20, Body: []byte{2}})
			reply(dtlstest.Handshake(dtlswire.ServerHello, 0, hello), dtlstest.Handshake(dtlswire.Certificate, 1, append([]byte{0, 0, byte(len(spki))}, spki...)),
				dtlstest.Handshake(dtlswire.ServerHelloDone, 2, nil))
		}
	}))
	assert.True(t, l.Enumerated(), "%+v", l)
	assert.Equal(t, evidence.No, l.Certified())
	assert.Equal(t, evidence.No, l.Cookie)
	require.Len(t, l.Keys, 1)
	assert.EqualValues(t, "Ed25519", l.Keys[0].Key.Kind)
	assert.Equal(t, []Mode{{RawKey7250, l.Modes[0].Seen}}, l.Modes)
	assert.Greater(t, l.First.Received*10, l.First.Sent, "an answer without a cookie is counted")
}

// Whatever a hostile server sends, the look ends in time, holds little, and shows
// nothing.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte{0xff}, 60000)
	var loops atomic.Int64
	scripts := map[string]func([]byte, func(...[]byte)){
		"silent":  func([]byte, func(...[]byte)) {},
		"garbage": func(_ []byte, reply func(...[]byte)) { reply(big, []byte{}, []byte{22, 0xfe}) },
		"echo":    func(d []byte, reply func(...[]byte)) { reply(bytes.Clone(d)) },
		"cookie_loop": func(_ []byte, reply func(...[]byte)) {
			reply(dtlstest.VerifyRequest(string(rune('a' + loops.Add(1)%20))))
		},
		"half_flight": func(_ []byte, reply func(...[]byte)) { reply(flight(0)[0]) },
		"gap":         func(_ []byte, reply func(...[]byte)) { reply(flight(0)[1]) },
		"contradictions": func(_ []byte, reply func(...[]byte)) {
			reply(flight(0)[0], dtlstest.Handshake(2, 0, dtlstest.HelloBody(dtlswire.V12, []byte("other"), pskCCM8)))
		},
		"ten_MiB": func(_ []byte, reply func(...[]byte)) { reply(dtlstest.Part(2, 0, 10<<20, 0, make([]byte, 1000))) },
		"not_offered": func(_ []byte, reply func(...[]byte)) {
			reply(dtlstest.Handshake(2, 0, dtlstest.HelloBody(dtlswire.V12, nil, 0xfafa)), flight(0)[1])
		},
		"another_version": func(_ []byte, reply func(...[]byte)) {
			reply(dtlstest.Handshake(2, 0, dtlstest.HelloBody(0xfe00, nil, pskCCM8)), flight(0)[1])
		},
		"warnings": func(_ []byte, reply func(...[]byte)) {
			reply(dtlswire.Record{Type: 21, Version: dtlswire.V12, Body: []byte{1, 41}}.Bytes())
		},
		"endless": func(_ []byte, reply func(...[]byte)) {
			for i := range 40 {
				reply(dtlstest.Part(11, uint16(i), 60000, 0, big[:50000]))
			}
		},
		"drip": func(_ []byte, reply func(...[]byte)) {
			for i := range 30 {
				reply(dtlstest.Part(2, 0, 40, i, []byte{0xfe}))
				time.Sleep(10 * time.Millisecond)
			}
		},
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			l := look1(t, dtlstest.Fake(t, script))
			assert.Equal(t, NoControl, l.Cut)
			assert.False(t, l.Enumerated())
			assert.Empty(t, l.Modes)
			assert.Less(t, time.Since(begun), 10*time.Second)
		})
	}
	t.Cleanup(func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		assert.Less(t, m.HeapInuse, uint64(64<<20))
	})
}

// A port that closes says so at once.
func TestClosedPort(t *testing.T) {
	t.Parallel()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	at := c.LocalAddr().(*net.UDPAddr).AddrPort()
	require.NoError(t, c.Close())
	begun := time.Now()
	l := look1(t, at)
	assert.Equal(t, NoControl, l.Cut)
	assert.Less(t, time.Since(begun), time.Second)
}

// A server that takes all that it is offered is left alone after a while, and one
// that goes away in between is noticed.
func TestServersThatEndTheLook(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	for name, tt := range map[string]struct {
		script func([]byte, func(...[]byte))
		cut    Cut
	}{
		"takes_all": {func(d []byte, reply func(...[]byte)) {
			if a, ok := dtlstest.ReadHello(d); ok && a.Exts[43] == nil {
				reply(dtlstest.Handshake(2, 0, dtlstest.HelloBody(a.Version, []byte("r"), a.Suites[0])), flight(0)[1])
			}
		}, TooMany},
		"goes_away": {func(d []byte, reply func(...[]byte)) {
			if n.Add(1) < 12 {
				sound(d, reply)
			}
		}, LostControl},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := look1(t, dtlstest.Fake(t, tt.script))
			assert.Equal(t, tt.cut, l.Cut)
			assert.False(t, l.Enumerated())
			assert.Equal(t, evidence.Unknown, l.Certified())
		})
	}
}

func TestMoreListenersThanAreLookedAt(t *testing.T) {
	t.Parallel()
	var addrs []netip.AddrPort
	for range MostListeners + 1 {
		addrs = append(addrs, dtlstest.Fake(t, sound))
	}
	b := dtlstest.Bench(t, nil, addrs...)
	e, err := with(t.Context(), b.Input, hasty)
	assert.ErrorIs(t, err, errMany)
	assert.Len(t, e.Listeners, MostListeners)
}

func TestBound(t *testing.T) {
	t.Parallel()
	b := dtlstest.Bench(t, nil, dtlstest.Fake(t, sound))
	got := bound(b.Input.Target)
	assert.Equal(t, mostHellos+mostHandshakes, got.Connections)
	assert.Greater(t, got.Time, usual.whole)
	assert.Equal(t, mostHandshakes, got.Logins)
	assert.NoError(t, evidence.CheckType(Probe.Info().Evidence))
}
