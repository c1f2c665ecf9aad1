package legacytls

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// Hello is what a client said in its first message.
type Hello struct {
	Raw          []byte // with the headers of its records
	Version      uint16 // the newest that it knows; supported_versions is not looked at, as old servers do not
	Random       []byte
	Suites       []uint16
	Compressions []uint8
	ServerName   string
	Groups       []uint16 // nil if it does not say
	Signatures   []uint16
	PointFormats bool // whether it names formats of curve points
	// Secure says whether it knows RFC 5746, by extension or by suite.
	Secure bool
}

const (
	recordAlert     uint8 = 21
	recordHandshake uint8 = 22

	recordHeader    = 5
	handshakeHeader = 4
	maxRecord       = 1<<14 + 2048 // RFC 5246, 6.2.3
	maxHello        = 64 << 10     // no client needs more

	secureSignal = 0x00ff // TLS_EMPTY_RENEGOTIATION_INFO_SCSV, RFC 5746, 3.3
)

// The extensions that matter to an old server.
const (
	extServerName    = 0
	extGroups        = 10
	extPointFormats  = 11
	extSignatures    = 13
	extRenegotiation = 0xff01
)

var errHello = errors.New("legacytls: no ClientHello")

// ReadHello reads the records of a ClientHello, and no byte beyond them.
func ReadHello(r io.Reader) (Hello, error) {
	var raw, message []byte
	for {
		kind, body, err := readRecord(io.TeeReader(r, (*buffer)(&raw)))
		if err != nil {
			return Hello{}, err
		}
		message = append(message, body...)
		switch {
		case kind != recordHandshake || len(body) == 0 || message[0] != ClientHello || len(message) > maxHello:
			return Hello{}, errHello
		case len(message) < handshakeHeader:
			continue
		}
		length := handshakeHeader + int(binary.BigEndian.Uint32(message)&0xffffff)
		switch {
		case length > maxHello || len(message) > length:
			return Hello{}, errHello
		case len(message) == length:
			h, ok := parseHello(message[handshakeHeader:])
			if h.Raw = raw; !ok {
				return Hello{}, errHello
			}
			return h, nil
		}
	}
}

// buffer collects what is written.
type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// readRecord reads one record.
func readRecord(r io.Reader) (kind uint8, body []byte, err error) {
	var head [recordHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	length := int(binary.BigEndian.Uint16(head[3:]))
	if head[1] != 3 || length > maxRecord {
		return 0, nil, fmt.Errorf("legacytls: % x is no record of TLS", head)
	}
	body = make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, err
	}
	return head[0], body, nil
}

// parseHello reads the body of a ClientHello, RFC 5246, 7.4.1.2.
func parseHello(b []byte) (h Hello, ok bool) {
	s := cryptobyte.String(slices.Clone(b))
	var session, suites, compressions, extensions cryptobyte.String
	if !s.ReadUint16(&h.Version) || !s.ReadBytes(&h.Random, 32) || !s.ReadUint8LengthPrefixed(&session) ||
		!s.ReadUint16LengthPrefixed(&suites) || !s.ReadUint8LengthPrefixed(&compressions) {
		return h, false
	}
	h.Compressions = compressions
	if h.Suites, ok = codes(suites); !ok {
		return h, false
	}
	h.Secure = slices.Contains(h.Suites, secureSignal)
	if s.Empty() {
		return h, true
	}
	if !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return h, false
	}
	for !extensions.Empty() {
		var kind uint16
		var body cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&body) || !h.extension(kind, body) {
			return h, false
		}
	}
	return h, true
}

// extension notes what an extension says, if it matters.
func (h *Hello) extension(kind uint16, body cryptobyte.String) (ok bool) {
	var list cryptobyte.String
	switch kind {
	case extServerName:
		var nameType uint8
		var name cryptobyte.String
		ok = body.ReadUint16LengthPrefixed(&list) && list.ReadUint8(&nameType) && list.ReadUint16LengthPrefixed(&name)
		h.ServerName = string(name)
		return ok
	case extGroups:
		if !body.ReadUint16LengthPrefixed(&list) {
			return false
		}
		h.Groups, ok = codes(list)
		return ok
	case extSignatures:
		if !body.ReadUint16LengthPrefixed(&list) {
			return false
		}
		h.Signatures, ok = codes(list)
		return ok
	case extPointFormats:
		h.PointFormats = true
	case extRenegotiation:
		h.Secure = true
	}
	return true
}

// codes reads a list of numbers to its end.
func codes(s cryptobyte.String) (list []uint16, ok bool) {
	for !s.Empty() {
		var c uint16
		if !s.ReadUint16(&c) {
			return nil, false
		}
		list = append(list, c)
	}
	return list, true
}
