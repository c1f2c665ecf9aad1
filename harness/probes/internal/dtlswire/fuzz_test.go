package dtlswire

import (
	"testing"

	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

func FuzzFlight(f *testing.F) {
	f.Add(whole(HelloVerifyRequest, 0, verify), whole(ServerHello, 1, chosen))
	f.Add(one(part(0, 100, 30, 70)), one(part(0, 100, 0, 60)))
	f.Add(one(part(0, 10<<20, 0, 5)), []byte{0x2d, 1})
	f.Add(Farewell(V12, 1), Question())
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var flight Flight
		for _, d := range [][]byte{a, b, a} {
			_ = flight.Add(d)
		}
		if flight.held > flightMost || len(flight.parts) > messagesMost || len(flight.Alerts) > alertsMost {
			t.Fatalf("%d bytes in %d messages, %d alerts", flight.held, len(flight.parts), len(flight.Alerts))
		}
		total := 0
		for _, m := range flight.Messages() {
			total += len(m.Body)
		}
		if total > len(a)+len(b) {
			t.Fatalf("%d bytes of messages from %d", total, len(a)+len(b))
		}
		if Recognise(a) {
			if records, err := Records(a); len(records) == 0 {
				t.Fatalf("recognised, and yet %v", err)
			}
		}
	})
}

func FuzzMessages(f *testing.F) {
	f.Add(chosen, uint16(0xc0a8))
	f.Add(verify, uint16(0xc02b))
	f.Add([]byte{0, 2, 'h', 'i'}, uint16(0x00ae))
	f.Fuzz(func(t *testing.T, body []byte, suite uint16) {
		if c, err := ParseServerHello(body); err == nil && (c.Version>>8 != 0xfe || len(c.Cookie) > len(body)) {
			t.Fatalf("choice = %+v", c)
		}
		if c, err := ParseHelloVerifyRequest(body); err == nil && len(c) != len(body)-3 {
			t.Fatalf("cookie of %d bytes from %d", len(c), len(body))
		}
		if k, err := ParseRawPublicKey(body); err == nil && len(k) != len(body)-3 {
			t.Fatalf("key of %d bytes from %d", len(k), len(body))
		}
		s, _ := tlswire.Lookup(suite)
		for _, v := range []Version{V10, V12} {
			if k, err := ParseServerKeyExchange(body, s, v); err == nil && len(k.Hint) > len(body) {
				t.Fatalf("hint of %d bytes from %d", len(k.Hint), len(body))
			}
		}
	})
}
