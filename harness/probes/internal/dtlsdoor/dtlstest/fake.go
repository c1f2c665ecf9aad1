package dtlstest

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
)

// Fake starts a server of datagrams that answers as its script says. The script
// gets each datagram and what sends one back to where it came from.
func Fake(t testing.TB, script func(datagram []byte, reply func(...[]byte))) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1<<16)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			script(buffer[:n], func(all ...[]byte) {
				for _, b := range all {
					_, _ = c.WriteToUDPAddrPort(b, from) // the client may be gone
				}
			})
		}
	}()
	t.Cleanup(func() {
		_ = c.Close() // nothing is lost with it
		<-done
	})
	return netip.MustParseAddrPort(c.LocalAddr().String())
}

// Handshake returns a whole message in one record of a server.
func Handshake(kind byte, seq uint16, body []byte) []byte {
	return Part(kind, seq, len(body), 0, body)
}

// Part returns a fragment of a message in one record of a server.
func Part(kind byte, seq uint16, whole, offset int, part []byte) []byte {
	f := dtlswire.Fragment{Type: kind, Seq: seq, Whole: whole, Offset: offset, Body: part}
	return dtlswire.Record{Type: 22, Version: dtlswire.V12, Seq: uint64(seq), Body: f.Bytes()}.Bytes()
}

// AlertOf returns a fatal alert in clear.
func AlertOf(description byte) []byte {
	return dtlswire.Record{Type: 21, Version: dtlswire.V12, Body: []byte{2, description}}.Bytes()
}

// VerifyRequest returns a request for a cookie.
func VerifyRequest(cookie string) []byte {
	return Handshake(dtlswire.HelloVerifyRequest, 0, append([]byte{0xfe, 0xff, byte(len(cookie) & 0xff)}, cookie...))
}

// An Extension is one of a server hello.
type Extension struct {
	Number uint16
	Body   []byte
}

// HelloBody returns the body of a server hello.
func HelloBody(v dtlswire.Version, random []byte, suite uint16, exts ...Extension) []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddUint16(uint16(v))
	b.AddBytes(append(append([]byte{}, random...), make([]byte, 32)...)[:32])
	b.AddUint8(0)
	b.AddUint16(suite)
	b.AddUint8(0)
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, e := range exts {
			b.AddUint16(e.Number)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.Body) })
		}
	})
	return b.BytesOrPanic()
}

// Asked is what a hello says.
type Asked struct {
	Version dtlswire.Version
	Cookie  string
	Suites  []uint16
	Exts    map[uint16][]byte
}

// ReadHello reads a hello in one record; ok is false for anything else.
func ReadHello(datagram []byte) (a Asked, ok bool) {
	records, err := dtlswire.Records(datagram)
	if err != nil || len(records) != 1 || len(records[0].Body) < 12 || records[0].Body[0] != dtlswire.ClientHello {
		return a, false
	}
	in := cryptobyte.String(records[0].Body[12:])
	var session, cookie, suites, compression, list cryptobyte.String
	ok = in.ReadUint16((*uint16)(&a.Version)) && in.Skip(32) && in.ReadUint8LengthPrefixed(&session) && in.ReadUint8LengthPrefixed(&cookie) &&
		in.ReadUint16LengthPrefixed(&suites) && in.ReadUint8LengthPrefixed(&compression) && in.ReadUint16LengthPrefixed(&list) && in.Empty()
	a.Cookie, a.Exts = string(cookie), map[uint16][]byte{}
	for ok && !suites.Empty() {
		var s uint16
		ok = suites.ReadUint16(&s)
		a.Suites = append(a.Suites, s)
	}
	for ok && !list.Empty() {
		var number uint16
		var body cryptobyte.String
		ok = list.ReadUint16(&number) && list.ReadUint16LengthPrefixed(&body)
		a.Exts[number] = body
	}
	return a, ok
}
