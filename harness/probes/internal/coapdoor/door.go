// Package coapdoor opens the doors of CoAP servers, over UDP, TCP and
// WebSocket, in clear and inside DTLS and TLS. It tells what a server did with
// a request from what we could not do, drops what belongs to no exchange, hides
// every secret, and counts log-ins.
package coapdoor

import (
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/udpservices"
)

// Transport is what CoAP is spoken over.
type Transport string

// The transports.
const (
	UDP  Transport = "udp"
	DTLS Transport = "dtls"
	TCP  Transport = "tcp"
	TLS  Transport = "tls"
	WS   Transport = "ws"
	WSS  Transport = "wss"
)

// Path is that of CoAP over WebSocket on an HTTP listener, empty for all other
// transports.
type Path string

// WellKnown is where a server has its WebSocket (RFC 8323, 8.1).
const WellKnown Path = "/.well-known/coap"

// A Door is one way into a CoAP server.
type Door struct {
	Addr      netip.AddrPort `json:"addr"`
	Transport Transport      `json:"transport"`
	Path      Path           `json:"websocket"`
}

// Datagrams reports whether a message may get lost at the door.
func (d Door) Datagrams() bool { return d.Transport == UDP || d.Transport == DTLS }

// Secure reports whether all that is said is encrypted.
func (d Door) Secure() bool {
	return d.Transport == DTLS || d.Transport == TLS || d.Transport == WSS
}

// Port is the place of the door on the network.
func (d Door) Port() evidence.Endpoint {
	if d.Datagrams() {
		return evidence.UDP(d.Addr)
	}
	return evidence.TCP(d.Addr)
}

// Endpoint is the place that an item about d as a whole speaks of.
func (d Door) Endpoint() evidence.Endpoint {
	subject := "coap"
	if d.Secure() {
		subject = "coaps"
	}
	if d.Path != "" {
		subject += "-websocket"
	}
	return d.Port().Subject(subject)
}

// Resource is the place that an item about one resource speaks of.
func (d Door) Resource(path string) evidence.Endpoint { return d.Port().Subject(path) }

// Doors returns the doors of every CoAP server: those over UDP first, then those
// over TCP, each in the order of its evidence. Whether it is CoAP that runs
// inside DTLS is only known once somebody was let in.
func Doors(udp udpservices.Evidence, tcp services.Evidence) []Door {
	var doors []Door
	for _, e := range udp.Endpoints {
		switch e.Protocol {
		case udpservices.CoAP:
			doors = append(doors, Door{Addr: e.Addr, Transport: UDP})
		case udpservices.DTLS:
			doors = append(doors, Door{Addr: e.Addr, Transport: DTLS})
		}
	}
	for _, s := range tcp.Services {
		if s.Protocol != services.CoAP {
			continue
		}
		d := Door{Addr: s.Addr, Transport: TCP}
		if s.TLS == evidence.Yes {
			d.Transport = TLS
		}
		doors = append(doors, d)
	}
	return doors
}

// Most is the most doors that a target can have.
func Most(t probe.Target) int { return len(t.Addrs)*len(t.UDP) + t.Open }
