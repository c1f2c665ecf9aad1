package mqttwire

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deaf is a broker that speaks a script and takes so many writes.
type deaf struct {
	io.Reader
	takes int
}

var errDeaf = errors.New("connection reset")

func (d *deaf) Write(b []byte) (int, error) {
	if d.takes--; d.takes < 0 {
		return 0, errDeaf
	}
	return len(b), nil
}

// A packet that may have been sent in part leaves no session to go on with.
func TestAWriteErrorEndsTheSession(t *testing.T) {
	const accepted = "\x20\x02\x00\x00"
	calls := map[string]func(*Session) error{
		"ping":        (*Session).Ping,
		"disconnect":  (*Session).Disconnect,
		"subscribe":   func(s *Session) error { _, err := s.Subscribe(Filter{Topic: "a"}); return err },
		"unsubscribe": func(s *Session) error { _, err := s.Unsubscribe("a"); return err },
		"publish":     func(s *Session) error { _, err := s.Publish(Publish{Topic: "a"}); return err },
		"puback":      func(s *Session) error { _, err := s.Next(); return err },
		"pubcomp":     func(s *Session) error { _, err := s.Next(); return err },
	}
	answered := map[string]string{"puback": "\x32\x05\x00\x01a\x00\x01", "pubcomp": "\x62\x02\x00\x01"}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			s, _, err := Open(&deaf{strings.NewReader(accepted + answered[name]), 1}, hello(V311), Limits{})
			require.NoError(t, err)
			if err := call(s); name != "puback" { // there the message is in hand before the session ends
				assert.Equal(t, errDeaf, err)
			}
			assert.Equal(t, errDeaf, s.Ping())
		})
	}
	_, _, err := Open(&deaf{strings.NewReader(accepted), 0}, hello(V311), Limits{})
	assert.Equal(t, errDeaf, err)
}

// A broker that never reads blocks us until the deadline and no longer.
func TestABrokerThatDoesNotRead(t *testing.T) {
	ours, peer := net.Pipe()
	defer ours.Close()
	defer peer.Close()
	start := time.Now()
	require.NoError(t, ours.SetDeadline(start.Add(50*time.Millisecond)))
	s, _, err := Open(ours, hello(V5), Limits{})
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.Less(t, time.Since(start), time.Second)
	assert.ErrorIs(t, s.Ping(), os.ErrDeadlineExceeded)
}

// Each call that waits may time out and leaves the session fit for the next.
func TestCallsTimeOutAndTheSessionGoesOn(t *testing.T) {
	conn := broker(t,
		turn{connect311, "20 02 00 00"},
		turn{"82 06 0001 0001 61 00", ""},
		turn{"a2 05 0002 0001 61", ""},
		turn{"32 05 0001 61 0003", ""},
		turn{"c0 00", "90 03 0001 00  b0 02 0002  40 02 0003  d0 00"}, // all late
		turn{"82 06 0004 0001 61 00", "90 03 0004 00"},
	)
	s, _, err := Open(conn, hello(V311), Limits{})
	require.NoError(t, err)
	for _, call := range []func() error{
		func() error { _, err := s.Subscribe(Filter{Topic: "a"}); return err },
		func() error { _, err := s.Unsubscribe("a"); return err },
		func() error { _, err := s.Publish(Publish{QoS: 1, Topic: "a"}); return err },
		func() error { _, err := s.Next(); return err },
	} {
		require.NoError(t, conn.SetDeadline(time.Now().Add(hurry)))
		require.ErrorIs(t, call(), os.ErrDeadlineExceeded)
	}
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	require.NoError(t, s.Ping())
	assert.Equal(t, 3, s.Stray())
	ack, err := s.Subscribe(Filter{Topic: "a"})
	require.NoError(t, err)
	assert.Equal(t, []Code{Success}, ack.Codes)
}
