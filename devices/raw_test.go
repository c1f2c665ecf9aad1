package devices

import (
	"crypto/ed25519"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever leaves is not served on: each service ends with its client.
func TestServicesEndWithTheirClient(t *testing.T) {
	u := lockUnit(t)
	for name, speak := range map[string]func(net.Conn){
		"silent": silent, "drip": drip, "flood": flood, "telnet": u.telnet, "ssh": u.ssh,
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				speak(ours)
			}()
			require.NoError(t, theirs.SetReadDeadline(time.Now().Add(quiet)))
			n, _ := theirs.Read(make([]byte, 1))
			assert.Equal(t, name != "silent", n == 1, "who speaks first")
			require.NoError(t, theirs.Close())
			select {
			case <-ended:
			case <-time.After(patience):
				t.Error("it goes on")
			}
			_ = ours.Close()
		})
	}
}

// A connection that is closed already ends every service at once.
func TestServicesOnAClosedConnection(t *testing.T) {
	u := lockUnit(t)
	began := time.Now()
	for _, speak := range []func(net.Conn){silent, drip, flood, u.telnet, u.ssh} {
		ours, theirs := net.Pipe()
		require.NoError(t, theirs.Close())
		require.NoError(t, ours.Close())
		speak(ours)
	}
	assert.Less(t, time.Since(began), patience)
}

// What the decoy says on its SSH port is what RFC 4253 section 4.2 allows: lines
// that do not begin with "SSH-".
func TestTalkIsAllowed(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(talk, "\r\n"), "\r\n")
	assert.Len(t, lines, 2)
	for _, line := range lines {
		assert.False(t, strings.HasPrefix(line, "SSH-"), line)
		assert.LessOrEqual(t, len(line), 253)
	}
}

// Everything that a unit has differs from what the next one has.
func TestDerivedValues(t *testing.T) {
	seen := map[string]string{}
	for _, unit := range []string{"1", "2", "12", ""} {
		for _, purpose := range []string{"password app", "SSH host key", "TLS key 0", "certificate number"} {
			b, err := derive(unit, purpose, ed25519.SeedSize)
			require.NoError(t, err)
			assert.Empty(t, seen[string(b)], "%q %q", unit, purpose)
			seen[string(b)] = unit + " " + purpose
		}
	}
	_, err := derive("1", "too much", 256*32)
	assert.ErrorContains(t, err, "too much")
}

func TestLateConnection(t *testing.T) {
	b := newBoot(&Device{})
	require.NoError(t, b.end(), "a device that was never on")
	ours, theirs := net.Pipe()
	defer theirs.Close()
	c := b.track(ours) // it came while the device went off
	select {
	case <-c.gone:
	default:
		t.Error("it stays open")
	}
	assert.Empty(t, b.clients)
}
