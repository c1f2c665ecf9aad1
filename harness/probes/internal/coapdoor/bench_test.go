package coapdoor_test

import (
	"net"
	"testing"
	"time"

	. "github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	w "github.com/assay-iot/assay/harness/probes/internal/coapwire"
)

// echoing answers every request at once, as bare as can be.
func echoing(b *testing.B) Door {
	return Door{Transport: UDP, Addr: coaptest.Datagrams(b, func(d []byte, send coaptest.Send) {
		if len(d) < 12 {
			return
		}
		d[0], d[1] = 0x68, byte(w.Content)
		send(append(d[:12], 0xff, '2', '1'))
	})}
}

// raw is the loop that exchanges are measured against: a socket, nothing else.
func raw(b *testing.B, door Door, n int) time.Duration {
	c, err := net.Dial("udp", door.Addr.String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	question, answer := append([]byte("\x48\x01ii12345678\xb1t"), 0)[:14], make([]byte, 2048)
	begun := time.Now()
	for i := range n {
		question[2], question[3] = byte(i>>8), byte(i)
		_, _ = c.Write(question)
		if _, err := c.Read(answer); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begun)
}

// ours makes the same exchanges on a session, with all that it does.
func ours(b *testing.B, s *Session, n int) time.Duration {
	begun := time.Now()
	for range n {
		x, err := s.Do(b.Context(), Request{Path: "/t"})
		if err != nil || x.Outcome != Answered {
			b.Fatal(x.Outcome, err)
		}
	}
	return time.Since(begun)
}

// BenchmarkExchange compares exchanges with a loop over a bare socket, in one
// run: at most 3 times its time. A session may receive 1 MiB, which sets how
// many there are on one.
func BenchmarkExchange(b *testing.B) {
	const turn = 2000
	door, bench := echoing(b), coaptest.New(b)
	raw(b, door, turn)
	var theirs, mine time.Duration
	for b.Loop() {
		s, _, err := Open(b.Context(), bench.Input, door, Client{})
		if err != nil {
			b.Fatal(err)
		}
		mine += ours(b, s, turn)
		s.Close()
		theirs += raw(b, door, turn)
	}
	b.ReportMetric(float64(mine)/float64(theirs), "ratio")
	b.ReportMetric(float64(b.N*turn)/mine.Seconds(), "exchanges/s")
}
