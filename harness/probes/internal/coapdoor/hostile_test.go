package coapdoor_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	. "github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	w "github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// says is a device that answers each request with what answers returns.
func says(t *testing.T, answers func(m w.Message) [][]byte) Door {
	t.Helper()
	return Door{Transport: UDP, Addr: coaptest.Datagrams(t, func(b []byte, send coaptest.Send) {
		m, err := w.Decode(b)
		if err != nil || !m.Code.Request() {
			return
		}
		for _, answer := range answers(m) {
			send(answer)
		}
	})}
}

// bytesOf encodes what is no mistake of the test.
func bytesOf(m w.Message) []byte {
	b, err := m.Encode()
	if err != nil {
		panic(err)
	}
	return b
}

// reply is the piggybacked answer to m.
func reply(m w.Message, payload string, options ...w.Option) w.Message {
	return w.Message{Type: w.Acknowledgement, Code: w.Content, ID: m.ID, Token: m.Token, Options: options, Payload: []byte(payload)}
}

// changed returns m with something else about it.
func changed(m w.Message, f func(*w.Message)) w.Message {
	f(&m)
	return m
}

func TestRejectedAtOnce(t *testing.T) {
	t.Parallel()
	for _, non := range []bool{false, true} {
		s := open(t, coaptest.New(t), says(t, func(m w.Message) [][]byte { return [][]byte{bytesOf(w.Message{Type: w.Reset, ID: m.ID})} }), nil)
		begun := time.Now()
		x := do(t, s, Request{Path: "/t", Non: non})
		assert.Equal(t, Reset, x.Outcome)
		assert.Equal(t, 1, x.Tries)
		assert.Less(t, time.Since(begun), 500*time.Millisecond)
		assert.Equal(t, 4+28, x.Response)
	}
}

func TestAClosedPortAnswersAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, coaptest.New(t), Door{Addr: coaptest.Closed(t), Transport: UDP}, nil)
	begun := time.Now()
	assert.Equal(t, Closed, do(t, s, Request{Path: "/t"}).Outcome)
	assert.Less(t, time.Since(begun), 500*time.Millisecond)
}

// What belongs to nothing is counted and dropped, and the answer after it found.
func TestStraysBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	const strays = 2000
	good := func(m w.Message) w.Message { return reply(m, "right") }
	kinds := []func(m w.Message) w.Message{
		func(m w.Message) w.Message { return changed(good(m), func(m *w.Message) { m.Token = []byte("other") }) },
		func(m w.Message) w.Message { return changed(good(m), func(m *w.Message) { m.ID++ }) },
		func(m w.Message) w.Message {
			return changed(good(m), func(m *w.Message) { m.Type, m.Token = w.NonConfirmable, nil })
		},
		func(m w.Message) w.Message {
			return changed(good(m), func(m *w.Message) { m.Type, m.Token = w.Confirmable, []byte("late one") })
		},
		func(m w.Message) w.Message { return w.Message{Type: w.Reset, ID: m.ID + 1} },
		func(m w.Message) w.Message { return w.Message{Type: w.Acknowledgement, ID: m.ID - 1} },
		func(m w.Message) w.Message { return w.Message{Code: w.GET, ID: m.ID, Token: m.Token} },
	}
	at := coaptest.Datagrams(t, func(b []byte, send coaptest.Send) {
		m, err := w.Decode(b)
		if err != nil || !m.Code.Request() {
			return
		}
		for i := range strays {
			send(bytesOf(kinds[i%len(kinds)](m)))
			if i%40 == 0 {
				time.Sleep(2 * time.Millisecond) // the buffer of the socket is not what is tested
			}
		}
		time.Sleep(20 * time.Millisecond)
		send(bytesOf(good(m)))
	})
	s := open(t, coaptest.New(t), Door{Addr: at, Transport: UDP}, nil)
	x := do(t, s, Request{Path: "/t"})
	assert.Equal(t, "right", string(x.Payload))
	assert.Greater(t, x.Strays, strays/2)
	assert.Zero(t, x.Bad)
	t.Logf("%d of %d strays arrived", x.Strays, strays)
}

func TestMalformedThenValid(t *testing.T) {
	t.Parallel()
	s := open(t, coaptest.New(t), says(t, func(m w.Message) [][]byte {
		valid := bytesOf(reply(m, "right"))
		return [][]byte{{}, {0x40}, valid[:8], []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), bytes.Repeat([]byte{0xff}, 1400), valid}
	}), nil)
	x := do(t, s, Request{Path: "/t"})
	assert.Equal(t, Answered, x.Outcome)
	assert.Equal(t, "right", string(x.Payload))
	assert.Equal(t, 5, x.Bad)
	s = open(t, coaptest.New(t), says(t, func(w.Message) [][]byte { return [][]byte{[]byte("what?")} }), nil)
	x = do(t, s, Request{Path: "/t"})
	assert.Equal(t, Malformed, x.Outcome)
	assert.Equal(t, Times, x.Bad)
}

