// Package guesttest runs CoAP probes against doors of tests and reads their
// evidence back as a judge would.
package guesttest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/udpservices"
)

// Pages are what udp-services, services and the declaration say of a device with
// these doors.
func Pages(said declaration.Evidence, doors ...coapdoor.Door) map[string]evidence.Page {
	var udp udpservices.Evidence
	var tcp services.Evidence
	for _, d := range doors {
		switch d.Transport {
		case coapdoor.UDP:
			udp.Endpoints = append(udp.Endpoints, udpservices.Endpoint{Addr: d.Addr, Protocol: udpservices.CoAP, State: udpservices.Answered})
		case coapdoor.DTLS:
			udp.Endpoints = append(udp.Endpoints, udpservices.Endpoint{Addr: d.Addr, Protocol: udpservices.DTLS, State: udpservices.Answered})
		default:
			tcp.Services = append(tcp.Services, services.Service{Addr: d.Addr, Protocol: spoken(d), TLS: inside(d), Seen: 2})
		}
	}
	return map[string]evidence.Page{
		udpservices.Probe.Name: {Value: udp}, services.Probe.Name: {Value: tcp}, declaration.Probe.Name: {Value: said},
	}
}

func spoken(d coapdoor.Door) services.Protocol {
	if d.Path != "" {
		return services.HTTP
	}
	return services.CoAP
}

func inside(d coapdoor.Door) evidence.Tri {
	if d.Secure() {
		return evidence.Yes
	}
	return evidence.No
}

// Collect runs a probe and reads its evidence back. Its last result is the error
// of the probe.
func Collect[E any](t testing.TB, ctx context.Context, in probe.Input, p *probe.Probe[E]) (E, json.RawMessage, error) { //nolint:revive // the test comes first
	t.Helper()
	end, err := p.Begin(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	data, failed := end(ctx)
	page, err := p.Open(evidence.Record{Version: p.Version, Data: data})
	if err != nil {
		t.Fatalf("%v after %v", err, failed)
	}
	return page.Value.(E), data, failed
}

// Journal is one that keeps nothing.
type Journal struct{}

// Before is part of probe.Journal.
func (Journal) Before(string, string, string) error { return nil }

// Done is part of probe.Journal.
func (Journal) Done(string, string, string, json.RawMessage) error { return nil }

// Undone is part of probe.Journal.
func (Journal) Undone(string, string, string) error { return nil }

// Server declares a CoAP server of which nothing is known but its resources.
func Server(credential declaration.Name, resources ...declaration.Resource) declaration.Evidence {
	return declaration.Evidence{Given: evidence.Yes, Listed: evidence.Yes, Services: []declaration.Service{{
		ID: "coap", Enabled: evidence.Yes, Protocol: "coap", CoAP: declaration.CoAP{Credential: credential, Resources: resources},
	}}}
}
