package harness

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/result"
)

// recorded is a complete record of e about the unit under test.
func recorded[E any](t *testing.T, p *probe.Probe[E], e E) evidence.Record {
	t.Helper()
	data, err := evidence.Encode(e)
	require.NoError(t, err)
	return evidence.Record{Seq: 1, Unit: evidence.DUT, Probe: p.Name, Version: p.Version, Status: evidence.Collected, Effect: "active", Data: data}
}

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

var host = netip.MustParseAddr("192.0.2.1")

func TestSurfaceOfTCP(t *testing.T) {
	ports := tcpports.Evidence{
		Addrs: []netip.Addr{host, netip.MustParseAddr("192.0.2.9")}, Tried: 65535,
		Open:   []tcpports.Port{{Addr: addr("192.0.2.1:80"), Seen: 2}, {Addr: addr("192.0.2.1:443"), Seen: 2}, {Addr: addr("192.0.2.1:1883"), Seen: 1}, {Addr: addr("192.0.2.1:9000"), Seen: 2}},
		Closed: []tcpports.Range{{Addr: host, First: 1, Last: 79}, {Addr: host, First: 81, Last: 90}}, Silent: []tcpports.Range{{Addr: host, First: 500, Last: 500}},
		Mixed: []tcpports.Range{{Addr: host, First: 600, Last: 602}}, Host: []netip.AddrPort{addr("192.0.2.1:22")},
	}
	spoken := services.Evidence{Services: []services.Service{
		{Addr: addr("192.0.2.1:80"), Protocol: services.HTTP, TLS: evidence.No, Seen: 2}, {Addr: addr("192.0.2.1:443"), Protocol: services.HTTP, TLS: evidence.Yes, Seen: 2},
		{Addr: addr("192.0.2.1:9000"), Protocol: services.Unidentified, TLS: evidence.No},
	}}
	said := declaration.Evidence{Given: evidence.Yes, Listed: evidence.Yes, Services: []declaration.Service{
		{ID: "web", Enabled: evidence.Yes, TCP: []uint16{443}}, {ID: "old", Enabled: evidence.No, TCP: []uint16{80}}, {ID: "odd", TCP: []uint16{1883}},
	}}
	log := evidence.Log{recorded(t, tcpports.Probe, ports), recorded(t, services.Probe, spoken), recorded(t, declaration.Probe, said)}
	list := surfaces(log)
	require.Len(t, list, 1)
	require.Equal(t, []result.Search{
		{Endpoint: "tcp/192.0.2.1", Tried: 65535, Open: 4, Closed: 89, Silent: 1, Unsettled: 3, LeftOut: 1}, {Endpoint: "tcp/192.0.2.9", Tried: 65535},
	}, list[0].Searches)
	require.Equal(t, []result.Listener{
		{Endpoint: "tcp/192.0.2.1:80", Seen: 2, Looks: 2, Protocol: "http", Secured: evidence.No, Declared: evidence.No},
		{Endpoint: "tcp/192.0.2.1:443", Seen: 2, Looks: 2, Protocol: "http", Secured: evidence.Yes, Declared: evidence.Yes},
		{Endpoint: "tcp/192.0.2.1:1883", Seen: 1, Looks: 2, Declared: evidence.Unknown},
		{Endpoint: "tcp/192.0.2.1:9000", Seen: 2, Looks: 2, Protocol: "unidentified", Declared: evidence.No},
	}, list[0].Listeners)
}

// Without a list of services nothing is called undeclared.
func TestSurfaceWithoutADeclaration(t *testing.T) {
	ports := recorded(t, tcpports.Probe, tcpports.Evidence{Addrs: []netip.Addr{host}, Tried: 1, Open: []tcpports.Port{{Addr: addr("192.0.2.1:80"), Seen: 2}}})
	require.Equal(t, evidence.Unknown, surfaces(evidence.Log{ports})[0].Listeners[0].Declared)
}

