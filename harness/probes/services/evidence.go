// Package services finds out which protocol answers on each open TCP port, by
// speaking to it. A port number proves nothing.
package services

import (
	"net/netip"

	"github.com/assay-iot/assay/harness/evidence"
)

// Protocol is what a dialogue showed.
type Protocol string

// The protocols that the dialogues know.
const (
	Unidentified Protocol = "unidentified" // no dialogue was understood
	CoAP         Protocol = "coap"         // over TCP (RFC 8323)
	HTTP         Protocol = "http"
	MQTT         Protocol = "mqtt" // of any version
	SSH          Protocol = "ssh"
	Telnet       Protocol = "telnet" // it negotiated a Telnet option (RFC 854), or asked for a login in clear text
	OtherTLS     Protocol = "tls"    // TLS, and inside it no known protocol answered
)

// Evidence holds one entry for each open port, in the order of tcp-ports.
type Evidence struct {
	Services []Service `json:"services"`
}

// Service is what answered on one port.
type Service struct {
	Addr     netip.AddrPort `json:"addr"`
	Protocol Protocol       `json:"protocol"`
	TLS      evidence.Tri   `json:"tls"`    // whether the protocol was spoken inside TLS
	Seen     int            `json:"seen"`   // dialogues in which it was, of 2
	Answer   evidence.Bytes `json:"answer"` // the first one, as far as it was read
	Ended    Ending         `json:"ended"`  // how the last dialogue that was not understood ended
	// Telnet is how Telnet's own question ended, which is to wait for the
	// other side to speak, the same in two dialogues. It is empty if they
	// differ, if it was silent, or if the port was identified.
	Telnet Ending        `json:"telnet"`
	Span   evidence.Span `json:"span"`
}

// Ending is how a dialogue ended that nobody understood.
type Ending string

// The endings.
const (
	Understood Ending = "understood" // it was understood after all
	Silence    Ending = "silent"     // nothing came in time
	HungUp     Ending = "closed"     // it closed or reset the connection
	Babble     Ending = "answered"   // something came that no dialogue knows
)

// Of returns the services that speak p, with their places in e.
func (e Evidence) Of(p Protocol) map[int]Service {
	found := map[int]Service{}
	for i, s := range e.Services {
		if s.Protocol == p {
			found[i] = s
		}
	}
	return found
}
