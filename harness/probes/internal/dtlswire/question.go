package dtlswire

import (
	"encoding/binary"

	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

const (
	// helloLeast is the shortest ServerHello: version, random, no session,
	// suite, compression.
	helloLeast = 38
	// verifyLeast is a HelloVerifyRequest with an empty cookie, verifyMost one
	// with the longest: RFC 6347, 4.2.1.
	verifyLeast, verifyMost = 3, 3 + 255
)

// Question returns a hello without a cookie that any server of any version should
// understand. It is for recognising DTLS, and fits into the smallest packet that
// every network carries.
func Question() []byte {
	return Hello{
		Version:    V12,
		Versions:   []Version{V13, V12, V10},
		Suites:     commonSuites,
		Groups:     []uint16{tlswire.X25519, tlswire.P256, tlswire.P384},
		Signatures: tlswire.Signatures(),
		Shares:     []tlswire.Share{RandomShare()},
	}.Datagram(0, 0)
}

// commonSuites are what small servers insist on, and what the others know, of
// 1.3 and before: by the numbers of the IANA registry.
var commonSuites = []uint16{
	0x1301, 0x1304, 0x1305, 0xc0ae, 0xc0ac, 0xc02b, 0xc02f, 0xc009, 0xc013,
	0xc0a8, 0xc0a4, 0x00a8, 0x00ae, 0x008c, 0xc037, 0xc035, 0x009e, 0x0033, 0xc09c, 0x009c, 0x003c, 0x002f, 0x000a,
}

// Recognise reports whether a datagram is what only a DTLS server sends first: a
// request for a cookie, its hello, or an alert. It is strict: a device that sends
// back what it gets, or answers everything alike, speaks no DTLS.
func Recognise(datagram []byte) bool {
	records, _ := Records(datagram) // the first one decides
	if len(records) == 0 || records[0].Epoch != 0 {
		return false
	}
	switch r := records[0]; r.Type {
	case contentAlert:
		return len(r.Body) == 2 && (r.Body[0] == 1 || r.Body[0] == 2)
	case contentHandshake:
		return opens(r.Body)
	}
	return false
}

// opens reports whether b begins with a message that a server begins with.
func opens(b []byte) bool {
	if len(b) < fragmentHeader {
		return false
	}
	length, offset, here := uint24(b[1:]), uint24(b[6:]), uint24(b[9:])
	if offset != 0 || here > length || here > len(b)-fragmentHeader {
		return false
	}
	body := b[fragmentHeader : fragmentHeader+here]
	if len(body) < 3 || body[0] != 0xfe {
		return false
	}
	switch b[0] {
	case HelloVerifyRequest:
		return length >= verifyLeast && length <= verifyMost && int(body[2]) == length-verifyLeast
	case ServerHello:
		return length >= helloLeast && length <= messageMost
	}
	return false
}

func uint24(b []byte) int { return int(binary.BigEndian.Uint16(b))<<8 | int(b[2]) }
