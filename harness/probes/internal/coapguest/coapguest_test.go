package coapguest

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
)

var logins = []probe.Login{{ID: "app", User: "meter", Password: "k1"}, {ID: "owner", User: "owner", Password: "k2"}}

func TestWhoIsTheHolder(t *testing.T) {
	door := func(tr coapdoor.Transport, port uint16) coapdoor.Door {
		return coapdoor.Door{Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), Transport: tr}
	}
	said := declaration.Evidence{Services: []declaration.Service{
		{UDP: []uint16{5684}, CoAP: declaration.CoAP{Credential: "owner"}},
		{UDP: []uint16{5690}, CoAP: declaration.CoAP{Credential: "nobody"}},
	}}
	tests := []struct {
		name   string
		said   declaration.Evidence
		door   coapdoor.Door
		spoilt string
		want   string
	}{
		{"named", said, door(coapdoor.DTLS, 5684), "", "owner"},
		{"undeclared_port_is_the_first_servers", said, door(coapdoor.DTLS, 9), "", "owner"},
		{"named_and_not_given", said, door(coapdoor.DTLS, 5690), "", ""},
		{"none_named", declaration.Evidence{}, door(coapdoor.DTLS, 5684), "", "app"},
		{"none_named_and_the_first_refused_before", declaration.Evidence{}, door(coapdoor.DTLS, 5684), "app", "owner"},
		{"in_clear", said, door(coapdoor.UDP, 5684), "", ""},
		{"inside_TLS", said, door(coapdoor.TLS, 5684), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := coaptest.New(t, logins...).Input
			in.Evidence = evidence.NewView(evidence.DUT, map[string]evidence.Page{declaration.Probe.Name: {Value: tt.said}})
			standing := func(id string) coapdoor.Standing {
				if id == tt.spoilt {
					return coapdoor.Spoilt
				}
				return Untold(id)
			}
			g := Guest{Account: New(in, standing).At(tt.door)}
			assert.Equal(t, declaration.Name(tt.want), g.Credential())
		})
	}
}

func TestConceal(t *testing.T) {
	const pin = "7Q4K-92XD-LM5R"
	g := Guest{In: coaptest.New(t).Input}
	tests := []struct {
		name, path, payload, stars, called string
		found                              int
	}{
		{"nothing", "/temp", "21.5", "21.5", "", 0},
		{"in_a_payload", "/config", `{"pin":"` + pin + `"}`, `{"pin":"**************"}`, "pin", 1},
		{"the_whole_payload", "/user/pin", pin, "**************", "pin", 1},
		{"under_a_query", "/pin?x=/temp", pin, "**************", "pin", 1},
		{"under_another_name", "/pin/name", pin, pin, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			payload := []byte(tt.payload)
			stars, found := g.Conceal(tt.path, payload)
			assert.Equal(t, tt.stars, string(stars))
			assert.Equal(t, tt.payload, string(payload), "the payload itself stays as it is")
			require.Len(t, found, tt.found)
			for _, f := range found {
				assert.Equal(t, tt.called, string(f.Name))
				assert.Equal(t, len(pin), f.Secret.Length)
			}
		})
	}
	for range maxHidden {
		g.Conceal("/pin", []byte(pin))
	}
	stars, found := g.Conceal("/pin", []byte(pin))
	assert.Empty(t, found, "so many secrets are kept, and no more")
	assert.NotContains(t, string(stars), pin)
}

func TestUntaken(t *testing.T) {
	x := Untaken(coapdoor.PUT, "/a", coapdoor.Answer{Outcome: coapdoor.NotTried, Reason: coapdoor.BudgetSpent})
	assert.Equal(t, coapdoor.Exchange{Method: coapdoor.PUT, Path: []byte("/a"), Outcome: coapdoor.NotTried, Reason: coapdoor.BudgetSpent, Format: -1}, x)
	assert.Equal(t, coapdoor.NotNeeded, Untried(coapdoor.GET).Reason)
}
