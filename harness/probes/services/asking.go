package services

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"

	"github.com/assay-iot/assay/harness/probes/internal/mqttwire"
	"github.com/assay-iot/assay/harness/transport"
)

// http asks for the first page.
func http(_ context.Context, _ transport.Dialer, e *ear) said {
	if _, err := fmt.Fprintf(e, "GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: assay\r\nConnection: close\r\n\r\n", e.RemoteAddr()); err != nil {
		return nothing
	}
	e.listen(func() bool { return bytes.IndexByte(e.heard, '\n') >= 0 })
	status, ok := httpStatus(e.heard)
	if !ok {
		return nothing
	}
	return said{protocol: HTTP, weak: status == badRequest}
}

// badRequest is also what a server says in plain text where it wants TLS.
const badRequest = 400

// httpStatus reads a whole status line of HTTP/1.x (RFC 9112, 4).
func httpStatus(b []byte) (code int, ok bool) {
	line, _, ok := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if !ok || len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[7] != '0' && line[7] != '1' || line[8] != ' ' {
		return 0, false
	}
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return 0, false
		}
		code = 10*code + int(c-'0')
	}
	return code, code >= 100 && code < 600 && (len(line) == 12 || line[12] == ' ')
}

// mqtt311 and mqttFive send a CONNECT without credentials and leave again.
func mqtt311(_ context.Context, _ transport.Dialer, e *ear) said { return connect(e, mqttwire.V311) }

func mqttFive(_ context.Context, _ transport.Dialer, e *ear) said { return connect(e, mqttwire.V5) }

// keepAlive is longer than any dialogue, in seconds.
const keepAlive = 60

// connect claims MQTT only for a well-formed CONNACK, refusals included.
func connect(e *ear, v mqttwire.Version) said {
	// An identifier of its own, so that no client of the device is put out.
	id := "assay" + rand.Text()[:8]
	s, ack, err := mqttwire.Open(e, mqttwire.Connect{Version: v, ClientID: id, CleanStart: true, KeepAlive: keepAlive}, mqttwire.Limits{PacketBytes: maxAnswer})
	if err != nil {
		return nothing
	}
	if ack.Accepted() {
		_ = s.Disconnect() // the answer is there already
	}
	return said{protocol: MQTT}
}
