package dtlswire

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

// one wraps a fragment in a record of a server.
func one(f Fragment) []byte {
	return Record{Type: contentHandshake, Version: V12, Seq: uint64(f.Seq), Body: f.Bytes()}.Bytes()
}

func whole(kind byte, seq uint16, body []byte) []byte {
	return one(Fragment{Type: kind, Seq: seq, Whole: len(body), Body: body})
}

// chosen is a server hello of 1.2.
var chosen = append(append([]byte{0xfe, 0xfd}, make([]byte, 32)...), 0, 0xc0, 0xa8, 0)

var verify = []byte{0xfe, 0xff, 3, 'a', 'b', 'c'}

func TestRecognise(t *testing.T) {
	alert := func(epoch uint16, body ...byte) []byte {
		return Record{Type: contentAlert, Version: V10, Epoch: epoch, Body: body}.Bytes()
	}
	tests := []struct {
		name string
		b    []byte
		want bool
	}{
		{"verify_request", whole(HelloVerifyRequest, 0, verify), true},
		{"server_hello", whole(ServerHello, 0, chosen), true},
		{"first_part_of_a_server_hello", one(Fragment{Type: ServerHello, Whole: 90, Body: chosen}), true},
		{"alert", alert(0, 2, 40), true},
		{"flight", append(whole(ServerHello, 0, chosen), whole(ServerHelloDone, 1, nil)...), true},
		{"our_own_question", Question(), false},
		{"client_hello", whole(ClientHello, 0, chosen), false},
		{"second_part", one(Fragment{Type: ServerHello, Whole: 90, Offset: 1, Body: chosen}), false},
		{"verify_request_of_another_length", whole(HelloVerifyRequest, 0, append(slices.Clone(verify), 0)), false},
		{"short_server_hello", whole(ServerHello, 0, chosen[:30]), false},
		{"other_version", whole(ServerHello, 0, append([]byte{3, 3}, chosen[2:]...)), false},
		{"encrypted", alert(1, 2, 40), false},
		{"odd_alert", alert(0, 7, 40), false},
		{"long_alert", alert(0, 2, 40, 0), false},
		{"tls_alert", []byte{21, 3, 3, 0, 2, 2, 40}, false},
		{"coap_reset", []byte{0x70, 0, 1, 2}, false},
		{"cut_off", whole(HelloVerifyRequest, 0, verify)[:20], false},
		{"nothing", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Recognise(tt.b); got != tt.want {
				t.Errorf("Recognise = %v, want %v", got, tt.want)
			}
		})
	}
	if n := len(Question()); n > 512 {
		t.Errorf("the question has %d bytes", n)
	}
	if bytes.Equal(Question(), Question()) {
		t.Error("two questions are the same")
	}
}

