package devices

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Keys are of the unit, and of nobody else.
func TestPSK(t *testing.T) {
	d := thermostat(t)
	asApp(t, d)
	_, err := inDTLS(t, d.AtUDP(coapsPort), "app ", keyOf(t, d, "app"))
	assert.ErrorContains(t, err, "alert", "the identity is wrong")
	other := run(t, Spec{Name: "thermostat-hardened", Serial: "TH-0002"})
	assert.NotEqual(t, keyOf(t, d, "app"), keyOf(t, other, "app"))
	assert.Equal(t, keyOf(t, d, "app"), keyOf(t, thermostat(t), "app"))
}

func TestSuites(t *testing.T) {
	for name, gcm := range map[string]bool{"thermostat-hardened": true, "decoy-coap-tls": false} {
		d := run(t, Spec{Name: name})
		udp, err := net.Dial("udp", d.AtUDP(coapsPort).String())
		require.NoError(t, err)
		c, err := pskClient(t, udp, "app", keyOf(t, d, "app"), dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_GCM_SHA256))
		assert.Equal(t, gcm, err == nil, "%s: %v", name, err)
		require.NoError(t, c.Close())
		asApp(t, d)
	}
}

// oldClientHello is one for DTLS 1.0 and no newer version.
func oldClientHello(number uint16, cookie []byte, suites ...uint16) []byte {
	body := append([]byte{0xfe, 0xff}, make([]byte, helloRandom)...)
	body = append(body, 0, byte(len(cookie)))
	body = append(body, cookie...)
	body = binary.BigEndian.AppendUint16(body, uint16(2*len(suites)))
	for _, s := range suites {
		body = binary.BigEndian.AppendUint16(body, s)
	}
	return oldMessage(uint64(number), clientHello, number, append(body, 1, 0))
}

// takesOldDTLS says whether a device chooses DTLS 1.0.
func takesOldDTLS(t *testing.T, d *Device) bool {
	t.Helper()
	c, err := net.Dial("udp", d.AtUDP(coapsPort).String())
	require.NoError(t, err)
	defer c.Close()
	b := make([]byte, 2000)
	exchange := func(question []byte) []byte {
		_, err := c.Write(question)
		require.NoError(t, err)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(2*quiet)))
		n, err := c.Read(b)
		if err != nil {
			return nil
		}
		return append([]byte(nil), b[:n]...)
	}
	cookie := exchange(oldClientHello(0, nil, 0x008c))
	if len(cookie) < recordHeader+handshakeHeader+3 || cookie[recordHeader] != verifyRequest {
		return false
	}
	chosen := exchange(oldClientHello(1, cookie[recordHeader+handshakeHeader+3:], 0x008c))
	if len(chosen) < recordHeader+handshakeHeader+2 || chosen[recordHeader] != serverHello {
		return false
	}
	assert.Equal(t, []byte{0xfe, 0xff}, chosen[recordHeader+handshakeHeader:][:2])
	n, err := c.Read(b)
	require.NoError(t, err)
	assert.Equal(t, byte(serverHelloDone), b[recordHeader])
	assert.Equal(t, recordHeader+handshakeHeader, n)
	end := exchange([]byte{20, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1}) // change of the cipher
	assert.Equal(t, byte(recordAlert), end[0])
	return true
}

func TestOldAnswer(t *testing.T) {
	cookie := []byte("twenty bytes of cookie")
	for _, tt := range []struct {
		name string
		in   []byte
		want byte // the type of the message, or the alert
	}{
		{"no_cookie", oldClientHello(0, nil, 0x008c), verifyRequest},
		{"wrong_cookie", oldClientHello(1, []byte("x"), 0x008c), verifyRequest},
		{"cookie", oldClientHello(1, cookie, 0x1301, 0x008d), serverHello},
		{"no_suite", oldClientHello(1, cookie, 0x1301), alertHandshakeFailure},
		{"no_hello", []byte{23, 0xfe, 0xff}, alertDecryptError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := oldAnswer(tt.in, cookie, 0)
			require.NotEmpty(t, got)
			if got[0][0] == recordAlert {
				assert.Equal(t, tt.want, got[0][recordHeader+1])
				return
			}
			assert.Equal(t, tt.want, got[0][recordHeader])
		})
	}
}

// A hello for a newer version is the library's.
func TestNewerHelloIsNotOld(t *testing.T) {
	b := oldClientHello(0, nil, 0x008c)
	assert.True(t, oldHello(b))
	b[recordHeader+handshakeHeader+1] = 0xfd
	assert.False(t, oldHello(b))
}

func FuzzParseHello(f *testing.F) {
	whole := oldClientHello(1, []byte("cookie"), 0x008c, 0x1301)
	f.Add(whole)
	for i := range whole {
		f.Add(whole[:i])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := parseHello(b)
		if ok && len(h.cookie)+2*len(h.suites)+len(h.version) > len(b) {
			t.Errorf("%d bytes hold more than there is: %+v", len(b), h)
		}
		for _, record := range oldAnswer(b, []byte("cookie"), 7) {
			if len(record) < recordHeader+2 || len(record) > 200 {
				t.Errorf("answer %x", record)
			}
		}
	})
}
