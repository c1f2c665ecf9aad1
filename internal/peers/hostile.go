package peers

import (
	"bytes"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

const (
	// dripEvery is the pause between two bytes of Drip: short enough that a
	// time-out for each read never fires.
	dripEvery = time.Second
	// floodChunk is how much Flood writes at once.
	floodChunk = 64 << 10
)

// Tarpit accepts connections and never says a word.
func Tarpit(t testing.TB) netip.AddrPort {
	t.Helper()
	return serve(t, func(_ *net.TCPConn, ended <-chan struct{}) { <-ended })
}

// Drip says text again and again, one byte a second.
func Drip(t testing.TB, text string) netip.AddrPort {
	t.Helper()
	return serve(t, func(conn *net.TCPConn, ended <-chan struct{}) {
		tick := time.NewTicker(dripEvery)
		defer tick.Stop()
		for i := 0; ; i++ {
			if _, err := conn.Write([]byte{text[i%len(text)]}); err != nil {
				return
			}
			select {
			case <-ended:
				return
			case <-tick.C:
			}
		}
	})
}

// Reset resets each connection as soon as it is accepted.
func Reset(t testing.TB) netip.AddrPort {
	t.Helper()
	return serve(t, func(conn *net.TCPConn, _ <-chan struct{}) {
		_ = conn.SetLinger(0) // a connection that is gone needs no reset
	})
}

// Flood says text again and again, as fast as it is read, without end.
func Flood(t testing.TB, text string) netip.AddrPort {
	t.Helper()
	chunk := bytes.Repeat([]byte(text), floodChunk/len(text)+1)
	return serve(t, func(conn *net.TCPConn, _ <-chan struct{}) {
		for {
			if _, err := conn.Write(chunk); err != nil {
				return
			}
		}
	})
}

// Closer closes each connection in good order after the first thing that it
// reads, without an answer.
func Closer(t testing.TB) netip.AddrPort {
	t.Helper()
	return serve(t, func(conn *net.TCPConn, _ <-chan struct{}) {
		_, _ = conn.Read(make([]byte, floodChunk)) // an end is as good as data
	})
}

// serve runs behave on each connection to a free port of 127.0.0.1, and closes
// the connection after it. When the test ends it closes all of them, closes
// ended, and waits.
func serve(t testing.TB, behave func(conn *net.TCPConn, ended <-chan struct{})) netip.AddrPort {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatalf("hostile peer: %v", err)
	}
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.AcceptTCP()
			if err != nil {
				return // the test has ended
			}
			running.Go(func() { attend(conn, ended, behave) })
		}
	})
	t.Cleanup(func() {
		close(ended)
		_ = l.Close()
		running.Wait()
	})
	return listening(l)
}

// attend runs behave on one connection, which the end of the test closes.
func attend(conn *net.TCPConn, ended <-chan struct{}, behave func(*net.TCPConn, <-chan struct{})) {
	done := make(chan struct{})
	var guard sync.WaitGroup
	guard.Go(func() {
		select {
		case <-ended:
		case <-done:
		}
		_ = conn.Close()
	})
	behave(conn, ended)
	close(done)
	guard.Wait()
}
