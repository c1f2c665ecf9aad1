package harness

import (
	"context"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

func TestRoles(t *testing.T) {
	const head = "device: {id: meter, addresses: [127.0.0.3]}\n"
	const credential = "credentials: [{id: key, service: lwm2m, user: m, password: {env: M}}]\n"
	boot, server := netip.MustParseAddrPort("127.0.0.2:5783"), netip.MustParseAddrPort("127.0.0.2:5684")
	for text, want := range map[string][]probe.Role{
		head:                                 nil,
		head + "ixit: {lwm2m: {used: no}}\n": nil,
		head + "ixit: {lwm2m: {server: coaps://127.0.0.2}}\n": {{Name: "lwm2m-server", URI: "coaps://127.0.0.2:5684", Addr: server}},
		head + credential + "ixit: {lwm2m: {server: coaps://127.0.0.2, bootstrap_server: coap://127.0.0.2:5783, credential: key, retry: 5s}}\n": {
			{Name: "lwm2m-bootstrap", URI: "coap://127.0.0.2:5783", Addr: boot, Credential: "key", Retry: 5 * time.Second},
			{Name: "lwm2m-server", URI: "coaps://127.0.0.2:5684", Addr: server, Credential: "key", Retry: 5 * time.Second},
		},
	} {
		if got := roles(parsed(t, text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

// anyBench listens wherever it is told to.
type anyBench struct{ listened int }

func (b *anyBench) ListenUDP(context.Context, netip.AddrPort, int, func([]byte) int) (transport.Listener, error) {
	b.listened++
	return nil, nil
}

// Ports from which a device connects count against the bound that the plan announced.
func TestBenchStaysWithinItsBound(t *testing.T) {
	real := &anyBench{}
	b := benchWithin(real, probe.Bound{Connections: 10})
	if _, err := b.ListenUDP(t.Context(), netip.AddrPort{}, 6, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ListenUDP(t.Context(), netip.AddrPort{}, 5, nil); err == nil || real.listened != 1 {
		t.Errorf("err = %v, %d listeners", err, real.listened)
	}
	if benchWithin(nil, probe.Bound{}) != nil {
		t.Error("where there is no bench there is one")
	}
}
