package tlsserver

import (
	"context"
	"net"
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counting counts the connections, as the harness does, and refuses those that
// the plan did not announce.
type counting struct {
	transport.Dialer
	n    atomic.Int64
	most int
}

func (c *counting) Dial(ctx context.Context, addr netip.AddrPort) (transport.Conn, error) {
	if n := c.n.Add(1); n > int64(c.most) {
		return nil, transport.ErrBudget
	}
	return c.Dialer.Dial(ctx, addr)
}

// over is a service that speaks TLS.
func over(at netip.AddrPort) services.Service {
	return services.Service{Addr: at, Protocol: services.OtherTLS, TLS: evidence.Yes, Seen: 2}
}

// collected is what the probe brought, and what it took.
type collected struct {
	Evidence
	Connections int
	bench       *doortest.Bench
}

// collect runs the probe and reads the evidence back as a judge would.
func collect(t testing.TB, found ...services.Service) (collected, error) {
	t.Helper()
	return collectIn(t.Context(), t, doortest.New(t), found...)
}

func collectIn(ctx context.Context, t testing.TB, bench *doortest.Bench, found ...services.Service) (collected, error) {
	t.Helper()
	in := bench.Input
	in.Target.Open = len(found)
	dialer := &counting{Dialer: in.Net, most: Probe.Bound(in.Target).Connections}
	in.Net = dialer
	in.Evidence = evidence.NewView(evidence.DUT, map[string]evidence.Page{
		services.Probe.Name: {Value: services.Evidence{Services: found}}, declaration.Probe.Name: {Value: declaration.Evidence{}},
	})
	end, err := Probe.Begin(ctx, in)
	require.NoError(t, err)
	data, failed := end(ctx)
	if data == nil {
		return collected{bench: bench}, failed
	}
	require.Less(t, len(data), evidence.MaxRecord)
	page, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: data})
	require.NoError(t, err)
	return collected{page.Value.(Evidence), int(dialer.n.Load()), bench}, failed
}

// device listens and serves each connection with one function.
func device(t testing.TB, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				if c.SetDeadline(time.Now().Add(20*time.Second)) == nil {
					serve(c)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestEvidenceType(t *testing.T) {
	require.NoError(t, evidence.CheckType(reflect.TypeFor[Evidence]()))
	b := Probe.Bound(probe.Target{Open: 2})
	require.Equal(t, 2*perListener, b.Connections)
	require.Greater(t, b.Time, 2*listenerTime)
}
