package udpservices

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"

	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
)

// coapQuestion asks for the listing of resources (RFC 6690). A server that has
// none, or shows it to nobody, says so, rejects the message, or acknowledges it
// and answers later: all of it is CoAP.
var coapQuestion = question{
	protocol: CoAP,
	ports:    []uint16{5683},
	ask: func() ([]byte, func([]byte) bool) {
		id, token := make([]byte, 2), make([]byte, coapwire.MaxToken)
		rand.Read(id) // never fails
		rand.Read(token)
		m := coapwire.Message{
			Type: coapwire.Confirmable, Code: coapwire.GET, ID: binary.BigEndian.Uint16(id), Token: token,
			Options: coapwire.PathOptions("/.well-known/core"),
		}
		b, err := m.Encode()
		if err != nil {
			panic(err) // it is the same message every time, but for its numbers
		}
		return b, func(datagram []byte) bool { return answersCoAP(m, datagram) }
	},
}

// answersCoAP reports whether a datagram belongs to m. What comes back as it was
// sent is an echo and no CoAP.
func answersCoAP(m coapwire.Message, datagram []byte) bool {
	got, err := coapwire.Decode(datagram)
	if err != nil {
		return false
	}
	switch got.Type {
	case coapwire.Reset:
		return got.Code == coapwire.Empty && got.ID == m.ID
	case coapwire.Acknowledgement:
		return got.ID == m.ID && (got.Code == coapwire.Empty || got.Code.Response() && bytes.Equal(got.Token, m.Token))
	}
	return got.Code.Response() && bytes.Equal(got.Token, m.Token)
}

// dtlsQuestion sends a ClientHello without a cookie, for which a server keeps no
// state.
var dtlsQuestion = question{
	protocol: DTLS,
	ports:    []uint16{5684},
	ask: func() ([]byte, func([]byte) bool) {
		return dtlswire.Question(), dtlswire.Recognise
	},
}
