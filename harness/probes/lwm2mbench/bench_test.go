package lwm2mbench

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	coapdtls "github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/mux"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/pkg/runner/periodic"
	coapudp "github.com/plgd-dev/go-coap/v3/udp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/bench"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	identity = "urn:dev:meter-1"
	psk      = "a key of this meter alone"
	// hasty is how long a test waits for a device that does not come.
	hasty = 50 * time.Millisecond
)

var loopback = netip.MustParseAddr("127.0.0.1")

type keys []probe.Login

func (k keys) For(s string) []probe.Login {
	if s != service {
		return nil
	}
	return k
}

func (keys) List(string) []probe.Login { return nil }

// A rig is the probe at work, with both roles.
type rig struct {
	*doortest.Bench
	bootstrap, server netip.AddrPort
	stop              func(context.Context) (Evidence, error)
}

func newRig(t *testing.T, change ...func(*probe.Input)) *rig {
	t.Helper()
	r := &rig{Bench: doortest.New(t), bootstrap: free(t), server: free(t)}
	in := &r.Input
	in.Bench = bench.New(in.Net.(*transport.Net), []netip.Addr{loopback})
	in.Logins = keys{{ID: "other", User: "x", Password: "another"}, {ID: "meter", User: identity, Password: psk}}
	in.Target.Roles = []probe.Role{
		{Name: Bootstrap, URI: "coap://" + r.bootstrap.String(), Addr: r.bootstrap, Credential: "meter", Retry: hasty / retries},
		{Name: Server, URI: "coaps://" + r.server.String(), Addr: r.server, Credential: "meter", Retry: hasty / retries},
	}
	for _, f := range change {
		f(in)
	}
	var err error
	r.stop, err = watch(t.Context(), *in)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = r.stop(t.Context()) }) // the test may have done so
	return r
}

// free is a UDP port that nobody uses.
func free(t *testing.T) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer c.Close()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// ended returns what the probe saw.
func (r *rig) ended(t *testing.T) (Evidence, error) {
	t.Helper()
	e, err := r.stop(t.Context())
	r.stop = func(context.Context) (Evidence, error) { return e, err }
	return e, err
}

// at returns what a role saw.
func (r *rig) at(t *testing.T, name Name) Role {
	t.Helper()
	e, err := r.ended(t)
	require.NoError(t, err)
	require.Len(t, e.Roles, 2)
	for _, role := range e.Roles {
		if role.Name == name {
			return role
		}
	}
	t.Fatalf("no role %q", name)
	return Role{}
}

// client speaks CoAP in clear.
func client(t *testing.T, to netip.AddrPort) mux.Conn {
	t.Helper()
	c, err := coapudp.Dial(to.String(), options.WithErrors(func(error) {}), options.WithPeriodicRunner(periodic.New(t.Context().Done(), time.Second/10)))
	require.NoError(t, err)
	closes(t, c)
	return c
}

func closes(t *testing.T, c mux.Conn) {
	t.Cleanup(func() {
		_ = c.Close()
		<-c.Done()
	})
}

// secured speaks CoAP inside DTLS. Its error is that of the handshake.
func secured(t *testing.T, to netip.AddrPort, user, key string) (mux.Conn, error) {
	t.Helper()
	udp, err := net.Dial("udp", to.String())
	require.NoError(t, err)
	return over(t, udp, user, key)
}

func over(t *testing.T, udp net.Conn, user, key string) (mux.Conn, error) {
	t.Helper()
	d, err := dtls.ClientWithOptions(dtlsnet.PacketConnFromConn(udp), udp.RemoteAddr(),
		dtls.WithPSK(func([]byte) ([]byte, error) { return []byte(key), nil }), dtls.WithPSKIdentityHint([]byte(user)),
		dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := d.HandshakeContext(ctx); err != nil {
		_ = d.Close()
		_ = udp.Close()
		return nil, err
	}
	c := coapdtls.Client(d, options.WithErrors(func(error) {}), options.WithCloseSocket(), options.WithPeriodicRunner(periodic.New(t.Context().Done(), time.Second/10)))
	closes(t, c)
	return c, nil
}

// do sends one request and returns the answer.
func do(t *testing.T, c mux.Conn, code codes.Code, path, payload string, queries ...string) *pool.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	m := c.AcquireMessage(ctx)
	m.SetCode(code)
	token, err := message.GetToken()
	require.NoError(t, err)
	m.SetToken(token)
	require.NoError(t, m.SetPath(path))
	for _, q := range queries {
		m.AddOptionString(message.URIQuery, q)
	}
	if payload != "" {
		m.SetContentFormat(message.AppLinkFormat)
		m.SetBody(bytes.NewReader([]byte(payload)))
	}
	answer, err := c.Do(m)
	require.NoError(t, err)
	return answer
}

const objects = "</1/0>,</3/0>"

// registers registers a client and returns its location.
func registers(t *testing.T, c mux.Conn) string {
	t.Helper()
	r := do(t, c, codes.POST, "/rd", objects, "ep="+identity, "lt=300", "lwm2m=1.1")
	require.Equal(t, codes.Created, r.Code())
	where, err := r.Options().LocationPath()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(where, "/rd/"), where)
	return where
}

// raw sends datagrams as they are.
func raw(t *testing.T, from string, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(from)), net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Skip("this system has one loopback address only")
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func said(t *testing.T, c io.ReadWriter, datagram []byte) []byte {
	t.Helper()
	_, err := c.Write(datagram)
	require.NoError(t, err)
	b := make([]byte, 2048)
	n, err := c.Read(b)
	require.NoError(t, err)
	return b[:n]
}
