package coapdoor_test

import (
	"net/netip"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	. "github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	w "github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/udpservices"
)

func TestDoors(t *testing.T) {
	at := func(port uint16) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)
	}
	udp := udpservices.Evidence{Endpoints: []udpservices.Endpoint{{Addr: at(5683), Protocol: udpservices.CoAP}, {Addr: at(161)}, {Addr: at(5684), Protocol: udpservices.DTLS}}}
	tcp := services.Evidence{Services: []services.Service{{Addr: at(80), Protocol: services.HTTP}, {Addr: at(5683), Protocol: services.CoAP, TLS: evidence.No}, {Addr: at(5684), Protocol: services.CoAP, TLS: evidence.Yes}}}
	var names []string
	for _, d := range append(Doors(udp, tcp), Door{Addr: at(80), Transport: WS, Path: WellKnown}) {
		names = append(names, d.Endpoint().Name)
		assert.Equal(t, strings.Contains(d.Endpoint().Name, "coaps"), d.Secure())
	}
	assert.Equal(t, []string{"udp/192.0.2.1:5683#coap", "udp/192.0.2.1:5684#coaps", "tcp/192.0.2.1:5683#coap", "tcp/192.0.2.1:5684#coaps", "tcp/192.0.2.1:80#coap-websocket"}, names)
	assert.Equal(t, "udp/5683#/t", Doors(udp, tcp)[0].Resource("/t").Key)
	assert.Equal(t, 2*3+7, Most(probe.Target{Addrs: make([]netip.Addr, 2), UDP: make([]uint16, 3), Open: 7}))
	for _, e := range []any{Door{}, Answer{}, Exchange{}, Notification{}, Listing{}, Asked{}} {
		assert.NoError(t, evidence.CheckType(reflect.TypeOf(e)))
	}
}

// Of the links of a listing only those are kept that stay on the device.
func TestListing(t *testing.T) {
	t.Parallel()
	links := `</t>;rt="temperature";obs;if="sensor",<config?x=1>;ct=50,</../up>,<coap://192.0.2.9/x>,<//evil.example/y>,<http://127.0.0.1/z>,` +
		`<coap://SELF/abs>,<coap://SELFHOST:1/other>,<mailto:a@b.example>,</t>,<coap://127.0.0.1/usual>`
	tests := []struct {
		name, listing string
		format        uint32
		parsed        evidence.Tri
		paths         string
		outside       int
		lwm2m         evidence.Tri
	}{
		{"links", links, 40, evidence.Yes, "/t /config?x=1 /up /abs", 6, evidence.No},
		{"cut_off", `</a>,</b`, 40, evidence.No, "/a", 0, evidence.Unknown},
		{"text", `</a>`, 0, evidence.No, "/a", 0, evidence.Unknown},
		{"empty", "", 40, evidence.Yes, "", 0, evidence.No},
		{"registration_of_lwm2m", `</rd>;rt="oma.lwm2m"`, 40, evidence.Yes, "/rd", 0, evidence.Yes},
		{"resource_directory", `</rd>;rt="core.rd"`, 40, evidence.Yes, "/rd", 0, evidence.No},
		{"bootstrap", `</bs>`, 40, evidence.Yes, "/bs", 0, evidence.Yes},
		{"format_of_lwm2m", `</3/0>;ct="60 11543"`, 40, evidence.Yes, "/3/0", 0, evidence.Yes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var at atomic.Value
			at.Store("")
			door := says(t, func(m w.Message) [][]byte {
				text := strings.NewReplacer("SELFHOST", "127.0.0.1", "SELF", at.Load().(string)).Replace(tt.listing)
				return [][]byte{bytesOf(reply(m, text, w.Uint(w.ContentFormat, tt.format)))}
			})
			at.Store(door.Addr.String())
			l, err := open(t, coaptest.New(t), door, nil).List(t.Context())
			require.NoError(t, err)
			var paths []string
			for _, k := range l.Links {
				paths = append(paths, string(k.Path))
			}
			assert.Equal(t, tt.paths, strings.Join(paths, " "))
			assert.Equal(t, tt.parsed, l.Parsed)
			assert.Equal(t, tt.outside, l.Outside)
			assert.Equal(t, tt.lwm2m, l.LwM2M)
			if tt.name == "links" {
				assert.Equal(t, Link{Path: []byte("/t"), Type: []byte("temperature"), Interface: []byte("sensor"), Format: []byte{}, Observable: evidence.Yes}, l.Links[0])
			}
		})
	}
	l, err := open(t, coaptest.New(t), thermostat(t, func(r *coaptest.Rules) { r.First = refuseAll }).UDP(), nil).List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Code("4.03"), l.Exchange.Code)
	assert.Equal(t, evidence.Unknown, l.Parsed)
}

