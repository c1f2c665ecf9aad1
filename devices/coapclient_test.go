package devices

import (
	"bytes"
	"context"
	"encoding/hex"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	coapdtls "github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/mux"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/pkg/runner/periodic"
	coapudp "github.com/plgd-dev/go-coap/v3/udp"
	"github.com/stretchr/testify/require"
)

const coapsPort = 5684

// thermostat starts the hardened thermostat with the named faults.
func thermostat(t *testing.T, faults ...string) *Device {
	t.Helper()
	return run(t, Spec{Name: "thermostat-hardened", Faults: with(t, faults...)})
}

// inClear returns a CoAP client for the port that faults open.
func inClear(t *testing.T, at netip.AddrPort) mux.Conn {
	t.Helper()
	c, err := coapudp.Dial(at.String(), options.WithErrors(func(error) {}), ticking(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() }) // it may be closed already
	return c
}

// ticking ends what a client of the library does by itself with the test.
func ticking(t *testing.T) options.PeriodicRunnerOpt {
	return options.WithPeriodicRunner(periodic.New(t.Context().Done(), quiet))
}

// inDTLS returns a CoAP client with a pre-shared key.
func inDTLS(t *testing.T, at netip.AddrPort, identity string, key []byte) (mux.Conn, error) {
	t.Helper()
	udp, err := net.Dial("udp", at.String())
	require.NoError(t, err)
	inside, err := pskClient(t, udp, identity, key)
	if err != nil {
		_ = udp.Close()
		return nil, err
	}
	c := coapdtls.Client(inside, options.WithErrors(func(error) {}), options.WithCloseSocket(), ticking(t))
	t.Cleanup(func() {
		_ = c.Close()
		<-c.Done()
	})
	return c, nil
}

func pskClient(t *testing.T, udp net.Conn, identity string, key []byte, more ...dtls.ClientOption) (*dtls.Conn, error) {
	t.Helper()
	all := append([]dtls.ClientOption{
		dtls.WithPSK(func([]byte) ([]byte, error) { return key, nil }),
		dtls.WithPSKIdentityHint([]byte(identity)),
		dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8),
	}, more...)
	c, err := dtls.ClientWithOptions(&connected{udp}, udp.RemoteAddr(), all...)
	require.NoError(t, err)
	return c, c.HandshakeContext(t.Context())
}

// connected makes a packet connection of one that has a peer.
type connected struct{ net.Conn }

func (c *connected) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := c.Read(b)
	return n, c.RemoteAddr(), err
}

func (c *connected) WriteTo(b []byte, _ net.Addr) (int, error) { return c.Write(b) }

// asApp returns a client that holds the key of the app.
func asApp(t *testing.T, d *Device) mux.Conn {
	t.Helper()
	c, err := inDTLS(t, d.AtUDP(coapsPort), "app", keyOf(t, d, "app"))
	require.NoError(t, err)
	return c
}

func keyOf(t *testing.T, d *Device, credential string) []byte {
	t.Helper()
	p, err := d.Password(credential)
	require.NoError(t, err)
	key, err := hex.DecodeString(p)
	require.NoError(t, err)
	require.Len(t, key, 16)
	return key
}

func coapGet(t *testing.T, c mux.Conn, path string, opts ...message.Option) (codes.Code, string) {
	t.Helper()
	return body(t)(c.Get(t.Context(), path, opts...))
}

func coapPut(t *testing.T, c mux.Conn, path, value string) codes.Code {
	t.Helper()
	code, _ := body(t)(c.Put(t.Context(), path, message.TextPlain, bytes.NewReader([]byte(value))))
	return code
}

func body(t *testing.T) func(*pool.Message, error) (codes.Code, string) {
	t.Helper()
	return func(m *pool.Message, err error) (codes.Code, string) {
		t.Helper()
		require.NoError(t, err)
		b, err := m.ReadBody()
		require.NoError(t, err)
		return m.Code(), string(b)
	}
}

// observed says whether a client is told of a change within the patience.
func observed(t *testing.T, c mux.Conn, path string) bool {
	t.Helper()
	told := make(chan struct{}, 100)
	first := true
	o, err := c.Observe(t.Context(), path, func(*pool.Message) {
		if !first {
			told <- struct{}{}
		}
		first = false
	})
	if err != nil {
		return false
	}
	defer func() { _ = o.Cancel(t.Context()) }() // the connection ends with the test
	return within(told)
}

// A session that was opened lasts as long as its client is heard of.
func TestSessionsOutliveTheirOpening(t *testing.T) {
	t.Parallel()
	c := asApp(t, thermostat(t))
	for began := time.Now(); time.Since(began) < opening+time.Second; time.Sleep(200 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		require.NoError(t, c.Ping(ctx), "after %s", time.Since(began))
		cancel()
	}
}
