package checks

import (
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/verdict"
)

var (
	coaps     = netip.MustParseAddrPort("192.0.2.1:5684")
	tookHello = dtlsserver.Try{Outcome: dtlsserver.Accepted, Alert: -1, Rounds: 1}
	alerted   = dtlsserver.Try{Outcome: dtlsserver.Alerted, Alert: 40, Rounds: 1}
	unheard   = dtlsserver.Try{Outcome: dtlsserver.Silent, Alert: -1, Rounds: 3, Controls: dtlsserver.Controls{Asked: 2, Answered: 2}}
)

// dtlsSuites are what an offer took, each in some exchanges.
func dtlsSuites(seen int, codes ...tlsserver.Code) []tlsserver.Suite {
	var all []tlsserver.Suite
	for _, c := range codes {
		s := tlsserver.SuiteOf(c)
		s.Seen = seen
		all = append(all, s)
	}
	return all
}

// dtlsOffer is an offer of which some suites were taken, and the rest refused.
func dtlsOffer(k dtlsserver.Kind, taken ...tlsserver.Suite) dtlsserver.Offer {
	return dtlsserver.Offer{Kind: k, Offered: 60, Suites: taken, Ends: []dtlsserver.Try{alerted, alerted}}
}

// overDTLS12 is a sound listener that takes an offer of 1.2, changed by change.
func overDTLS12(change func(*dtlsserver.Listener), offers ...dtlsserver.Offer) dtlsserver.Listener {
	l := dtlsserver.Listener{
		Addr: coaps, Before: tookHello, After: tookHello, Modes: []dtlsserver.Mode{{Kind: dtlsserver.PSK, Seen: 4}},
		Versions: []dtlsserver.Version{
			{Code: dtlsserver.DTLS10, Name: "DTLS 1.0", Offers: []dtlsserver.Offer{dtlsOffer(dtlsserver.PSK), dtlsOffer(dtlsserver.Doubtful)}},
			{Code: dtlsserver.DTLS12, Name: "DTLS 1.2", Seen: 4, Offers: append([]dtlsserver.Offer{dtlsOffer(dtlsserver.Doubtful)}, offers...)},
			{Code: dtlsserver.DTLS13, Name: "DTLS 1.3", Offers: []dtlsserver.Offer{dtlsOffer(dtlsserver.Modern)}},
		},
	}
	if change != nil {
		change(&l)
	}
	return l
}

// pskDTLS is a listener that takes CCM_8 by a pre-shared key.
func pskDTLS(change func(*dtlsserver.Listener)) dtlsserver.Listener {
	return overDTLS12(change, dtlsOffer(dtlsserver.PSK, dtlsSuites(1, 0xc0a8)...))
}

// dtlsRecords are the records of listeners that udp-services found as well.
func dtlsRecords(t *testing.T, e dtlsserver.Evidence) []evidence.Record {
	t.Helper()
	var udp udpservices.Evidence
	for _, l := range e.Listeners {
		udp.Endpoints = append(udp.Endpoints, udpservices.Endpoint{Addr: l.Addr, Protocol: udpservices.DTLS, State: udpservices.Answered})
	}
	return []evidence.Record{
		checktest.Record(t, dtlsserver.Probe, e), checktest.Record(t, udpservices.Probe, udp), checktest.Record(t, tcpports.Probe, surface()),
	}
}

func dtlsLook(l ...dtlsserver.Listener) dtlsserver.Evidence { return dtlsserver.Evidence{Listeners: l} }

// withoutDTLS expects what a check says where no DTLS is spoken.
func withoutDTLS(t *testing.T, c check.Check, more ...evidence.Record) {
	t.Helper()
	ports := checktest.Record(t, tcpports.Probe, surface())
	none := checktest.Record(t, dtlsserver.Probe, dtlsserver.Evidence{})
	endpoint := func(p udpservices.Protocol, s udpservices.State) evidence.Record {
		return checktest.Record(t, udpservices.Probe, udpservices.Evidence{Endpoints: []udpservices.Endpoint{{Addr: coaps, Protocol: p, State: s}}})
	}
	for name, tt := range map[string]struct {
		udp  evidence.Record
		want verdict.Verdict
	}{
		"closed":         {endpoint(udpservices.Unidentified, udpservices.Closed), verdict.NotApplicable},
		"plain_coap":     {endpoint(udpservices.CoAP, udpservices.Answered), verdict.NotApplicable},
		"silent":         {endpoint(udpservices.Unidentified, udpservices.Silent), verdict.Inconclusive},
		"unknown":        {endpoint(udpservices.Unidentified, udpservices.Answered), verdict.Inconclusive},
		"not_looked_at":  {endpoint(udpservices.DTLS, udpservices.Answered), verdict.Inconclusive},
		"nothing_asked":  {checktest.Record(t, udpservices.Probe, udpservices.Evidence{}), verdict.Inconclusive},
		"part_of_closed": {checktest.Partial(endpoint(udpservices.Unidentified, udpservices.Closed), "udp/192.0.2.1:5683"), verdict.Inconclusive},
	} {
		t.Run("no_dtls_"+name, func(t *testing.T) {
			decided(t, c, tt.want, append([]evidence.Record{none, tt.udp, ports}, more...)...)
		})
	}
	t.Run("of_the_host", func(t *testing.T) {
		records := dtlsRecords(t, dtlsLook(pskDTLS(nil)))
		records[2] = checktest.Record(t, tcpports.Probe, tcpports.Evidence{Host: []netip.AddrPort{coaps}})
		if d := checktest.Decide(t, c, append(records, more...)...); d.Verdict != verdict.NotApplicable {
			t.Errorf("verdict = %s: %+v", d.Verdict, d.Items)
		}
	})
}