// An answer without an end stops at the caps, and in bounded memory.
func TestEndlessBlocks(t *testing.T) {
	t.Parallel()
	for size, want := range map[uint8]int{6: MaxPayload, 4: 256 * MaxBlocks, 0: 16 * MaxBlocks} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			var asked atomic.Int64
			s := open(t, coaptest.New(t), says(t, func(m w.Message) [][]byte {
				asked.Add(1)
				b := w.Block{More: true, SZX: size}
				if o, ok := m.Get(w.Block2); ok {
					b, _ = w.BlockOf(o)
					b.More = b.Num < 200_000
				}
				return [][]byte{bytesOf(reply(m, strings.Repeat("x", b.Size()), b.Option(w.Block2)))}
			}), nil)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			x := do(t, s, Request{Path: "/t"})
			runtime.GC()
			runtime.ReadMemStats(&after)
			assert.Len(t, x.Payload, want)
			assert.Equal(t, evidence.Yes, x.Truncated)
			assert.LessOrEqual(t, asked.Load(), int64(MaxBlocks))
			assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(4<<20))
		})
	}
}

// Blocks that do not fit are left out.
func TestBlocksThatDoNotFit(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("x", 64)
	tests := map[string]func(m w.Message, b w.Block) w.Message{
		"another_place": func(m w.Message, b w.Block) w.Message { b.Num += 2; return reply(m, full, b.Option(w.Block2)) },
		"same_again": func(m w.Message, b w.Block) w.Message {
			b.Num, b.More = 0, true
			return reply(m, full, b.Option(w.Block2))
		},
		"no_block":     func(m w.Message, _ w.Block) w.Message { return reply(m, full) },
		"another_tag":  func(m w.Message, b w.Block) w.Message { return reply(m, full, w.Text(w.ETag, "2"), b.Option(w.Block2)) },
		"half_a_block": func(m w.Message, b w.Block) w.Message { b.More = true; return reply(m, "half", b.Option(w.Block2)) },
		"error": func(m w.Message, _ w.Block) w.Message {
			return changed(reply(m, ""), func(m *w.Message) { m.Code = w.Incomplete })
		},
		"block_of_four":  func(m w.Message, _ w.Block) w.Message { return reply(m, full, w.Text(w.Block2, "long")) },
		"nothing_in_it":  func(m w.Message, b w.Block) w.Message { b.More = true; return reply(m, "", b.Option(w.Block2)) },
		"rejected":       func(m w.Message, _ w.Block) w.Message { return w.Message{Type: w.Reset, ID: m.ID} },
		"larger_than_it": func(m w.Message, b w.Block) w.Message { b.SZX = 6; return reply(m, full, b.Option(w.Block2)) },
	}
	for name, second := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t, coaptest.New(t), says(t, func(m w.Message) [][]byte {
				if o, ok := m.Get(w.Block2); ok {
					b, _ := w.BlockOf(o)
					return [][]byte{bytesOf(second(m, b))}
				}
				return [][]byte{bytesOf(reply(m, full, w.Text(w.ETag, "1"), w.Block{More: true, SZX: 2}.Option(w.Block2)))}
			}), nil)
			x := do(t, s, Request{Path: "/t"})
			assert.Equal(t, Answered, x.Outcome)
			assert.Equal(t, full, string(x.Payload))
			assert.Equal(t, evidence.Yes, x.Truncated)
		})
	}
}

// An acknowledgement with the token of somebody else, and a copy of what came,
// change nothing.
func TestSeparateResponses(t *testing.T) {
	t.Parallel()
	var acks atomic.Int64
	at := coaptest.Datagrams(t, func(b []byte, send coaptest.Send) {
		m, err := w.Decode(b)
		if err == nil && m.Type == w.Acknowledgement {
			acks.Add(1)
		}
		if err != nil || !m.Code.Request() {
			return
		}
		send(bytesOf(w.Message{Type: w.Acknowledgement, ID: m.ID}))
		late := changed(reply(m, string(m.Path())), func(m *w.Message) { m.Type, m.ID = w.Confirmable, m.ID+500 })
		for range 3 {
			send(bytesOf(late))
		}
	})
	s := open(t, coaptest.New(t), Door{Addr: at, Transport: UDP}, nil)
	for _, path := range []string{"/a", "/b"} {
		x := do(t, s, Request{Path: path})
		assert.Equal(t, path, string(x.Payload))
		assert.Equal(t, evidence.Yes, x.Separate)
	}
	assert.Eventually(t, func() bool { return acks.Load() >= 2 }, time.Second, time.Millisecond)
}

// Notifications without an end fill no memory and hold nobody up.
func TestEndlessNotifications(t *testing.T) {
	t.Parallel()
	var asked, resets atomic.Int64
	at := coaptest.Datagrams(t, func(b []byte, send coaptest.Send) {
		m, err := w.Decode(b)
		switch {
		case err == nil && m.Type == w.Reset:
			resets.Add(1)
		case err == nil && m.Code == w.GET && asked.Add(1) == 1:
			send(bytesOf(reply(m, "0", w.Uint(w.Observe, 0))))
			for i := range uint32(3000) {
				n := changed(reply(m, "again", w.Uint(w.Observe, i)), func(m *w.Message) { m.Type, m.ID = w.NonConfirmable, uint16(i) })
				send(bytesOf(n))
			}
		}
	})
	s := open(t, coaptest.New(t), Door{Addr: at, Transport: UDP}, nil)
	o, _, err := s.Observe(t.Context(), "/t")
	require.NoError(t, err)
	require.NotNil(t, o)
	begun, n := time.Now(), 0
	for range o.All(t.Context(), 300*time.Millisecond) {
		n++
	}
	assert.Positive(t, n)
	assert.Less(t, time.Since(begun), time.Second)
	x, err := o.Cancel(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Silent, x.Outcome)
	assert.LessOrEqual(t, resets.Load(), int64(16))
}

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
