package devices

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pion/dtls/v3"
	dtlsserver "github.com/plgd-dev/go-coap/v3/dtls/server"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/mux"
	coapnet "github.com/plgd-dev/go-coap/v3/net"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/pkg/runner/periodic"
	coapudp "github.com/plgd-dev/go-coap/v3/udp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/device"
)

// A utility is where meters register: it notes what comes, and from where.
type utility struct {
	mu    sync.Mutex
	calls []string
	from  []netip.Addr
}

func (u *utility) handle(w mux.ResponseWriter, r *mux.Message) {
	path, _ := r.Path()
	queries, _ := r.Queries()
	answer := map[string]codes.Code{"/bs": codes.Changed, "/rd": codes.Created}[path]
	u.mu.Lock()
	u.calls = append(u.calls, path+"?"+strings.Join(queries, "&"))
	u.from = append(u.from, netip.MustParseAddrPort(w.Conn().RemoteAddr().String()).Addr())
	u.mu.Unlock()
	var opts []message.Option
	switch path {
	case "/rd/1":
		answer = codes.NotFound // every registration is forgotten at once
	case "/rd":
		opts = append(opts, message.Option{ID: message.LocationPath, Value: []byte("rd")}, message.Option{ID: message.LocationPath, Value: []byte("1")})
	}
	_ = w.SetResponse(answer, message.TextPlain, nil, opts...) // the device may be gone
}

func (u *utility) saw(call string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for _, c := range u.calls {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}

// plays starts a server at an address, inside DTLS if there is a key.
func (u *utility) plays(t *testing.T, at netip.AddrPort, key []byte) {
	t.Helper()
	quiet, handler := options.WithErrors(func(error) {}), options.WithMux(mux.HandlerFunc(u.handle))
	tick := options.WithPeriodicRunner(periodic.New(t.Context().Done(), coapTick))
	served := make(chan struct{})
	if key == nil {
		l, err := coapnet.NewListenUDP("udp", at.String())
		require.NoError(t, err)
		s := coapudp.NewServer(quiet, handler, tick)
		go func() { defer close(served); _ = s.Serve(l) }()
		t.Cleanup(func() { s.Stop(); _ = l.Close(); <-served })
		return
	}
	l, err := dtls.ListenWithOptions("udp", net.UDPAddrFromAddrPort(at), dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8),
		dtls.WithPSK(func(id []byte) ([]byte, error) {
			if string(id) != "meter" {
				return nil, errStranger
			}
			return key, nil
		}))
	require.NoError(t, err)
	s := dtlsserver.New(quiet, handler, tick)
	go func() { defer close(served); _ = s.Serve(accepting{l}) }()
	t.Cleanup(func() { s.Stop(); _ = l.Close(); <-served })
}

// accepting makes a listener of the library of one of another.
type accepting struct{ net.Listener }

func (a accepting) AcceptWithContext(context.Context) (net.Conn, error) {
	c, err := a.Accept()
	if err != nil {
		return nil, coapnet.ErrListenerIsClosed
	}
	return c, nil
}

func meterKey(t *testing.T, d *Device) []byte {
	t.Helper()
	c, ok := known(d.Folder.File, "meter")
	require.True(t, ok)
	key, err := preShared(d.Serial, c)
	require.NoError(t, err)
	return key
}

// The meter asks for a bootstrap, goes on with what it has, registers, and
// registers again when it was forgotten: from its own address, and from the
// beginning after a restart.
func TestMeterRegisters(t *testing.T) {
	for _, nosec := range []bool{false, true} {
		faults := []string{}
		if nosec {
			faults = append(faults, "lwm2m_nosec_bootstrap")
		}
		d := run(t, Spec{Name: "water-meter-hardened", Faults: with(t, faults...)})
		var boot, server utility
		key := meterKey(t, d)
		bootKey := key
		if nosec {
			bootKey = nil
		}
		boot.plays(t, d.servers.bootstrap.Addr, bootKey)
		server.plays(t, d.servers.server.Addr, key)
		require.Eventually(t, func() bool { return server.saw("/rd?ep=urn:dev:ops:wm&lt=60") >= 2 }, 20*time.Second, coapTick/10)
		assert.Equal(t, bootstraps, boot.saw("/bs?ep=urn:dev:ops:wm"))
		assert.GreaterOrEqual(t, server.saw("/rd/1"), 1)
		for _, u := range []*utility{&boot, &server} {
			assert.False(t, slices.ContainsFunc(u.from, func(a netip.Addr) bool { return a != d.Addr }), u.from)
		}
		require.NoError(t, d.Restart(t.Context()))
		require.Eventually(t, func() bool { return boot.saw("/bs") >= 2*bootstraps }, 20*time.Second, coapTick/10)
	}
}

// Who expects security is not asked without, and the other way round.
func TestMeterKeepsToItsSecurity(t *testing.T) {
	d := run(t, Spec{Name: "water-meter-hardened"})
	var plain utility
	plain.plays(t, d.servers.bootstrap.Addr, nil)
	<-time.After(3 * callAgain)
	assert.Zero(t, plain.saw("/"), "nothing is said in clear")
}

// A device file says where its unit connects to: at ports of its own.
func TestServersInTheDeviceFile(t *testing.T) {
	one, two := run(t, Spec{Name: "water-meter-hardened"}), run(t, Spec{Name: "water-meter-insecure"})
	a, err := one.File()
	require.NoError(t, err)
	b, err := two.File()
	require.NoError(t, err)
	assert.Equal(t, one.servers, lwm2mServers{a.IXIT.LwM2M.BootstrapServer, a.IXIT.LwM2M.Server})
	all := []device.Server{a.IXIT.LwM2M.BootstrapServer, a.IXIT.LwM2M.Server, b.IXIT.LwM2M.BootstrapServer, b.IXIT.LwM2M.Server}
	ports := map[uint16]bool{}
	for _, s := range all {
		assert.Equal(t, device.InsideDTLS, s.Scheme)
		assert.True(t, s.Addr.Addr().IsLoopback())
		ports[s.Addr.Port()] = true
	}
	assert.Len(t, ports, len(all))
	again, err := device.Parse("again.yaml", a.Effective(), "")
	require.NoError(t, err)
	assert.Equal(t, a.IXIT.LwM2M, again.IXIT.LwM2M)
}

// An insecure device connects nowhere else than to this machine.
func TestServersElsewhereAreRefused(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{"device.yaml", "expected.yaml", "faults.yaml", "lab.md"} {
		text, err := embedded.ReadFile("water-meter-hardened/" + name)
		require.NoError(t, err)
		files["water-meter-hardened/"+name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(text), "127.0.0.2:5684", "192.0.2.1:5684"))}
	}
	_, err := Start(t.Context(), Spec{Name: "water-meter-hardened", Files: files})
	assert.ErrorContains(t, err, "no loopback address")
}
