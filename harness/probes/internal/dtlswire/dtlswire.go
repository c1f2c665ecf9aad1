// Package dtlswire writes and reads DTLS as a probe needs it: hellos that no
// library would send, and whatever a device answers, up to the end of its first
// flight. It keeps no secrets, finishes no handshake and judges nothing. All that
// it reads is capped.
package dtlswire

import "fmt"

// A Version is a version of DTLS as it stands on the wire, where newer ones are
// smaller.
type Version uint16

// The versions. There was no 1.1.
const (
	V10 Version = 0xfeff // RFC 4347
	V12 Version = 0xfefd // RFC 6347
	V13 Version = 0xfefc // RFC 9147
)

// String returns "DTLS 1.2", or the number of what is no version.
func (v Version) String() string {
	switch v {
	case V10:
		return "DTLS 1.0"
	case V12:
		return "DTLS 1.2"
	case V13:
		return "DTLS 1.3"
	}
	return fmt.Sprintf("0x%04x", uint16(v))
}

// The content types of records: RFC 9147, 4.1.
const (
	contentChangeCipher = 20
	contentAlert        = 21
	contentHandshake    = 22
)

// The types of handshake messages: RFC 6347, 4.3.2, and RFC 8446, 4.
const (
	ClientHello        byte = 1
	ServerHello        byte = 2
	HelloVerifyRequest byte = 3
	Certificate        byte = 11
	ServerKeyExchange  byte = 12
	CertificateRequest byte = 13
	ServerHelloDone    byte = 14
)