func TestRecords(t *testing.T) {
	r := Record{Type: contentHandshake, Version: V10, Epoch: 3, Seq: 0xabcdef012345, Body: []byte("body")}
	got, err := Records(append(r.Bytes(), 0x2d, 9, 9))
	if err != nil || len(got) != 2 || got[0].Epoch != 3 || got[0].Seq != r.Seq || string(got[0].Body) != "body" || !got[1].Sealed {
		t.Fatalf("Records = %+v, %v", got, err)
	}
	for name, bad := range map[string][]byte{
		"short": r.Bytes()[:12], "cut": r.Bytes()[:15], "tls": {22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"type": append([]byte{9}, r.Bytes()[1:]...), "sealed_first": {0x2d, 1, 2}, "many": bytes.Repeat(r.Bytes(), recordsMost+1),
	} {
		if list, err := Records(bad); err == nil || len(list) > recordsMost {
			t.Errorf("%s: %d records, %v", name, len(list), err)
		}
	}
}

// part returns a part of a message that counts its bytes.
func part(seq uint16, total, offset, n int) Fragment {
	body := make([]byte, n)
	for i := range body {
		body[i] = byte(offset + i)
	}
	return Fragment{Type: ServerHello, Seq: seq, Whole: total, Offset: offset, Body: body}
}

func TestFlightPutsFragmentsTogether(t *testing.T) {
	orders := map[string][]Fragment{
		"in_order":     {part(0, 100, 0, 50), part(0, 100, 50, 50)},
		"out_of_order": {part(0, 100, 50, 50), part(0, 100, 0, 50)},
		"overlapping":  {part(0, 100, 30, 70), part(0, 100, 0, 60)},
		"twice":        {part(0, 100, 0, 50), part(0, 100, 0, 50), part(0, 100, 50, 50), part(0, 100, 50, 50)},
		"whole":        {part(0, 100, 0, 100)},
		"with_nothing": {part(0, 100, 10, 0), part(0, 100, 0, 100)},
	}
	for name, list := range orders {
		t.Run(name, func(t *testing.T) {
			var f Flight
			for _, p := range list {
				if m := f.Messages(); len(m) > 0 && name != "twice" {
					t.Errorf("whole too early: %+v", m)
				}
				if err := f.Add(one(p)); err != nil {
					t.Fatal(err)
				}
			}
			m := f.Messages()
			if len(m) != 1 || !bytes.Equal(m[0].Body, part(0, 100, 0, 100).Body) || f.Fragments != len(list) {
				t.Errorf("messages = %+v of %d fragments", m, f.Fragments)
			}
		})
	}
}

func TestFlightOrderAndGaps(t *testing.T) {
	var f Flight
	steps := []struct {
		b    []byte
		want []byte // types that are there
	}{
		{whole(ServerHelloDone, 3, nil), nil},
		{whole(ServerHello, 1, chosen), []byte{ServerHello}},
		{whole(Certificate, 2, []byte{0, 0, 0}), []byte{ServerHello, Certificate, ServerHelloDone}},
	}
	for _, s := range steps {
		if err := f.Add(s.b); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for _, m := range f.Messages() {
			got = append(got, m.Type)
		}
		if !bytes.Equal(got, s.want) {
			t.Errorf("types = %v, want %v", got, s.want)
		}
	}
	if m, ok := f.Find(Certificate); !ok || m.Seq != 2 {
		t.Errorf("certificate = %+v, %v", m, ok)
	}
	f.Forget(ServerHello)
	if _, ok := f.Find(ServerHello); ok || len(f.Messages()) != 0 {
		t.Error("it is remembered")
	}
}

func TestFlightRefuses(t *testing.T) {
	many := func(seqs, total int) (all []byte) {
		for i := range seqs {
			all = append(all, one(part(uint16(i), total, 0, 1))...)
		}
		return all
	}
	tests := []struct {
		name string
		b    []byte
		want error
	}{
		{"ten_MiB", one(part(0, 10<<20, 0, 5)), ErrTooMuch},
		{"many_messages", many(messagesMost+1, 2), ErrTooMuch},
		{"much_in_all", many(5, messageMost), ErrTooMuch},
		{"other_byte", append(one(part(0, 9, 0, 5)), one(Fragment{Type: ServerHello, Whole: 9, Offset: 1, Body: []byte{9}})...), ErrContradicted},
		{"other_length", append(one(part(0, 9, 0, 5)), one(part(0, 8, 0, 5))...), ErrContradicted},
		{"other_type", append(one(part(0, 9, 0, 5)), one(Fragment{Type: Certificate, Whole: 9, Body: []byte{0}})...), ErrContradicted},
		{"beyond_its_end", one(part(0, 5, 3, 5)), nil},
		{"cut_off", Record{Type: contentHandshake, Version: V12, Body: part(0, 5, 0, 5).Bytes()[:14]}.Bytes(), nil},
		{"odd_alert", Record{Type: contentAlert, Version: V12, Body: []byte{2}}.Bytes(), nil},
		{"no_dtls", []byte("GET / HTTP/1.1"), ErrNotDTLS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f Flight
			if err := f.Add(tt.b); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
			if f.held > flightMost || len(f.parts) > messagesMost {
				t.Errorf("it holds %d bytes in %d messages", f.held, len(f.parts))
			}
		})
	}
	var f Flight
	for range fragmentsMost {
		if err := f.Add(one(part(0, 5, 0, 1))); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Add(one(part(0, 5, 0, 1))); !errors.Is(err, ErrTooMuch) {
		t.Errorf("one fragment more: %v", err)
	}
}

func TestFlightKeepsAlerts(t *testing.T) {
	var f Flight
	for _, b := range [][]byte{{1, 90}, {2, 40}, {1, 0}} {
		if err := f.Add(Record{Type: contentAlert, Version: V10, Body: b}.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Add(Record{Type: contentAlert, Version: V10, Epoch: 1, Body: []byte("sealed")}.Bytes()); err != nil || !f.Sealed {
		t.Errorf("sealed = %v, %v", f.Sealed, err)
	}
	if len(f.Alerts) != 3 || f.Alerts[0].Fatal() || !f.Alerts[1].Fatal() || !f.Alerts[2].Fatal() || f.Version != V10 {
		t.Errorf("alerts = %+v in %s", f.Alerts, f.Version)
	}
	var farewell Flight
	if err := farewell.Add(Farewell(V12, 7)); err != nil || len(farewell.Alerts) != 1 || !farewell.Alerts[0].Fatal() {
		t.Errorf("farewell = %+v, %v", farewell.Alerts, err)
	}
}

func TestParseServerHello(t *testing.T) {
	with := func(exts ...byte) []byte { return append(append(slices.Clone(chosen), 0, byte(len(exts))), exts...) }
	c, err := ParseServerHello(with(0, 20, 0, 1, 2, 0, 44, 0, 4, 0, 2, 'o', 'k', 0, 43, 0, 2, 0xfe, 0xfc))
	if err != nil || c.Type != RawPublicKey || string(c.Cookie) != "ok" || c.Version != V13 || c.Suite != 0xc0a8 {
		t.Errorf("choice = %+v, %v", c, err)
	}
	if c, err := ParseServerHello(chosen); err != nil || c.Version != V12 || c.Type != X509 || c.Cookie != nil {
		t.Errorf("plain choice = %+v, %v", c, err)
	}
	for name, bad := range map[string][]byte{
		"short": chosen[:37], "tls": append([]byte{3, 3}, chosen[2:]...), "long_type": with(0, 20, 0, 2, 2, 2),
		"cookie": with(0, 44, 0, 2, 0, 9), "list": append(slices.Clone(chosen), 0, 9), "nothing": nil,
	} {
		if c, err := ParseServerHello(bad); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestParseOtherMessages(t *testing.T) {
	if c, err := ParseHelloVerifyRequest(verify); err != nil || string(c) != "abc" {
		t.Errorf("cookie = %q, %v", c, err)
	}
	for _, bad := range [][]byte{nil, verify[:5], append(slices.Clone(verify), 0), {3, 3, 0}} {
		if c, err := ParseHelloVerifyRequest(bad); err == nil {
			t.Errorf("cookie of % x = %q", bad, c)
		}
	}
	if k, err := ParseRawPublicKey([]byte{0, 0, 2, 'k', 'y'}); err != nil || string(k) != "ky" {
		t.Errorf("key = %q, %v", k, err)
	}
	for _, bad := range [][]byte{nil, {0, 0, 0}, {0, 0, 2, 1}, {0, 0, 1, 1, 1}} {
		if k, err := ParseRawPublicKey(bad); err == nil {
			t.Errorf("key of % x = %q", bad, k)
		}
	}
	psk, _ := tlswire.Lookup(0xc0a8)
	ecdhe, _ := tlswire.Lookup(0xc02b)
	if k, err := ParseServerKeyExchange([]byte{0, 2, 'h', 'i'}, psk, V12); err != nil || string(k.Hint) != "hi" {
		t.Errorf("exchange = %+v, %v", k, err)
	}
	if k, err := ParseServerKeyExchange([]byte{3, 0, 29, 1, 9, 4, 3, 0, 0}, ecdhe, V12); err != nil || k.Group != 29 || k.Signature != 0x0403 || k.Hint != nil {
		t.Errorf("exchange = %+v, %v", k, err)
	}
	if k, err := ParseServerKeyExchange([]byte{3, 0, 29, 1, 9, 0, 0}, ecdhe, V10); err != nil || k.Signature != 0 {
		t.Errorf("exchange of 1.0 = %+v, %v", k, err)
	}
	if k, err := ParseServerKeyExchange([]byte{9}, psk, V12); err == nil {
		t.Errorf("exchange = %+v", k)
	}
}

func TestVersionNames(t *testing.T) {
	for v, want := range map[Version]string{V10: "DTLS 1.0", V12: "DTLS 1.2", V13: "DTLS 1.3", 0xfe01: "0xfe01"} {
		if got := v.String(); got != want {
			t.Errorf("%x is %q", uint16(v), got)
		}
	}
}
