package checks

import (
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestExposureUDPPortsDeclared(t *testing.T) {
	at := func(port string) netip.AddrPort { return netip.MustParseAddrPort("192.0.2.1:" + port) }
	asked := []udpservices.Asked{{Question: udpservices.CoAP, State: udpservices.Silent}, {Question: udpservices.DTLS, State: udpservices.Silent}}
	heard := udpservices.Control{Asked: 8, Answered: 8}
	coap := udpservices.Endpoint{Addr: at("5683"), Protocol: udpservices.CoAP, State: udpservices.Answered, Asked: asked}
	babble := udpservices.Endpoint{Addr: at("5683"), Protocol: udpservices.Unidentified, State: udpservices.Answered, Asked: asked}
	silent := udpservices.Endpoint{Addr: at("5684"), Protocol: udpservices.Unidentified, State: udpservices.Silent, Asked: asked, Control: heard}
	unheard := silent
	unheard.Control = udpservices.Control{Asked: 8, Answered: 7}
	closed := udpservices.Endpoint{Addr: at("5684"), Protocol: udpservices.Unidentified, State: udpservices.Closed, Asked: asked}
	service := func(enabled evidence.Tri, ports ...uint16) declaration.Service {
		return declaration.Service{ID: "c", Enabled: enabled, UDP: ports}
	}
	on := service(evidence.Yes, 5683)
	type seen = []udpservices.Endpoint
	tests := []struct {
		name string
		seen seen
		said declaration.Evidence
		want byKey
	}{
		{"declared", seen{coap, silent}, declared(on), byKey{"udp/5683": "pass", "": "pass"}},
		{"not_declared", seen{coap, closed}, declared(), byKey{"udp/5683": "fail", "": "pass"}},
		{"declared_over_tcp_only", seen{coap}, declared(row("c", "coap", 5683)), byKey{"udp/5683": "fail", "": "pass"}},
		{"declared_as_disabled", seen{coap}, declared(service(evidence.No, 5683)), byKey{"udp/5683": "fail", "": "pass"}},
		{"status_not_stated", seen{coap}, declared(service(evidence.Unknown, 5683)), byKey{"udp/5683": "inconclusive", "": "pass"}},
		{"answered_in_unknown_words", seen{babble}, declared(), byKey{"udp/5683": "inconclusive", "": "pass"}},
		{"unknown_words_of_a_declared_service", seen{babble}, declared(on), byKey{"udp/5683": "pass", "": "pass"}},
		{"declared_and_silent", seen{silent}, declared(service(evidence.Yes, 5684)), byKey{"udp/5684": "inconclusive", "": "pass"}},
		{"declared_and_closed", seen{closed}, declared(service(evidence.Yes, 5684)), byKey{"udp/5684": "inconclusive", "": "pass"}},
		{"disabled_and_silent", seen{silent}, declared(service(evidence.No, 5684)), byKey{"": "pass"}},
		{"silent", seen{silent}, declared(), byKey{"": "pass"}},
		{"closed", seen{closed}, declared(), byKey{"": "pass"}},
		{"silent_and_not_heard", seen{unheard}, declared(), byKey{"": "inconclusive"}},
		{"a_flaw_beside_silence", seen{coap, unheard}, declared(), byKey{"udp/5683": "fail", "": "inconclusive"}},
		{"nothing_asked", nil, declared(), byKey{"": "inconclusive"}},
		{"no_list", seen{coap}, declaration.Evidence{Given: evidence.Yes, Listed: evidence.No}, byKey{"": "inconclusive"}},
		{"no_list_and_nothing_seen", seen{closed}, declaration.Evidence{Given: evidence.No}, byKey{"": "inconclusive"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			udp, said := checktest.Record(t, udpservices.Probe, udpservices.Evidence{Endpoints: tt.seen}), checktest.Record(t, declaration.Probe, tt.said)
			d := checktest.Decide(t, exposureUDPPortsDeclared, udp, said)
			complete(t, d)
			sameVerdicts(t, d.Items, tt.want)
			if d.Verdict == verdict.Pass && d.Basis != verdict.Tested {
				t.Errorf("basis = %s", d.Basis)
			}
			part := checktest.Decide(t, exposureUDPPortsDeclared, checktest.Partial(udp, "udp/192.0.2.1:9"), said)
			if part.Verdict == verdict.Pass || (part.Verdict == verdict.Fail) != (d.Verdict == verdict.Fail) {
				t.Errorf("verdict on a part = %s", part.Verdict)
			}
		})
	}
}
