package services

import (
	"context"

	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/transport"
)

// overTCP is the dialogue of CoAP over TCP (RFC 8323).
var overTCP = &dialogue{hold: coap, likely: []uint16{5683, 5684}}

// coap sends the settings with which a connection begins, and a ping. It claims
// CoAP only for settings that come first and a pong with the token of the ping.
func coap(_ context.Context, _ transport.Dialer, e *ear) said {
	ping := coapwire.Message{Code: coapwire.Ping, Token: []byte("assay")}
	var hello []byte
	for _, m := range []coapwire.Message{{Code: coapwire.CSM}, ping} {
		b, err := m.EncodeStream()
		if err != nil {
			return nothing
		}
		hello = append(hello, b...)
	}
	if _, err := e.Write(hello); err != nil {
		return nothing
	}
	r := coapwire.NewReader(e)
	if first, _, err := r.Next(); err != nil || first.Code != coapwire.CSM {
		return nothing
	}
	for range maxSignals {
		m, _, err := r.Next()
		switch {
		case err != nil:
			return nothing
		case m.Code == coapwire.Pong && string(m.Token) == string(ping.Token):
			return said{protocol: CoAP}
		}
	}
	return nothing
}

// maxSignals is how many messages may come between the settings and the pong.
const maxSignals = 8