func TestSurfaceOfUDP(t *testing.T) {
	asked := func(q udpservices.Protocol, seen int, s udpservices.State) udpservices.Asked {
		return udpservices.Asked{Question: q, Tries: 2, Seen: seen, State: s}
	}
	e := udpservices.Evidence{Endpoints: []udpservices.Endpoint{
		{Addr: addr("192.0.2.1:5683"), Protocol: udpservices.CoAP, State: udpservices.Answered, Asked: []udpservices.Asked{asked(udpservices.CoAP, 2, udpservices.Answered)}},
		{Addr: addr("192.0.2.1:5684"), Protocol: udpservices.DTLS, State: udpservices.Mixed, Asked: []udpservices.Asked{asked(udpservices.CoAP, 0, udpservices.Silent), asked(udpservices.DTLS, 2, udpservices.Answered)}},
		{Addr: addr("192.0.2.1:53"), Protocol: udpservices.Unidentified, State: udpservices.Answered, Asked: []udpservices.Asked{asked(udpservices.CoAP, 0, udpservices.Answered)}},
		{Addr: addr("192.0.2.1:9"), Protocol: udpservices.Unidentified, State: udpservices.Closed, Asked: []udpservices.Asked{asked(udpservices.CoAP, 0, udpservices.Closed)}},
		{Addr: addr("192.0.2.1:10"), Protocol: udpservices.Unidentified, State: udpservices.Silent, Asked: []udpservices.Asked{asked(udpservices.CoAP, 0, udpservices.Silent)}},
		{Addr: addr("192.0.2.1:11"), Protocol: udpservices.Unidentified, State: udpservices.Mixed, Asked: []udpservices.Asked{asked(udpservices.CoAP, 0, udpservices.Mixed)}},
	}}
	s := surfaces(evidence.Log{recorded(t, udpservices.Probe, e)})
	require.Equal(t, []result.Search{{Endpoint: "udp/192.0.2.1", Tried: 6, Open: 3, Closed: 1, Silent: 1, Unsettled: 1}}, s[0].Searches)
	require.Equal(t, []result.Listener{
		{Endpoint: "udp/192.0.2.1:5683", Seen: 2, Looks: 2, Protocol: "coap", Secured: evidence.No},
		{Endpoint: "udp/192.0.2.1:5684", Seen: 2, Looks: 2, Protocol: "dtls", Secured: evidence.Yes},
		{Endpoint: "udp/192.0.2.1:53", Looks: 2, Protocol: "unidentified"},
	}, s[0].Listeners)
}

func tries(outcome tlsserver.Outcome, n int) (list []tlsserver.Try) {
	for range n {
		list = append(list, tlsserver.Try{Outcome: outcome})
	}
	return list
}

func TestSurfaceOfTLS(t *testing.T) {
	good, bad := tlsserver.Try{Outcome: tlsserver.Accepted}, tlsserver.Try{Outcome: tlsserver.Silent}
	listener := func(after tlsserver.Try) tlsserver.Listener {
		return tlsserver.Listener{Addr: addr("192.0.2.1:443"), Before: good, After: after, Versions: []tlsserver.Version{
			{Name: "TLS 1.1", Tries: tries(tlsserver.Alerted, 2)},
			{Name: "TLS 1.2", Seen: 3, Tries: tries(tlsserver.Accepted, 2), Suites: []tlsserver.Suite{{Name: "TLS_A"}, {Name: "TLS_B"}}},
			{Name: "TLS 1.3", Seen: 1, Tries: tries(tlsserver.Silent, 1)},
		}}
	}
	for _, tt := range []struct {
		name    string
		after   tlsserver.Try
		refused evidence.Tri
	}{{"controls_held", good, evidence.No}, {"control_lost", bad, evidence.Unknown}} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, []result.Version{
				{Name: "TLS 1.1", Accepted: tt.refused}, {Name: "TLS 1.2", Accepted: evidence.Yes, Suites: []string{"TLS_A", "TLS_B"}}, {Name: "TLS 1.3"},
			}, versionsOf(listener(tt.after)))
		})
	}
}

func TestSurfaceOfDTLS(t *testing.T) {
	good := dtlsserver.Try{Outcome: dtlsserver.Accepted}
	offer := dtlsserver.Offer{Offered: 1, Suites: []tlsserver.Suite{{Name: "TLS_PSK"}}}
	l := dtlsserver.Listener{Before: good, After: good, Versions: []dtlsserver.Version{
		{Name: "DTLS 1.0", Offers: []dtlsserver.Offer{{}}}, {Name: "DTLS 1.2", Seen: 2, Offers: []dtlsserver.Offer{offer}}, {Name: "DTLS 1.3", Seen: 1},
	}}
	want := []result.Version{{Name: "DTLS 1.0", Accepted: evidence.No}, {Name: "DTLS 1.2", Accepted: evidence.Yes, Suites: []string{"TLS_PSK"}}, {Name: "DTLS 1.3"}}
	require.Equal(t, want, dtlsVersionsOf(l))
	l.Cut = dtlsserver.LostControl
	want[0].Accepted = evidence.Unknown
	require.Equal(t, want, dtlsVersionsOf(l))
}

// What brought nothing, or cannot be read, is left out and breaks nothing.
func TestSurfaceOfNothing(t *testing.T) {
	failed := evidence.Record{Unit: evidence.DUT, Probe: tcpports.Probe.Name, Version: 1, Status: evidence.Failed, Reason: msg.T("no route")}
	odd := evidence.Record{Unit: evidence.DUT, Probe: udpservices.Probe.Name, Version: 1, Status: evidence.Collected, Data: []byte(`{"x":1}`)}
	require.Empty(t, surfaces(evidence.Log{failed, odd}))
	require.Empty(t, surfaces(nil))
}
