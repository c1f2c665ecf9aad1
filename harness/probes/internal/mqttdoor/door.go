// Package mqttdoor opens the doors of MQTT brokers: each listener, plain or
// inside TLS, in each version of the protocol. It tells what a door did with a
// client from what we could not do, hides every secret, and counts log-ins.
package mqttdoor

import (
	"net/netip"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/probes/services"
)

// Version is a version of MQTT as evidence names it.
type Version string

// The versions.
const (
	V311 Version = "3.1.1"
	V5   Version = "5"
)

// Versions are all that are asked for, in order.
var versions = []Version{V311, V5}

func (v Version) level() mqttwire.Version {
	if v == V5 {
		return mqttwire.V5
	}
	return mqttwire.V311
}

// A Door is one way into a broker.
type Door struct {
	Addr    netip.AddrPort `json:"addr"`
	TLS     evidence.Tri   `json:"tls"`
	Version Version        `json:"version"`
	Path    Path           `json:"websocket"` // empty for MQTT itself
}

// Endpoint is the place that an item about d speaks of.
func (d Door) Endpoint() evidence.Endpoint {
	subject := "mqtt-" + strings.ReplaceAll(string(d.Version), ".", "")
	if d.Path != "" {
		subject += "-websocket"
	}
	return evidence.TCP(d.Addr).Subject(subject)
}

// Doors returns the doors of every MQTT listener, in the order of services. A
// listener that was identified in one version has a door for each: the other
// may be the one that was forgotten.
func Doors(e services.Evidence) []Door {
	var doors []Door
	for _, s := range e.Services {
		if s.Protocol != services.MQTT {
			continue
		}
		doors = append(doors, DoorsAt(s.Addr, s.TLS, "")...)
	}
	return doors
}

// DoorsAt returns the doors of one listener.
func DoorsAt(at netip.AddrPort, secure evidence.Tri, path Path) []Door {
	var doors []Door
	for _, v := range versions {
		doors = append(doors, Door{at, secure, v, path})
	}
	return doors
}

// Most is the most doors that a target can have.
func Most(t probe.Target) int { return len(versions) * t.Open }
