package tlsserver

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// offer is what a raw server reads of a hello.
type offer struct {
	version uint16
	suites  []uint16
	deflate bool
	n       int64 // which connection it is, from 1
}

// rawServer answers each hello with bytes that say makes; nil closes the
// connection.
func rawServer(t testing.TB, say func(offer) []byte) netip.AddrPort {
	t.Helper()
	var n atomic.Int64
	return device(t, func(c net.Conn) {
		o := offer{n: n.Add(1)}
		if !o.read(c) {
			return
		}
		if b := say(o); b != nil {
			c.Write(b)
			io.Copy(io.Discard, c)
		}
	})
}

func (o *offer) read(c net.Conn) bool {
	var head [5]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return false
	}
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(c, body); err != nil {
		return false
	}
	in := cryptobyte.String(body)
	var session, suites, compressions, extensions cryptobyte.String
	if !in.Skip(4) || !in.ReadUint16(&o.version) || !in.Skip(32) || !in.ReadUint8LengthPrefixed(&session) ||
		!in.ReadUint16LengthPrefixed(&suites) || !in.ReadUint8LengthPrefixed(&compressions) {
		return false
	}
	for !suites.Empty() {
		var s uint16
		suites.ReadUint16(&s)
		o.suites = append(o.suites, s)
	}
	o.deflate = bytes.IndexByte(compressions, 1) >= 0
	if in.ReadUint16LengthPrefixed(&extensions) && bytes.Contains(extensions, []byte{0, 43, 0}) && slices.Contains(o.suites, 0x1301) {
		o.version = uint16(TLS13)
	}
	return true
}

func record(kind byte, body ...byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

func records(kind byte, body []byte) (all []byte) {
	for part := range slices.Chunk(body, 1<<14) {
		all = append(all, record(kind, part...)...)
	}
	return all
}

func message(kind byte, body ...byte) []byte {
	return append([]byte{kind, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

// hello is a ServerHello in a record.
func hello(version, suite uint16, deflate byte, extensions ...byte) []byte {
	b := append([]byte{byte(version >> 8), byte(version)}, bytes.Repeat([]byte{9}, 32)...)
	b = append(b, 0, byte(suite>>8), byte(suite), deflate)
	if len(extensions) > 0 {
		b = append(append(b, byte(len(extensions)>>8), byte(len(extensions))), extensions...)
	}
	return record(22, message(2, b...)...)
}

// chosen is a ServerHello of TLS 1.2 or older, or one of TLS 1.3 with a share of
// X25519.
func chosen(version, suite uint16) []byte {
	if version < uint16(TLS13) {
		return hello(version, suite, 0)
	}
	share := append([]byte{0, 43, 0, 2, 3, 4, 0, 51, 0, 36, 0, 29, 0, 32}, make([]byte, 32)...)
	return hello(uint16(TLS12), suite, 0, share...)
}

// flight is a ServerHello, a chain and a ServerHelloDone.
func flight(version, suite uint16, ders ...[]byte) []byte {
	var list []byte
	for _, der := range ders {
		list = append(append(list, byte(len(der)>>16), byte(len(der)>>8), byte(len(der))), der...)
	}
	list = append([]byte{byte(len(list) >> 16), byte(len(list) >> 8), byte(len(list))}, list...)
	return append(append(hello(version, suite, 0), records(22, message(11, list...))...), record(22, message(14)...)...)
}

var (
	refusal = record(21, 2, 40)
	http400 = []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
)
