package dtlswire

import (
	"crypto/rand"

	"golang.org/x/crypto/cryptobyte"

	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

// A CertificateType is how a server shows its key: RFC 7250.
type CertificateType byte

// The types.
const (
	X509         CertificateType = 0
	RawPublicKey CertificateType = 2
)

// A Hello is a ClientHello. Its zero value offers nothing.
type Hello struct {
	Version  Version   // the newest before 1.3
	Versions []Version // of the extension that came with 1.3, which is left out without them
	Random   [32]byte  // made up by Datagram if it is zero
	Cookie   []byte    // of a HelloVerifyRequest
	Suites   []uint16

	ServerName string
	Groups     []uint16
	Signatures []uint16
	// Types are the types of certificate that the client can read, and show.
	Types       []CertificateType
	Shares      []tlswire.Share // for 1.3
	RetryCookie []byte          // of a HelloRetryRequest
}

// RandomShare returns a key of X25519 of which nobody knows the private half: any
// 32 bytes are one.
func RandomShare() tlswire.Share {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	return tlswire.Share{Group: tlswire.X25519, Public: key}
}

// Datagram returns the hello as the message number message, in one fragment in
// the record number seq.
func (h Hello) Datagram(message uint16, seq uint64) []byte {
	if h.Random == ([32]byte{}) {
		rand.Read(h.Random[:])
	}
	return Record{
		Type:    contentHandshake,
		Version: h.recordVersion(),
		Seq:     seq,
		Body:    Fragment{Type: ClientHello, Seq: message, Whole: len(h.body()), Body: h.body()}.Bytes(),
	}.Bytes()
}

// recordVersion is what servers of every age take around h.
func (h Hello) recordVersion() Version {
	if h.Version == V10 {
		return V10
	}
	return V12
}

func (h Hello) body() []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint16(uint16(h.Version))
	b.AddBytes(h.Random[:])
	b.AddUint8(0) // no session
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.Cookie) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { numbers(b, h.Suites) })
	b.AddBytes([]byte{1, 0}) // no compression
	b.AddUint16LengthPrefixed(h.extensions)
	return b.BytesOrPanic()
}

// The extensions that hellos carry.
const (
	extServerName    = 0
	extGroups        = 10
	extPointFormats  = 11
	extSignatures    = 13
	extClientType    = 19
	extServerType    = 20
	extMasterSecret  = 23
	extVersions      = 43
	extCookie        = 44
	extKeyShare      = 51
	extRenegotiation = 0xff01
)

func (h Hello) extensions(b *cryptobyte.Builder) {
	if h.ServerName != "" {
		extension(b, extServerName, h.serverName)
	}
	if len(h.Groups) > 0 {
		extension(b, extGroups, list(h.Groups))
		extension(b, extPointFormats, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, 0}) }) // uncompressed
	}
	if len(h.Signatures) > 0 && h.Version != V10 {
		extension(b, extSignatures, list(h.Signatures))
	}
	if len(h.Types) > 0 {
		extension(b, extClientType, h.types)
		extension(b, extServerType, h.types)
	}
	extension(b, extMasterSecret, func(*cryptobyte.Builder) {})
	extension(b, extRenegotiation, func(b *cryptobyte.Builder) { b.AddUint8(0) })
	if len(h.Versions) > 0 {
		extension(b, extVersions, h.versions)
	}
	if len(h.RetryCookie) > 0 {
		extension(b, extCookie, func(b *cryptobyte.Builder) { opaque(b, h.RetryCookie) })
	}
	if len(h.Shares) > 0 {
		extension(b, extKeyShare, h.keyShares)
	}
}

func (h Hello) serverName(b *cryptobyte.Builder) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(0) // host_name
		opaque(b, []byte(h.ServerName))
	})
}

func (h Hello) types(b *cryptobyte.Builder) {
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, t := range h.Types {
			b.AddUint8(byte(t))
		}
	})
}

func (h Hello) versions(b *cryptobyte.Builder) {
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { numbers(b, h.Versions) })
}

func (h Hello) keyShares(b *cryptobyte.Builder) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, s := range h.Shares {
			b.AddUint16(s.Group)
			opaque(b, s.Public)
		}
	})
}

func extension(b *cryptobyte.Builder, id uint16, body cryptobyte.BuilderContinuation) {
	b.AddUint16(id)
	b.AddUint16LengthPrefixed(body)
}

// list returns what writes numbers with their length before them.
func list(of []uint16) cryptobyte.BuilderContinuation {
	return func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { numbers(b, of) })
	}
}

func numbers[N ~uint16](b *cryptobyte.Builder, of []N) {
	for _, n := range of {
		b.AddUint16(uint16(n))
	}
}

func opaque(b *cryptobyte.Builder, of []byte) {
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(of) })
}
