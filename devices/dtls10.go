package devices

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net"
	"slices"
)

// The little of DTLS 1.0 (RFC 4347) that no library serves any more: up to the
// end of the server's first flight, which is where it has chosen a version. The
// handshake then ends with an alert.
const (
	recordAlert     = 21
	recordHandshake = 22

	clientHello     = 1
	serverHello     = 2
	verifyRequest   = 3
	serverHelloDone = 14

	recordHeader    = 13 // type, version, epoch, sequence number, length
	handshakeHeader = 12 // type, length, number, offset and length of the fragment
	helloRandom     = 32

	alertHandshakeFailure = 40
	alertDecryptError     = 51
)

// oldSuites are what a client may choose: pre-shared keys with AES in CBC mode.
var oldSuites = []uint16{0x008c, 0x008d}

// A hello is what matters of a ClientHello.
type hello struct {
	version []byte
	number  uint16 // of the message
	cookie  []byte
	suites  []uint16
}

// parseHello reads a datagram that begins with a whole ClientHello.
func parseHello(b []byte) (hello, bool) {
	var h hello
	if len(b) < recordHeader+handshakeHeader+2+helloRandom || b[0] != recordHandshake || b[recordHeader] != clientHello {
		return h, false
	}
	h.number = binary.BigEndian.Uint16(b[recordHeader+4:])
	body := b[recordHeader+handshakeHeader:]
	h.version = body[:2]
	body = body[2+helloRandom:]
	_, body, ok := vector(body, 1) // session
	if !ok {
		return h, false
	}
	if h.cookie, body, ok = vector(body, 1); !ok {
		return h, false
	}
	list, _, ok := vector(body, 2)
	if !ok {
		return h, false
	}
	for suite := range slices.Chunk(list, 2) {
		if len(suite) == 2 {
			h.suites = append(h.suites, binary.BigEndian.Uint16(suite))
		}
	}
	return h, true
}

// vector cuts off what stands behind a length of one or two bytes.
func vector(b []byte, width int) (body, rest []byte, ok bool) {
	if len(b) < width {
		return nil, nil, false
	}
	n := int(b[0])
	if width == 2 {
		n = int(binary.BigEndian.Uint16(b))
	}
	b = b[width:]
	if len(b) < n {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// speakOldDTLS answers a client of DTLS 1.0 for as long as it sends hellos.
func speakOldDTLS(c net.Conn) {
	var cookie [20]byte
	if _, err := rand.Read(cookie[:]); err != nil {
		return
	}
	b := make([]byte, datagramBytes)
	for sent := uint64(0); ; {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		answer := oldAnswer(b[:n], cookie[:], sent)
		sent += uint64(len(answer))
		for _, record := range answer {
			if _, err := c.Write(record); err != nil {
				return
			}
		}
		if len(answer) > 0 && answer[0][0] == recordAlert {
			return
		}
	}
}

// oldAnswer returns the records that answer a datagram. The first of them has
// the sequence number next.
func oldAnswer(b, cookie []byte, next uint64) [][]byte {
	h, ok := parseHello(b)
	if !ok {
		return [][]byte{oldAlert(next, alertDecryptError)}
	}
	if !bytes.Equal(h.cookie, cookie) {
		request := append([]byte{0xfe, 0xff, byte(len(cookie))}, cookie...)
		return [][]byte{oldMessage(next, verifyRequest, h.number, request)}
	}
	i := slices.IndexFunc(h.suites, func(s uint16) bool { return slices.Contains(oldSuites, s) })
	if i < 0 {
		return [][]byte{oldAlert(next, alertHandshakeFailure)}
	}
	body := append([]byte{0xfe, 0xff}, make([]byte, helloRandom)...)
	_, _ = rand.Read(body[2:]) // it never fails
	body = append(body, 0)     // no session
	body = binary.BigEndian.AppendUint16(body, h.suites[i])
	body = append(body, 0) // no compression
	return [][]byte{oldMessage(next, serverHello, h.number, body), oldMessage(next+1, serverHelloDone, h.number+1, nil)}
}

func oldMessage(sequence uint64, kind byte, number uint16, body []byte) []byte {
	length := []byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	m := append([]byte{kind}, length...)
	m = binary.BigEndian.AppendUint16(m, number)
	m = append(m, 0, 0, 0)
	m = append(m, length...)
	return oldRecord(sequence, recordHandshake, append(m, body...))
}

func oldAlert(sequence uint64, description byte) []byte {
	const fatal = 2
	return oldRecord(sequence, recordAlert, []byte{fatal, description})
}

// oldRecord is a record before any key was agreed on: epoch 0.
func oldRecord(sequence uint64, kind byte, content []byte) []byte {
	r := []byte{kind, 0xfe, 0xff}
	r = binary.BigEndian.AppendUint64(r, sequence)
	r = binary.BigEndian.AppendUint16(r, uint16(len(content)))
	return append(r, content...)
}
