// Package declaration records what the manufacturer says about the device.
package declaration

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe puts the declaration in the device file on record. It runs without a
// device file too: that nothing was declared is what checks then have to know.
var Probe = &probe.Probe[Evidence]{
	Name:    "declaration",
	Version: 2,
	Doc:     "what the manufacturer declares",
	Effect:  probe.Passive,
	Basis:   verdict.Declared,
	Bound:   func(probe.Target) probe.Bound { return probe.Bound{Time: longest} },
	Run:     run,
	Upgrade: upgrade,
}

// longest bounds the copying of what is in memory already.
const longest = time.Second

var errNothingGiven = errors.New("nothing was handed in for the record")

func run(_ context.Context, in probe.Input) (Evidence, error) {
	switch {
	case in.Given == nil:
		return Evidence{}, errNothingGiven
	case in.Given.Device == nil:
		return Evidence{Given: evidence.No}, nil
	}
	return of(in.Given.Device), nil
}

// of returns what a device file declares.
func of(f *device.File) Evidence {
	return Evidence{
		Given:      evidence.Yes,
		Device:     identity(f.Device),
		Features:   features(f.ICS.Features),
		Provisions: provisions(f.ICS.Provisions),
		Listed:     listed(f.IXIT.SoftServ),
		Services:   services(f.IXIT.SoftServ),
		LwM2M:      lwm2m(f.IXIT.LwM2M),
	}
}

func identity(d device.Device) Device {
	return Device{
		ID: Text(d.ID), Manufacturer: Text(d.Manufacturer), Model: Text(d.Model), Hardware: Text(d.Hardware),
		Firmware: Text(d.Firmware), Serial: Text(d.Serial), MAC: Text(strings.ToLower(d.MAC)), Type: Text(d.Type),
		Addresses: each(d.Addresses, func(a netip.Addr) Text { return Text(a.String()) }),
	}
}

func features(answers map[string]device.Answered) []Answer {
	return each(slices.Sorted(maps.Keys(answers)), func(name string) Answer {
		return Answer{Name(name), answers[name].Tri()}
	})
}

func provisions(answers map[string]device.Provision) []Provision {
	return each(slices.Sorted(maps.Keys(answers)), func(id string) Provision {
		p := answers[id]
		return Provision{Name(id), p.Support.Tri(), tri(strings.TrimSpace(p.Justification) != "")}
	})
}

func listed(services []device.Service) evidence.Tri { return tri(services != nil) }

func tri(b bool) evidence.Tri {
	if b {
		return evidence.Yes
	}
	return evidence.No
}

func services(list []device.Service) []Service {
	return each(list, func(s device.Service) Service {
		return Service{
			ID: Name(s.ID), Enabled: enabled(s.Status), TCP: s.TCP, UDP: s.UDP, Protocol: Name(s.Protocol),
			TLS: s.TLS.Tri(), Configuration: s.AllowsConfig.Tri(), MQTT: mqtt(s.MQTT), CoAP: coap(s.CoAP),
			ServerNames: each(s.ServerNames, text), ClientCertificate: s.ClientCert.Tri(),
		}
	})
}

func enabled(status string) evidence.Tri {
	if status == "" {
		return evidence.Unknown
	}
	return tri(status == "enabled")
}

func mqtt(m *device.MQTT) MQTT {
	if m == nil {
		return MQTT{}
	}
	return MQTT{
		Identities: each(m.Identities, func(id device.MQTTIdentity) Identity {
			return Identity{Name(id.Credential), each(id.Topics, text), Text(id.Canary)}
		}),
		PublicTopics: each(m.PublicTopics, text),
		ReadsAll:     Name(m.ReadsAll),
	}
}

func coap(c *device.CoAP) CoAP {
	if c == nil {
		return CoAP{}
	}
	return CoAP{
		Credential: Name(c.Credential),
		OSCORE:     c.OSCORE.Tri(),
		Resources: each(c.Resources, func(r device.CoAPResource) Resource {
			return Resource{Text(r.Path), r.Public.Tri(), r.Observable.Tri(), each(r.TestValues, text)}
		}),
	}
}

// lwm2m takes a device that was set to connect to a server for a client.
func lwm2m(l *device.LwM2M) LwM2M {
	if l == nil {
		return LwM2M{}
	}
	used := l.Used.Tri()
	if l.Server != (device.Server{}) || l.BootstrapServer != (device.Server{}) {
		used = evidence.Yes
	}
	return LwM2M{
		Used: used, BootstrapServer: Text(l.BootstrapServer.String()), Server: Text(l.Server.String()),
		EndpointName: Text(l.EndpointName), Credential: Name(l.Credential), Retry: l.Retry.Duration,
	}
}

func text(s string) Text { return Text(s) }

// each turns every entry of a list into another.
func each[A, B any](list []A, turn func(A) B) []B {
	var out []B
	for _, a := range list {
		out = append(out, turn(a))
	}
	return out
}
