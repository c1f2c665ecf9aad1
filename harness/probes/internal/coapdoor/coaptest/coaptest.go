// Package coaptest gives tests of CoAP probes a small device with rules of its
// own, servers that say whatever a test wants, and all that a probe may use.
package coaptest

import (
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
)

// A Bench is what a probe may use, and what it did with it.
type Bench = doortest.Bench

// New returns a bench without a limit but the log-ins, which a device file with
// logins would give for CoAP.
func New(t testing.TB, logins ...probe.Login) *Bench {
	t.Helper()
	b := doortest.New(t)
	b.Input.Logins = given(logins)
	return b
}

// given are log-ins of a device file that speaks of CoAP alone.
type given []probe.Login

// For returns them for CoAP.
func (g given) For(service string) []probe.Login {
	if service != "coap" {
		return nil
	}
	return g
}

// List returns no default pair.
func (given) List(string) []probe.Login { return nil }

// Send sends one datagram to where the one came from that is being handled.
type Send func(b []byte)

// Datagrams starts a server on loopback, which ends with the test. handle gets
// one datagram after the other, and may answer with any number, also later.
func Datagrams(t testing.TB, handle func(b []byte, send Send)) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		b := make([]byte, 1<<16)
		for {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			handle(append([]byte{}, b[:n]...), func(answer []byte) { _, _ = c.WriteToUDPAddrPort(answer, from) })
		}
	})
	t.Cleanup(func() {
		_ = c.Close()
		running.Wait()
	})
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// Closed returns an address at which nobody listens on UDP.
func Closed(t testing.TB) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return netip.MustParseAddrPort(c.LocalAddr().String())
}
