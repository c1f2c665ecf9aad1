package checks

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/anchors"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/verdict"
)

var (
	https = netip.AddrPortFrom(host, 443)
	// today is when the runs of these tests began.
	today = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)
)

// Outcomes of hellos.
var (
	helloTaken   = tlsserver.Try{Outcome: tlsserver.Accepted, Alert: -1, Flight: evidence.Yes}
	helloRefused = tlsserver.Try{Outcome: tlsserver.Alerted, Alert: 70}
	helloCut     = tlsserver.Try{Outcome: tlsserver.Closed, Alert: -1}
	helloIgnored = tlsserver.Try{Outcome: tlsserver.Silent, Alert: -1}
	helloOther   = tlsserver.Try{Outcome: tlsserver.NotOffered, Alert: -1}
	helloUnsent  = tlsserver.Try{Outcome: tlsserver.NotTried, Alert: -1}
)

// The suites of these tests.
const (
	aesGCM    tlsserver.Code = 0xc02f // TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	aesCBC    tlsserver.Code = 0xc013 // TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
	staticAES tlsserver.Code = 0x009c // TLS_RSA_WITH_AES_128_GCM_SHA256
	rc4       tlsserver.Code = 0x0005 // TLS_RSA_WITH_RC4_128_SHA
	rc4MD5    tlsserver.Code = 0x0004 // TLS_RSA_WITH_RC4_128_MD5
	tripleDES tlsserver.Code = 0x000a // TLS_RSA_WITH_3DES_EDE_CBC_SHA
	noCipher  tlsserver.Code = 0x0002 // TLS_RSA_WITH_NULL_SHA
	export40  tlsserver.Code = 0x0003 // TLS_RSA_EXPORT_WITH_RC4_40_MD5
	export56  tlsserver.Code = 0x0008 // TLS_RSA_EXPORT_WITH_DES40_CBC_SHA
	anonymous tlsserver.Code = 0x0034 // TLS_DH_anon_WITH_AES_128_CBC_SHA
	pskOnly   tlsserver.Code = 0x00a8 // TLS_PSK_WITH_AES_128_GCM_SHA256
	pskShort  tlsserver.Code = 0xc0a8 // TLS_PSK_WITH_AES_128_CCM_8
	pskDHE    tlsserver.Code = 0xc0a6 // TLS_DHE_PSK_WITH_AES_128_CCM
	shortTag  tlsserver.Code = 0xc0ae // TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8
	modern    tlsserver.Code = 0x1301 // TLS_AES_128_GCM_SHA256
)

// names of the versions, the oldest first.
var tlsNames = []tlsserver.Name{"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"}

// takenVersion is one that was taken, with its suites, each chosen twice.
func takenVersion(code tlsserver.Code, list ...tlsserver.Code) tlsserver.Version {
	v := tlsserver.Version{Code: code, Name: tlsNames[code-tlsserver.SSL30], Tries: []tlsserver.Try{helloTaken, helloTaken}, Seen: 2, Flights: 2,
		Ends: []tlsserver.Try{helloRefused}, Complete: evidence.Yes, Chooser: tlsserver.ByServer}
	if code == tlsserver.TLS13 {
		v.Flights = 0 // it is encrypted
	}
	for _, c := range list {
		s := tlsserver.SuiteOf(c)
		s.Seen = 2
		v.Suites = append(v.Suites, s)
	}
	return v
}

// otherVersion is one that was not taken.
func otherVersion(code tlsserver.Code, tries ...tlsserver.Try) tlsserver.Version {
	return tlsserver.Version{Code: code, Name: tlsNames[code-tlsserver.SSL30], Tries: tries, Complete: evidence.No, Chooser: tlsserver.NobodyKnown}
}

// overVersions is a listener that takes these versions and turns all others
// away.
func overVersions(list ...tlsserver.Version) tlsserver.Listener {
	l := tlsserver.Listener{Addr: https, Protocol: services.HTTP, Begins: tlsserver.AtOnce, Before: helloTaken, After: helloTaken, Compression: helloRefused}
	for code := tlsserver.SSL30; code <= tlsserver.TLS13; code++ {
		l.Versions = append(l.Versions, otherVersion(code, helloRefused, helloRefused))
	}
	for _, v := range list {
		l.Versions[v.Code-tlsserver.SSL30] = v
	}
	l.Before.Version = tlsserver.TLS12
	return l
}

