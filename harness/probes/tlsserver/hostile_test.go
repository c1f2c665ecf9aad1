package tlsserver

import (
	"bytes"
	"crypto/tls"
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
	"github.com/assay-iot/assay/internal/peers"
)

// always answers every hello alike.
func always(t testing.TB, b []byte) netip.AddrPort {
	return rawServer(t, func(offer) []byte { return b })
}

func closedPort(t testing.TB) netip.AddrPort {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// A listener that answers no control hello is asked nothing else, and nothing is
// said of what it takes.
func TestNoControl(t *testing.T) {
	longRetry := hello(uint16(TLS12), 0x1301, 0, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 29)
	copy(longRetry[11:], []byte{
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
		0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
	})
	tests := []struct {
		name string
		at   netip.AddrPort
		want Outcome
	}{
		{"silence", peers.Tarpit(t), Silent},
		{"drip", peers.Drip(t, "\x16\x03\x03\x40\x00\x02"), Silent},
		{"drip_of_header", peers.Drip(t, "\x16"), Silent},
		{"reset", device(t, func(c net.Conn) { // when it has the whole hello
			if o := (offer{}); o.read(c) {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
		}), Closed},
		{"closes_after_hello", peers.Closer(t), Closed},
		{"nobody_listens", closedPort(t), Declined},
		{"http", always(t, http400), Malformed},
		{"garbage", always(t, bytes.Repeat([]byte{0xde, 0xad}, 4000)), Malformed},
		{"flood", peers.Flood(t, "\x00\x01\x02"), Malformed},
		{"endless_empty_records", peers.Flood(t, "\x16\x03\x03\x00\x00"), Malformed},
		{"endless_warnings", peers.Flood(t, "\x15\x03\x03\x00\x02\x01\x70"), Malformed},
		{"endless_data", peers.Flood(t, "\x17\x03\x03\x00\x01\x00"), Malformed},
		{"endless_message", peers.Flood(t, "\x16\x03\x03\x00\x04\x0b\xff\xff\xff"), Malformed},
		{"alert", always(t, refusal), Alerted},
		{"close_notify", always(t, record(21, 1, 0)), Alerted},
		{"sslv2", always(t, []byte{0x80, 3, 0, 0, 1}), Malformed},
		{"half_a_hello", rawServer(t, func(offer) []byte { return hello(uint16(TLS12), 0xc02f, 0)[:30] }), Silent},
		{"unknown_version", always(t, hello(0x0305, 0xc02f, 0)), NotOffered},
		{"unknown_suite", always(t, hello(uint16(TLS12), 0x0a0a, 0)), NotOffered},
		{"retry_for_what_was_sent", always(t, longRetry), NotOffered},
		{"certificate_first", always(t, record(22, message(11, 0, 0, 0)...)), Malformed},
		{"http_in_a_record", always(t, record(22, http400...)), Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			e, err := collect(t, over(tt.at))
			require.NoError(t, err)
			require.Len(t, e.Listeners, 1)
			l := e.Listeners[0]
			assert.Equal(t, NoControl, l.Cut)
			assert.Equal(t, tt.want, l.Before.Outcome)
			assert.Equal(t, NotTried, l.After.Outcome)
			assert.Empty(t, l.Versions)
			assert.LessOrEqual(t, e.Connections, 3)
			assert.Less(t, time.Since(begun), 3*benchPatience+time.Second)
			assert.False(t, l.Served())
		})
	}
}

// What is served to some hellos only.
func TestAnswersThatDiffer(t *testing.T) {
	t.Parallel()
	old := uint16(TLS12)
	t.Run("always_the_same_suite", func(t *testing.T) {
		t.Parallel()
		e, err := collect(t, over(always(t, hello(old, 0x002f, 0))))
		require.NoError(t, err)
		v := e.Listeners[0].Versions[3]
		assert.Equal(t, evidence.Yes, v.Accepts())
		assert.Equal(t, evidence.Unknown, v.Complete, "what was left was not turned away")
		assert.Equal(t, []Outcome{NotOffered, NotOffered}, outcomes(v.Ends))
		assert.Len(t, v.Suites, 1)
		assert.False(t, e.Listeners[0].Enumerated())
	})
	t.Run("takes_everything", func(t *testing.T) {
		t.Parallel()
		e, err := collect(t, over(rawServer(t, func(o offer) []byte { return chosen(o.version, o.suites[len(o.suites)-1]) })))
		require.NoError(t, err)
		l := e.Listeners[0]
		assert.Equal(t, TooMany, l.Cut)
		assert.Equal(t, evidence.No, l.Versions[3].Complete)
		assert.False(t, l.Enumerated())
		assert.LessOrEqual(t, e.Connections, perListener)
	})
	t.Run("every_other_connection", func(t *testing.T) {
		t.Parallel()
		e, err := collect(t, over(rawServer(t, func(o offer) []byte {
			if i := slices.Index(o.suites, 0x002f); i >= 0 && o.version == old && o.n%2 == 1 {
				return flight(old, 0x002f)
			}
			return nil
		})))
		require.NoError(t, err)
		for _, v := range e.Listeners[0].Versions {
			for _, try := range v.Tries {
				assert.False(t, v.Accepts() == evidence.No && try.Outcome == Accepted, "%+v", v)
			}
		}
	})
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		var first atomic.Bool
		e, err := collect(t, over(rawServer(t, func(o offer) []byte {
			switch {
			case o.version == old && slices.Contains(o.suites, 0x002f):
				return flight(old, 0x002f)
			case o.version == uint16(SSL30) && o.n < 40 && slices.Contains(o.suites, 0x0005) && first.CompareAndSwap(false, true):
				return hello(uint16(SSL30), 0x0005, 0)
			}
			return refusal
		})))
		require.NoError(t, err)
		v := e.Listeners[0].Versions[0]
		assert.Equal(t, 1, v.Seen)
		assert.Equal(t, evidence.Unknown, v.Accepts(), "%+v", v)
	})
	t.Run("goes_silent", func(t *testing.T) {
		t.Parallel()
		e, err := collect(t, over(rawServer(t, func(o offer) []byte {
			if o.n < 6 && slices.Contains(o.suites, 0x002f) {
				return flight(old, 0x002f)
			}
			return []byte{}
		})))
		require.NoError(t, err)
		assert.Equal(t, WentSilent, e.Listeners[0].Cut)
		assert.NotEmpty(t, e.Listeners[0].Versions)
	})
	t.Run("shuts_the_door", func(t *testing.T) {
		t.Parallel()
		e, err := collect(t, over(rawServer(t, func(o offer) []byte {
			if o.n > 3 || !slices.Contains(o.suites, 0x002f) {
				return nil
			}
			return flight(min(o.version, old), 0x002f)
		})))
		require.NoError(t, err)
		assert.Equal(t, LostControl, e.Listeners[0].Cut)
		assert.False(t, e.Listeners[0].Served())
	})
}