func refuseAll(m w.Message) ([]w.Message, bool) {
	return []w.Message{{Type: w.Acknowledgement, Code: w.Forbidden, ID: m.ID, Token: m.Token}}, true
}

// What a response says of itself is taken down.
func TestOptionsOfAResponse(t *testing.T) {
	t.Parallel()
	s := open(t, coaptest.New(t), says(t, func(m w.Message) [][]byte {
		return [][]byte{bytesOf(reply(m, "x", w.Text(w.ETag, "e1"), w.Option{Number: w.OSCORE}, w.Uint(w.ContentFormat, 60), w.Text(w.Echo, "later"), w.Option{Number: 65001}))}
	}), nil)
	x := do(t, s, Request{Path: "/t"})
	assert.Equal(t, "e1", string(x.ETag))
	assert.Equal(t, 60, x.Format)
	assert.Equal(t, []evidence.Tri{evidence.Yes, evidence.Yes, evidence.Yes, evidence.No, evidence.No}, []evidence.Tri{x.OSCORE, x.Echo, x.Critical, x.Observe, x.Block})
}

// The budget is 3 tries. A log-in that was accepted is free, one that may be
// wrong is charged each time, and one that was refused is never risked again.
func TestAccounts(t *testing.T) {
	t.Parallel()
	bad := probe.Login{ID: "bad", User: "other", Password: "a key of 16 byte"}
	device := thermostat(t)
	door := device.DTLS()
	bench := coaptest.New(t)
	try := func(a *Account) Answer {
		s, answer, err := a.Open(t.Context(), bench.Input, door, Client{})
		require.NoError(t, err)
		if s != nil {
			s.Close()
		}
		return answer
	}
	book := NewBook([]probe.Login{bad, good}, func(probe.Login) Standing { return Untold })
	assert.Equal(t, "bad", book.First().ID())
	a := book.Account("app")
	for range 4 {
		assert.Equal(t, Opened, try(a).Outcome)
	}
	assert.Equal(t, []string{"app"}, bench.Charged())
	assert.Same(t, a, book.First())
	assert.Nil(t, book.Account("nobody"))
	assert.Equal(t, uint16(piondtls.TLS_PSK_WITH_AES_128_CCM_8), try(a).Suite)
	wrong := book.Account("bad")
	assert.Contains(t, []Outcome{Refused, Silent}, try(wrong).Outcome)
	spoilt := NewAccount(good, Spoilt)
	assert.Equal(t, RefusedBefore, try(spoilt).Reason)
	_, answer, err := a.Open(t.Context(), bench.Input, device.UDP(), Client{})
	require.NoError(t, err)
	assert.Equal(t, NoUse, answer.Reason)
	assert.Equal(t, Proven, a.Standing())
	s, answer, err := a.OpenAside(t.Context(), bench.Input, Door{Addr: coaptest.Closed(t), Transport: DTLS}, Client{})
	require.NoError(t, err)
	assert.Nil(t, s)
	assert.Equal(t, Closed, answer.Outcome)
	assert.Equal(t, Proven, a.Standing())
	assert.NotContains(t, bench.Transcript(), good.Password)
}

func TestASpentAccount(t *testing.T) {
	t.Parallel()
	bench, a := coaptest.New(t), NewAccount(good, Untold)
	door := Door{Addr: coaptest.Closed(t), Transport: DTLS} // it may be back: each try is charged
	for i := range 5 {
		_, answer, err := a.Open(t.Context(), bench.Input, door, Client{})
		require.NoError(t, err)
		assert.Equal(t, i >= 3, answer.Reason == BudgetSpent)
		assert.Equal(t, i >= 3, answer.Outcome == NotTried)
	}
	assert.Len(t, bench.Charged(), 3)
}

// What is no DTLS ends with the patience, and never opens.
func TestHostileDTLS(t *testing.T) {
	t.Parallel()
	garbage := strings.Repeat("\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff", 20)
	alert := "\x15\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x02\x28"
	for name, tt := range map[string]struct {
		says string
		want []Outcome
	}{
		"silent": {"", []Outcome{Silent}}, "garbage": {garbage, []Outcome{Silent, Malformed}}, "alert": {alert, []Outcome{Refused}}, "text": {"what?", []Outcome{Silent, Malformed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := coaptest.Datagrams(t, func(_ []byte, send coaptest.Send) {
				if tt.says != "" {
					send([]byte(tt.says))
				}
			})
			begun := time.Now()
			s, answer, err := Open(t.Context(), coaptest.New(t).Input, Door{Addr: at, Transport: DTLS}, Client{Login: &good})
			require.NoError(t, err)
			assert.Nil(t, s)
			assert.Contains(t, tt.want, answer.Outcome)
			assert.Less(t, time.Since(begun), Patience+time.Second)
		})
	}
}