// soundListener takes TLS 1.2 and 1.3 with good suites.
func soundListener() tlsserver.Listener {
	return overVersions(takenVersion(tlsserver.TLS12, aesGCM), takenVersion(tlsserver.TLS13, modern))
}

// tlsLook is the evidence of a run on listeners.
func tlsLook(listeners ...tlsserver.Listener) tlsserver.Evidence {
	return tlsserver.Evidence{Listeners: listeners}
}

// tlsRecords are all that checks of TLS may need: a whole surface of the
// listeners, what tls-server saw, and helloIgnored declared but what is given.
func tlsRecords(t *testing.T, e tlsserver.Evidence, more ...evidence.Record) []evidence.Record {
	t.Helper()
	var open []netip.AddrPort
	var spoke []services.Service
	for _, l := range e.Listeners {
		open = append(open, l.Addr)
		spoke = append(spoke, inside(speaks(l.Addr, l.Protocol, 2)))
	}
	all := []evidence.Record{
		checktest.Record(t, tcpports.Probe, surface(open...)), checktest.Record(t, services.Probe, services.Evidence{Services: spoke}),
		checktest.Record(t, tlsserver.Probe, e), checktest.Record(t, clock.Probe, clock.Evidence{Time: today, Source: clock.Synchronised}),
		checktest.Record(t, anchors.Probe, anchors.Evidence{}), checktest.Record(t, declaration.Probe, declaration.Evidence{Given: evidence.No}),
	}
	for _, r := range more {
		all = slices.DeleteFunc(all, func(have evidence.Record) bool { return have.Probe == r.Probe })
		all = append(all, r)
	}
	return all
}

// tlsVerdict decides a check on a run and looks at the verdict and the words.
func tlsVerdict(t *testing.T, c check.Check, want verdict.Verdict, says string, records ...evidence.Record) check.Item {
	t.Helper()
	d := checktest.Decide(t, c, records...)
	complete(t, d)
	if d.Verdict != want {
		t.Errorf("%s: verdict = %s, want %s: %+v", c.ID, d.Verdict, want, d.Items)
	}
	i := slices.IndexFunc(d.Items, func(i check.Item) bool { return i.Verdict == want })
	if i < 0 {
		return d.Items[0]
	}
	if text := d.Items[i].Why.String() + " " + d.Items[i].Next.String() + " " + d.Items[i].Advisory.String(); !strings.Contains(text, says) {
		t.Errorf("%s: %q does not say %q", c.ID, text, says)
	}
	return d.Items[i]
}

// tlsChecks are all checks of TLS servers that pass on a sound listener.
func tlsChecks() map[string]check.Check {
	return map[string]check.Check{
		"versions": tlsServerVersionsCurrent, "suites": tlsServerSuitesSound, "secrecy": tlsForwardSecrecy, "hybrid": tlsHybridKeyExchangeOffered,
		"date": tlsCertificateInDate, "key": tlsCertificateKeySound, "trusted": tlsCertificateTrusted, "identity": tlsCertificateIdentityMatches,
	}
}

// soundRun is a device that passes all of them.
func soundRun(t *testing.T) (tlsserver.Evidence, []evidence.Record) {
	t.Helper()
	ca := newAuthority(t, "Maker Root")
	leaf := ca.issue(t, plan{names: []string{"device.example"}})
	l := soundListener()
	l.Hybrids = []tlsserver.Offer{{Code: tlsserver.X25519MLKEM768, Name: "X25519MLKEM768", Tries: []tlsserver.Try{{Outcome: tlsserver.Accepted, Group: tlsserver.X25519MLKEM768}}}}
	e := withChains(l, [][]byte{leaf.der, ca.der})
	shownFor(&e.Listeners[0], "device.example", 0)
	return e, []evidence.Record{
		checktest.Record(t, anchors.Probe, anchored(ca)),
		checktest.Record(t, declaration.Probe, declared(named443("device.example"))),
	}
}

// named443 is a declared service on the port of the tests.
func named443(names ...declaration.Text) declaration.Service {
	s := row("web", "http", https.Port())
	s.ServerNames = names
	return s
}

