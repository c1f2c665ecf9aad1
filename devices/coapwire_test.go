package devices

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecode(t *testing.T) {
	for text, ok := range map[string]bool{
		"\x40\x01\x00\x01":             true,
		"\x40\x00\x00\x01":             true, // a ping
		"\x40\x01\x00\x01\xb1a":        true,
		"\x40\x01\x00\x01\xb1\xff":     true, // the end of an option
		"\x40\x01\x00\x01\xb1a\xffx":   true,
		"\x40\x01\x00\x01\xff":         false, // a marker and nothing behind it
		"\x40\x01\x00\x01\xb1a\xff":    false,
		"\x40\x01\x00":                 false,
		"\x00\x01\x00\x01":             false, // another version
		"\x49\x01\x00\x01123456789":    false, // a token of nine bytes
		"\x40\x01\x00\x01\xf1a":        false,
		"\x40\x01\x00\x01\xb5a":        false,
		"":                             false,
		"\x16\xfe\xff\x00\x00\x00\x00": false,
	} {
		_, got := decode([]byte(text))
		assert.Equal(t, ok, got, "%q", text)
	}
}

// wire returns both ends of a wire that a boot with the faults looks at.
func wire(t *testing.T, faults ...string) (*coapWire, net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return &coapWire{Conn: near, door: &coapDoor{boot: bootOf(t, "thermostat-hardened", faults...)}}, far
}

// Every third answer carries another token, and nothing else is changed.
func TestWrongToken(t *testing.T) {
	w, far := wire(t, "coap_wrong_token")
	const answer = "\x61\x45\x00\x01T\xffx"
	for i := 1; i <= 6; i++ {
		sent := []byte(answer)
		go func() { _, _ = w.Write(sent) }()
		got := readText(t, far)
		if i%3 != 0 {
			assert.Equal(t, answer, got)
			continue
		}
		assert.Equal(t, answer[:4]+"\xab"+answer[5:], got)
		assert.Equal(t, answer, string(sent), "the library's own copy")
	}
}

// No answer is there when it is waited for.
func TestLateAnswers(t *testing.T) {
	w, far := wire(t, "coap_answers_late")
	n, err := w.Write([]byte("answer"))
	require.NoError(t, err)
	assert.Equal(t, 6, n)
	require.NoError(t, far.SetReadDeadline(time.Now().Add(quiet)))
	_, err = far.Read(make([]byte, 10))
	assert.Error(t, err)
}

// Every third request is not there.
func TestLostRequests(t *testing.T) {
	w, far := wire(t, "coap_loses_requests")
	go func() {
		for i := range 9 {
			_, _ = far.Write([]byte{0x40, 1, 0, byte(i)})
		}
	}()
	var got []byte
	b := make([]byte, 10)
	for range 6 {
		_, err := w.Read(b)
		require.NoError(t, err)
		got = append(got, b[3])
	}
	assert.Equal(t, []byte{0, 1, 3, 4, 6, 7}, got)
}

// The value that proves an address is the unit's own, and new after a restart.
func TestEcho(t *testing.T) {
	b := bootOf(t, "decoy-coap-tls")
	assert.True(t, b.proven(b.echo()))
	assert.False(t, b.proven(nil))
	old := b.echo()
	b.number++
	assert.False(t, b.proven(old))
}
