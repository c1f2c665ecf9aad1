package tlsinside

import "encoding/binary"

// A Record is the kind of the first record of a server.
type Record string

// The kinds.
const (
	None        Record = "none"         // nothing that is a record of TLS
	Alert       Record = "alert"        // a refusal in TLS's own words
	ServerHello Record = "server_hello" // the server's half of a handshake
)

// recordStart is how many bytes tell what a record is: its header and the type
// and length of the message in it, or the whole of an alert.
const recordStart = 9

const (
	contentAlert     = 21
	contentHandshake = 22

	helloLeast = 38      // version, random, empty session, suite, compression
	recordMost = 1 << 14 // of plain text: RFC 8446, 5.1
)

// Classify says what the first bytes of a server are. It is strict: a device
// that answers everything alike speaks no TLS.
func Classify(b []byte) Record {
	if len(b) < 5 || b[1] != 3 || b[2] > 4 {
		return None
	}
	length, body := int(binary.BigEndian.Uint16(b[3:])), b[5:]
	switch {
	case b[0] == contentAlert && length == 2 && len(body) >= 2 && (body[0] == 1 || body[0] == 2):
		return Alert
	case b[0] == contentHandshake && length >= 4 && length <= recordMost && len(body) >= 4 && body[0] == 2:
		if n := int(body[1])<<16 | int(body[2])<<8 | int(body[3]); n >= helloLeast && n <= recordMost {
			return ServerHello
		}
	}
	return None
}
