package coaptest

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/internal/peers"
)

// LibCoAP starts libcoap's server with arguments, such as -k and -h for a key,
// and returns its doors: UDP and TCP in clear, and where it has a key or a
// certificate, DTLS one port above.
func LibCoAP(t testing.TB, args ...string) (udp, tcp, dtls coapdoor.Door) {
	t.Helper()
	p := peers.Start(t, peers.Spec{
		Name: "libcoap", Program: "usr/bin/coap-server-openssl",
		Setup: func(r peers.Room) ([]string, error) {
			return append([]string{"-A", "127.0.0.1", "-p", fmt.Sprint(r.Addrs[0].Port())}, args...), nil
		},
	})
	above := netip.AddrPortFrom(p.Addr.Addr(), p.Addr.Port()+1)
	return coapdoor.Door{Addr: p.Addr, Transport: coapdoor.UDP}, coapdoor.Door{Addr: p.Addr, Transport: coapdoor.TCP}, coapdoor.Door{Addr: above, Transport: coapdoor.DTLS}
}