func TestRule5TLSSurface(t *testing.T) {
	e, more := soundRun(t)
	sound := tlsRecords(t, e, more...)
	with := func(replace ...evidence.Record) []evidence.Record {
		return tlsRecords(t, e, append(more, replace...)...)
	}
	spoken := inside(speaks(https, services.HTTP, 2))
	for name, c := range tlsChecks() {
		t.Run(name, func(t *testing.T) {
			tlsVerdict(t, c, verdict.Pass, "", sound...)
			// What nobody understood inside TLS is no gap, for TLS was looked at.
			tlsVerdict(t, c, verdict.Pass, "", with(checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{inside(speaks(https, services.OtherTLS, 2))}}))...)
			tlsVerdict(t, c, verdict.Inconclusive, "not settled: 1", with(checktest.Record(t, tcpports.Probe, short(https)))...)
			tlsVerdict(t, c, verdict.Inconclusive, "twice: 192.0.2.1:2323", with(checktest.Record(t, tcpports.Probe, surface(https, odd)),
				checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{spoken, speaks(odd, services.Unidentified, 0)}}))...)
			tlsVerdict(t, c, verdict.Inconclusive, "not looked into", with(checktest.Record(t, tcpports.Probe, surface(https, odd)),
				checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{spoken, inside(speaks(odd, services.MQTT, 2))}}))...)
			tlsVerdict(t, c, verdict.NotApplicable, "no TCP port spoke TLS", tlsRecords(t, tlsserver.Evidence{}, more...)...)
			tlsVerdict(t, c, verdict.NotApplicable, "no TCP port spoke TLS", with(checktest.Record(t, tcpports.Probe, ofHost(https)))...)
			onPart(t, c, verdict.Pass, sound[2], append(slices.Clone(sound[:2]), sound[3:]...)...)
			for i := range sound {
				if needed(c, sound[i].Probe) {
					tlsVerdict(t, c, verdict.Inconclusive, "", append(slices.Clone(sound[:i]), sound[i+1:]...)...)
				}
			}
		})
	}
}

// needed reports whether a check cannot do without a probe.
func needed(c check.Check, probe string) bool {
	for _, p := range c.Needs {
		if p.Info().Name == probe {
			return true
		}
	}
	return false
}

// Nothing that was not answered is ever a pass, whatever else was seen.
func TestRule3TLSRefusalsCountBetweenTwoControls(t *testing.T) {
	e, more := soundRun(t)
	tests := []struct {
		name, says string
		change     func(*tlsserver.Listener)
	}{
		{"never_answered", "no ordinary hello was answered", func(l *tlsserver.Listener) {
			*l = tlsserver.Listener{Addr: https, Protocol: services.HTTP, Before: helloIgnored, After: helloUnsent, Compression: helloUnsent, Cut: tlsserver.NoControl}
		}},
		{"went_silent", "stopped answering", func(l *tlsserver.Listener) {
			l.Cut, l.After, l.Chains, l.Hybrids = tlsserver.WentSilent, helloUnsent, nil, nil
			l.Versions = overVersions(otherVersion(tlsserver.TLS12, helloIgnored, helloIgnored), otherVersion(tlsserver.TLS13, helloIgnored, helloIgnored)).Versions
		}},
		{"lost_at_the_end", "not answered any more at the end", func(l *tlsserver.Listener) {
			l.Cut, l.After, l.Chains, l.Hybrids = tlsserver.LostControl, helloCut, nil, nil
			l.Versions = overVersions(takenVersion(tlsserver.TLS12, staticAES)).Versions
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := e.Listeners[0]
			tt.change(&l)
			for name, c := range tlsChecks() {
				t.Run(name, func(t *testing.T) {
					tlsVerdict(t, c, verdict.Inconclusive, tt.says, tlsRecords(t, tlsserver.Evidence{Listeners: []tlsserver.Listener{l}, Certificates: e.Certificates}, more...)...)
				})
			}
		})
	}
}

// A server that knows pre-shared keys alone shows no certificate, and one without
// any authentication cannot be judged by what it does not show.
func TestListenersWithoutCertificates(t *testing.T) {
	_, more := soundRun(t)
	for name, c := range tlsChecks() {
		if !strings.HasPrefix(c.ID, "tls.certificate-") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			tlsVerdict(t, c, verdict.NotApplicable, "pre-shared keys", tlsRecords(t, tlsLook(overVersions(takenVersion(tlsserver.TLS12, pskOnly, pskShort))), more...)...)
			tlsVerdict(t, c, verdict.Inconclusive, "without a certificate: TLS_DH_anon", tlsRecords(t, tlsLook(overVersions(takenVersion(tlsserver.TLS12, anonymous))), more...)...)
			tlsVerdict(t, c, verdict.Inconclusive, "no certificate was seen", tlsRecords(t, tlsLook(soundListener()), more...)...)
		})
	}
}
