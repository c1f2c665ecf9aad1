package peers

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"
)

// listen connects, says something and reads for a while.
func listen(t *testing.T, addr netip.AddrPort, limit int, within time.Duration) ([]byte, error) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr.String(), answerWithin)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("hello\r\n")); err != nil {
		return nil, err
	}
	b := make([]byte, limit)
	n, err := io.ReadFull(conn, b)
	return b[:n], err
}

func TestTarpit(t *testing.T) {
	b, err := listen(t, Tarpit(t), 1, 300*time.Millisecond)
	if len(b) > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("heard %q, %v, want silence", b, err)
	}
}

func TestDrip(t *testing.T) {
	b, err := listen(t, Drip(t, "SSH"), 100, dripEvery+dripEvery/2)
	if string(b) != "SS" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("heard %q, %v in a second and a half, want two bytes", b, err)
	}
}

func TestReset(t *testing.T) {
	_, err := listen(t, Reset(t), 1, answerWithin)
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("ended with %v, want a reset", err)
	}
}

func TestFlood(t *testing.T) {
	const much = 4 << 20
	b, err := listen(t, Flood(t, "na"), much, answerWithin)
	if err != nil || len(b) != much || string(b[:4]) != "nana" {
		t.Errorf("heard %d bytes, %v, want %d", len(b), err, much)
	}
}

func TestCloser(t *testing.T) {
	b, err := listen(t, Closer(t), 1, answerWithin)
	if len(b) > 0 || !errors.Is(err, io.EOF) {
		t.Errorf("heard %q, %v, want an orderly end", b, err)
	}
}

// A connection that is still open does not keep its test from ending.
func TestHostilePeersEndWithTheTest(t *testing.T) {
	for name, start := range map[string]func(testing.TB) netip.AddrPort{
		"tarpit": Tarpit,
		"drip":   func(t testing.TB) netip.AddrPort { return Drip(t, "x") },
		"flood":  func(t testing.TB) netip.AddrPort { return Flood(t, "x") },
		"closer": Closer,
	} {
		var conn net.Conn
		t.Run(name, func(t *testing.T) {
			var err error
			if conn, err = net.DialTimeout("tcp", start(t).String(), answerWithin); err != nil {
				t.Fatal(err)
			}
		})
		_ = conn.SetReadDeadline(time.Now().Add(answerWithin))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection outlives its test", name)
		}
		conn.Close()
	}
}