func outcomes(tries []Try) (all []Outcome) {
	for _, t := range tries {
		all = append(all, t.Outcome)
	}
	return all
}

// A request for another group, again and again, is an answer to a hello and no
// handshake.
func TestRetryLoop(t *testing.T) {
	t.Parallel()
	retry := func(suite uint16) []byte {
		b := hello(uint16(TLS12), suite, 0, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 24)
		copy(b[11:], []byte{
			0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
			0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
		})
		return b
	}
	at := device(t, func(c net.Conn) {
		for o := (offer{}); o.read(c); {
			if !slices.Contains(o.suites, 0x1301) {
				c.Write(refusal)
				return
			}
			c.Write(retry(0x1301))
		}
	})
	e, err := collect(t, over(at))
	require.NoError(t, err)
	l := e.Listeners[0]
	assert.Equal(t, evidence.Yes, l.Before.Retry)
	assert.Equal(t, evidence.Yes, l.Versions[4].Accepts())
	assert.Equal(t, evidence.No, l.Versions[3].Accepts())
	require.NotEmpty(t, l.Handshakes)
	assert.Equal(t, NotOurs, l.Handshakes[0].Outcome)
	assert.Empty(t, l.Chains)
}

// A ServerHello and no more.
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	at := rawServer(t, func(o offer) []byte {
		if o.version != uint16(TLS12) && o.n > 1 || !slices.Contains(o.suites, 0x002f) {
			return refusal
		}
		return hello(uint16(TLS12), 0x002f, 0)
	})
	begun := time.Now()
	e, err := collect(t, over(at))
	require.NoError(t, err)
	l := e.Listeners[0]
	assert.Equal(t, evidence.Yes, l.Versions[3].Accepts())
	assert.Equal(t, 0, l.Versions[3].Flights)
	assert.Equal(t, evidence.No, l.Versions[3].Tries[0].Flight)
	assert.Less(t, time.Since(begun), 12*benchPatience)
}

func TestDeflate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		chosen byte
		want   evidence.Tri
	}{"chosen": {1, evidence.Yes}, "left": {0, evidence.No}} {
		t.Run(name, func(t *testing.T) {
			e, err := collect(t, over(rawServer(t, func(o offer) []byte {
				if !slices.Contains(o.suites, 0x0005) || o.version > uint16(TLS10) && o.n > 1 {
					return refusal
				}
				if o.deflate {
					return hello(uint16(TLS10), 0x0005, tt.chosen)
				}
				return flight(uint16(TLS10), 0x0005)
			})))
			require.NoError(t, err)
			assert.Equal(t, tt.want, e.Listeners[0].Deflate)
			assert.Equal(t, Accepted, e.Listeners[0].Compression.Outcome)
		})
	}
}

// fragments cuts every handshake record before encryption into many.
type fragments struct {
	net.Conn
	encrypted bool
}

func (f *fragments) Write(b []byte) (int, error) {
	total := len(b)
	for len(b) >= 5 && !f.encrypted {
		n := int(b[3])<<8 | int(b[4])
		if f.encrypted = b[0] != 22; f.encrypted {
			break
		}
		for part := range slices.Chunk(b[5:5+n], 7) {
			if _, err := f.Conn.Write(record(22, part...)); err != nil {
				return 0, err
			}
		}
		b = b[5+n:]
	}
	if len(b) > 0 {
		if _, err := f.Conn.Write(b); err != nil {
			return 0, err
		}
	}
	return total, nil
}

func TestFragmented(t *testing.T) {
	cert := peers.NewAuthority(t).Issue(t, "device")
	at := device(t, func(c net.Conn) {
		tls.Server(&fragments{Conn: c}, &tls.Config{Certificates: []tls.Certificate{cert.TLS}, MaxVersion: tls.VersionTLS12}).Handshake()
	})
	e, err := collect(t, over(at))
	require.NoError(t, err)
	l := e.Listeners[0]
	assert.Equal(t, evidence.Yes, l.Versions[3].Accepts())
	assert.Equal(t, 2, l.Versions[3].Flights)
	assert.Equal(t, Completed, l.Handshakes[0].Outcome)
}

// Endless answers cost no memory.
func TestFloodMemory(t *testing.T) {
	at := peers.Flood(t, "\x16\x03\x03\x40\x00\x0b\x03\xff\xff")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, err := collect(t, over(at), over(at), over(at))
	require.NoError(t, err)
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(32<<20))
}
