package devices

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func from(t *testing.T, s string) net.Addr {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", s)
	require.NoError(t, err)
	return a
}

func TestGateEveryThird(t *testing.T) {
	g := newGate(Faults{ResetEveryThird: true})
	now := time.Now()
	var one []bool
	for range 6 {
		one = append(one, g.admit(1, from(t, "127.0.0.1:9"), now))
	}
	assert.Equal(t, []bool{true, true, false, true, true, false}, one)
	assert.True(t, g.admit(2, from(t, "127.0.0.1:9"), now), "each port counts for itself")
}

func TestGateLimitsScanners(t *testing.T) {
	g := newGate(Faults{ScannerLimited: true})
	now := time.Now()
	try := func(at time.Time) bool { return g.admit(1, from(t, "127.0.0.1:9"), at) }
	for i := range scannerRate {
		assert.True(t, try(now), i)
	}
	assert.False(t, try(now))
	assert.False(t, try(now.Add(scannerPenalty-1)))
	assert.True(t, try(now.Add(scannerPenalty)))

	slow := newGate(Faults{ScannerLimited: true})
	for i := range 5 * scannerRate {
		assert.True(t, slow.admit(1, from(t, "127.0.0.1:9"), now.Add(time.Duration(i)*time.Second/2)), i)
	}
}

func TestGateBans(t *testing.T) {
	g := newGate(Faults{})
	now := time.Now()
	g.ban(from(t, "127.0.0.1:1"), now)
	assert.False(t, g.admit(1, from(t, "127.0.0.1:2"), now))
	assert.False(t, g.admit(1, from(t, "[::ffff:127.0.0.1]:2"), now))
	assert.True(t, g.admit(1, from(t, "127.0.0.2:2"), now), "another address")
	assert.True(t, g.admit(1, from(t, "127.0.0.1:2"), now.Add(banTime)))
	for i := range 2 * maxBanned {
		g.ban(&net.TCPAddr{IP: net.IPv4(127, 1, byte(i>>8), byte(i))}, now)
	}
	assert.LessOrEqual(t, len(g.banned), maxBanned)
}

// Connections beyond the cap are refused, and the others go on.
func TestGateCap(t *testing.T) {
	g := newGate(Faults{})
	now := time.Now()
	addr := &net.UnixAddr{}
	for range maxClients {
		require.True(t, g.admit(1, addr, now))
	}
	assert.False(t, g.admit(1, addr, now))
	assert.True(t, g.admit(2, addr, now))
	g.leave(1)
	assert.True(t, g.admit(1, addr, now))
}

// No protocol of ours lifts the bound of a connection.
func TestDeadlinesAreBounded(t *testing.T) {
	now := time.Now()
	for _, asked := range []time.Time{{}, now.Add(48 * time.Hour)} {
		assert.WithinDuration(t, now.Add(longest), bounded(asked), time.Minute)
	}
	soon := now.Add(time.Second)
	assert.Equal(t, soon, bounded(soon))

	ours, theirs := net.Pipe()
	defer theirs.Close()
	forgotten := 0
	c := &client{Conn: ours, gone: make(chan struct{}), forget: func() { forgotten++ }}
	require.NoError(t, c.SetReadDeadline(now))
	_, err := c.Read(make([]byte, 1))
	assert.True(t, isTimeout(err))
	require.NoError(t, c.SetWriteDeadline(now))
	_, err = c.Write([]byte("x"))
	assert.True(t, isTimeout(err))
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	<-c.gone
	assert.Equal(t, 1, forgotten)
}
