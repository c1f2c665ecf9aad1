// Package dtlstest gives tests of DTLS probes servers of every kind, and all that a
// probe may use.
package dtlstest

import (
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/dtlsdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor/doortest"
	"github.com/assay-iot/assay/harness/probes/udpservices"
)

// Bench returns a bench without a limit but the log-ins, whose device file gives
// logins for CoAP, and on which all addrs speak DTLS.
func Bench(t testing.TB, logins []probe.Login, addrs ...netip.AddrPort) *doortest.Bench {
	t.Helper()
	b := doortest.New(t)
	b.Input.Logins = Given{Own: logins}
	b.Input.Evidence = View(addrs...)
	for _, a := range addrs {
		b.Input.Target.Addrs = append(b.Input.Target.Addrs, a.Addr())
		b.Input.Target.UDP = append(b.Input.Target.UDP, a.Port())
	}
	return b
}

// View is the evidence that DTLS is spoken at addrs.
func View(addrs ...netip.AddrPort) evidence.View {
	var e udpservices.Evidence
	for _, a := range addrs {
		e.Endpoints = append(e.Endpoints, udpservices.Endpoint{Addr: a, Protocol: udpservices.DTLS, State: udpservices.Answered})
	}
	return evidence.NewView(evidence.DUT, map[string]evidence.Page{udpservices.Probe.Name: {Value: e}})
}

// Given are log-ins for CoAP: those of a device file, and a list.
type Given struct{ Own, Listed []probe.Login }

// For returns those of the device file.
func (g Given) For(service string) []probe.Login {
	if service != dtlsdoor.Service {
		return nil
	}
	return g.Own
}

// List returns the list.
func (g Given) List(service string) []probe.Login {
	if service != dtlsdoor.Service {
		return nil
	}
	return g.Listed
}
