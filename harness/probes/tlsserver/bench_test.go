package tlsserver

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
	"github.com/assay-iot/assay/internal/peers"
)

// enumerate lists the suites of all versions between two controls, which is
// what the figure of 48 pairs in 58 connections is about.
func enumerate(ctx context.Context, t testing.TB, at netip.AddrPort) (*look, int) {
	t.Helper()
	in := doortest.New(t).Input
	dialer := &counting{Dialer: in.Net, most: perListener}
	in.Net = dialer
	k := newLook(in, over(at), AtOnce, &book{})
	var err error
	if k.shares, err = makeShares(); err != nil {
		t.Fatal(err)
	}
	control, err := k.before(ctx)
	for _, part := range []func(context.Context) error{k.versions, k.choosers, func(ctx context.Context) error { return k.after(ctx, control) }} {
		if err == nil {
			err = part(ctx)
		}
	}
	if err != nil || !k.Enumerated() {
		t.Fatalf("not enumerated: %+v, %v", k.Listener, err)
	}
	return k, int(dialer.n.Load())
}

// bare sends the same hellos on plain sockets and reads one answer to each.
func bare(t testing.TB, at netip.AddrPort, k *look) {
	t.Helper()
	send := func(h tlswire.Hello) {
		c, err := net.Dial("tcp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write(h.Record())
		c.Read(make([]byte, 4096))
	}
	send(k.controls()[0])
	for _, v := range k.Versions {
		left := suitesFor(v.Code)
		for _, s := range v.Suites {
			send(k.hello(v.Code, left))
			left = slices.DeleteFunc(left, func(c uint16) bool { return c == uint16(s.Code) })
		}
		send(k.hello(v.Code, left))
	}
	send(k.controls()[0])
}

func everything(t testing.TB) netip.AddrPort {
	t.Helper()
	rsa := withRSA(t)
	return peers.Nginx(t, peers.NginxConfig{Certificate: &rsa, Directives: []string{everySuite}}).Addrs[1]
}

func TestFewConnections(t *testing.T) {
	k, connections := enumerate(t.Context(), t, everything(t))
	if n := pairs(k.Listener); n != 48 || connections > 58 {
		t.Errorf("%d pairs in %d connections, want 48 in at most 58", n, connections)
	}
}

// BenchmarkEnumerate reports how many times longer the enumeration takes than
// its hellos alone.
func BenchmarkEnumerate(b *testing.B) {
	at := everything(b)
	var ours, plain time.Duration
	var k *look
	var connections int
	for b.Loop() {
		begun := time.Now()
		k, connections = enumerate(b.Context(), b, at)
		ours += time.Since(begun)
		begun = time.Now()
		bare(b, at, k)
		plain += time.Since(begun)
	}
	b.ReportMetric(float64(connections), "connections")
	b.ReportMetric(float64(pairs(k.Listener)), "pairs")
	b.ReportMetric(float64(ours)/float64(plain), "x_bare_hellos")
}
