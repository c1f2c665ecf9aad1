// Package tlswire writes the ClientHello of any version of TLS and reads, within
// caps, what a server says before anything is encrypted. It finishes no
// handshake.
package tlswire

// The versions, as they are written on the wire.
const (
	SSL30 = 0x0300
	TLS10 = 0x0301
	TLS11 = 0x0302
	TLS12 = 0x0303
	TLS13 = 0x0304
)

// VersionName returns how a version is called, or "" if it is none.
func VersionName(v uint16) string {
	return map[uint16]string{SSL30: "SSL 3.0", TLS10: "TLS 1.0", TLS11: "TLS 1.1", TLS12: "TLS 1.2", TLS13: "TLS 1.3"}[v]
}

// The content types of records (RFC 8446, B.1).
const (
	contentCipherSpec = 20
	contentAlert      = 21
	contentHandshake  = 22
	contentData       = 23
)

// The types of handshake messages (RFC 8446, B.3; RFC 5246, 7.4).
const (
	TypeClientHello        = 1
	TypeServerHello        = 2
	TypeCertificate        = 11
	TypeServerKeyExchange  = 12
	TypeCertificateRequest = 13
	TypeServerHelloDone    = 14
)

// The extensions (RFC 8446, 4.2).
const (
	extServerName          = 0
	extGroups              = 10
	extPointFormats        = 11
	extSignatures          = 13
	extALPN                = 16
	extExtendedMaster      = 23
	extSupportedVersions   = 43
	extPSKModes            = 45
	extKeyShare            = 51
	extRenegotiation       = 0xff01
	scsvEmptyRenegotiation = 0x00ff // RFC 5746, 3.3
)