func TestCoAPDTLSParametersSound(t *testing.T) {
	set := func(change func(*dtlsserver.Listener)) dtlsserver.Listener { return pskDTLS(change) }
	ends := func(version, offer int, all ...dtlsserver.Try) dtlsserver.Listener {
		return set(func(l *dtlsserver.Listener) { l.Versions[version].Offers[offer].Ends = all })
	}
	old := func(seen int) dtlsserver.Listener {
		return set(func(l *dtlsserver.Listener) {
			l.Versions[0].Seen = seen
			l.Versions[0].Offers[0].Suites = dtlsSuites(seen, 0x008c)
		})
	}
	weak := func(seen int, codes ...tlsserver.Code) dtlsserver.Listener {
		return set(func(l *dtlsserver.Listener) { l.Versions[1].Offers[0].Suites = dtlsSuites(seen, codes...) })
	}
	lossy, twoRounds := unheard, unheard
	lossy.Controls.Answered, twoRounds.Rounds = 1, 2
	loop, older, half := unheard, alerted, alerted
	loop.Outcome, older.Outcome, half.Outcome = dtlsserver.CookieLoop, dtlsserver.Older, dtlsserver.HalfFlight
	tests := []struct {
		name, says, advice string
		l                  dtlsserver.Listener
		want               verdict.Verdict
	}{
		{"ccm_8_is_sound", "it took 1 suites of DTLS 1.2", "", pskDTLS(nil), verdict.Pass},
		{"cbc", "it took 2 suites", "TLS_PSK_WITH_AES_128_CBC_SHA256 in DTLS 1.2", overDTLS12(nil, dtlsOffer(dtlsserver.PSK, dtlsSuites(1, 0xc0a8, 0x00ae)...)), verdict.Pass},
		{"static_rsa", "", "TLS_RSA_WITH_AES_128_GCM_SHA256", overDTLS12(nil, dtlsOffer(dtlsserver.Certificate, dtlsSuites(1, 0x009c)...)), verdict.Pass},
		{"rest_not_answered", "", "", ends(0, 1, unheard), verdict.Pass},
		{"rest_met_by_more_cookies", "", "", ends(0, 1, loop), verdict.Pass},
		{"dtls_1_0", "it chose DTLS 1.0 in 2 exchanges", "", old(2), verdict.Fail},
		{"dtls_1_0_once", "it chose DTLS 1.0 in one exchange", "", old(1), verdict.Inconclusive},
		{"null", "TLS_PSK_WITH_NULL_SHA256", "", weak(2, 0x00b0), verdict.Fail},
		{"anonymous", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", "", weak(2, 0xc018), verdict.Fail},
		{"export", "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", "", weak(2, 0x0008), verdict.Fail},
		{"rc4", "TLS_RSA_WITH_RC4_128_SHA", "", weak(2, 0x0005), verdict.Fail},
		{"null_once", "in one exchange: TLS_PSK_WITH_NULL_SHA256", "", weak(1, 0x00b0), verdict.Inconclusive},
		{"null_in_1_0", "DTLS 1.0, and these suites", "", func() dtlsserver.Listener {
			l := old(3)
			l.Versions[0].Offers[1].Suites = dtlsSuites(2, 0x00b0)
			return l
		}(), verdict.Fail},
		{"one_alert_only", "DTLS 1.0 psk: alert", "", ends(0, 0, alerted), verdict.Inconclusive},
		{"controls_lost", "DTLS 1.0 doubtful: silent", "", ends(0, 1, lossy), verdict.Inconclusive},
		{"two_rounds_only", "", "", ends(0, 1, twoRounds), verdict.Inconclusive},
		{"half_a_flight", "DTLS 1.2 doubtful: half_flight", "", ends(1, 0, half, half), verdict.Inconclusive},
		{"flaps", "", "", ends(1, 0, alerted, tookHello), verdict.Inconclusive},
		{"not_asked", "", "", ends(1, 0), verdict.Inconclusive},
		{"answers_an_older_one", "", "", ends(1, 0, older, older), verdict.Pass},
		{"control_lost", "the control hello was not taken", "", set(func(l *dtlsserver.Listener) { l.After = unheard }), verdict.Inconclusive},
		{"no_control", "took none of the hellos", "", set(func(l *dtlsserver.Listener) { l.Cut, l.Versions = dtlsserver.NoControl, nil }), verdict.Inconclusive},
		{"too_many", "so many suites", "", set(func(l *dtlsserver.Listener) { l.Cut = dtlsserver.TooMany }), verdict.Inconclusive},
		{"too_slow", "broken off (too_slow)", "", set(func(l *dtlsserver.Listener) { l.Cut = dtlsserver.TooSlow }), verdict.Inconclusive},
		{"nothing", "", "", dtlsserver.Listener{Addr: coaps}, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := dtlsRecords(t, dtlsLook(tt.l))
			d := decided(t, coapDTLSParametersSound, tt.want, records...)
			says(t, d.Items[0].Why.String(), tt.says)
			says(t, d.Items[0].Advisory.String(), tt.advice)
			onPart(t, coapDTLSParametersSound, tt.want, records[0], records[1:]...)
			if tt.want == verdict.Fail { // a fail stands, whatever became of the controls
				tt.l.After, tt.l.Cut = unheard, dtlsserver.LostControl
				decided(t, coapDTLSParametersSound, verdict.Fail, dtlsRecords(t, dtlsLook(tt.l))...)
			}
		})
	}
	withoutDTLS(t, coapDTLSParametersSound)
}
