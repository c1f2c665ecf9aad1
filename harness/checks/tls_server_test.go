package checks

import (
	"fmt"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/verdict"
)

// with decides a check with parameters.
func with(t *testing.T, c check.Check, w check.With, want verdict.Verdict, e tlsserver.Evidence) {
	t.Helper()
	d, defects := check.Judge(c, w, tlsRecords(t, e))
	if d.Verdict != want || len(defects) > 0 {
		t.Errorf("%s with %v = %s, want %s: %+v %v", c.ID, w, d.Verdict, want, d.Items, defects)
	}
}

func TestTLSServerVersionsCurrent(t *testing.T) {
	old := takenVersion(tlsserver.TLS10, aesCBC)
	oneFlight, oneTry, flaps := old, old, old
	oneFlight.Flights = 1
	oneTry.Seen, oneTry.Flights, oneTry.Tries = 1, 1, []tlsserver.Try{helloTaken, helloRefused, helloRefused}
	flaps.Tries = []tlsserver.Try{helloTaken, helloRefused, helloTaken}
	tests := []struct {
		name, says string
		l          tlsserver.Listener
		want       verdict.Verdict
	}{
		{"current", "refused every older version, between two ordinary hellos that it answered in TLS 1.2", soundListener(), verdict.Pass},
		{"tls12_only", "", overVersions(takenVersion(tlsserver.TLS12, aesGCM)), verdict.Pass},
		{"tls13_only", "", overVersions(takenVersion(tlsserver.TLS13, modern)), verdict.Pass},
		{"hangs_up_on_old_ones", "", overVersions(otherVersion(tlsserver.TLS10, helloCut, helloCut), takenVersion(tlsserver.TLS12, aesGCM)), verdict.Pass},
		{"answers_with_a_newer_one", "", overVersions(otherVersion(tlsserver.TLS10, helloOther, helloOther), takenVersion(tlsserver.TLS12, aesGCM)), verdict.Pass},
		{"tls10", "it chose TLS 1.0 and", overVersions(old, takenVersion(tlsserver.TLS12, aesGCM)), verdict.Fail},
		{"only_tls10", "it chose TLS 1.0 and", overVersions(old), verdict.Fail},
		{"ssl3_and_tls11", "it chose SSL 3.0, TLS 1.1 and", overVersions(takenVersion(tlsserver.SSL30, rc4), takenVersion(tlsserver.TLS11, aesCBC)), verdict.Fail},
		{"flaps", "it chose TLS 1.0", overVersions(flaps, takenVersion(tlsserver.TLS12, aesGCM)), verdict.Fail},
		{"once", "differently", overVersions(oneTry, takenVersion(tlsserver.TLS12, aesGCM)), verdict.Inconclusive},
		{"flight_broken_off", "TLS 1.0", overVersions(oneFlight, takenVersion(tlsserver.TLS12, aesGCM)), verdict.Inconclusive},
		{"silent_to_old_ones", "TLS 1.1", overVersions(otherVersion(tlsserver.TLS11, helloIgnored, helloIgnored), takenVersion(tlsserver.TLS12, aesGCM)), verdict.Inconclusive},
		{"refused_once_only", "TLS 1.1", overVersions(otherVersion(tlsserver.TLS11, helloRefused), takenVersion(tlsserver.TLS12, aesGCM)), verdict.Inconclusive},
		{"asked_nothing", "TLS 1.1", overVersions(otherVersion(tlsserver.TLS11), takenVersion(tlsserver.TLS12, aesGCM)), verdict.Inconclusive},
		{"takes_nothing", "no version was seen", overVersions(), verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := tlsRecords(t, tlsLook(tt.l))
			tlsVerdict(t, tlsServerVersionsCurrent, tt.want, tt.says, records...)
			onPart(t, tlsServerVersionsCurrent, tt.want, records[2], append(records[:2:2], records[3:]...)...)
			if tt.want == verdict.Fail { // a fail stands, whatever became of the controls
				tt.l.After, tt.l.Cut = helloIgnored, tlsserver.LostControl
				tlsVerdict(t, tlsServerVersionsCurrent, verdict.Fail, tt.says, tlsRecords(t, tlsLook(tt.l))...)
			}
		})
	}
	t.Run("parameters", func(t *testing.T) {
		with(t, tlsServerVersionsCurrent, check.With{"min": 1.3}, verdict.Fail, tlsLook(soundListener()))
		with(t, tlsServerVersionsCurrent, check.With{"min": "1.3"}, verdict.Pass, tlsLook(overVersions(takenVersion(tlsserver.TLS13, modern))))
		with(t, tlsServerVersionsCurrent, check.With{"min": "1.0"}, verdict.Pass, tlsLook(overVersions(old)))
		for _, bad := range []any{"1.4", "TLS 1.2", "", 2} {
			if tlsServerVersionsCurrent.Takes(check.With{"min": bad}) == nil {
				t.Errorf("min %v is accepted", bad)
			}
		}
	})
	t.Run("one_bad_listener", func(t *testing.T) {
		bad := overVersions(old)
		bad.Addr = odd
		tlsVerdict(t, tlsServerVersionsCurrent, verdict.Fail, "TLS 1.0", tlsRecords(t, tlsLook(soundListener(), bad))...)
	})
}

func TestTLSServerSuitesSound(t *testing.T) {
	suites := func(list ...tlsserver.Code) tlsserver.Listener {
		return overVersions(takenVersion(tlsserver.TLS12, list...))
	}
	once := func(list ...tlsserver.Code) tlsserver.Listener {
		l := suites(append(list, aesGCM)...)
		for i := range list {
			l.Versions[3].Suites[i].Seen = 1
		}
		return l
	}
	cut := func(list ...tlsserver.Code) tlsserver.Listener {
		l := suites(list...)
		l.Versions[3].Complete, l.Cut = evidence.Unknown, tlsserver.TooMany
		return l
	}
	half := suites(aesGCM)
	half.Versions[1] = otherVersion(tlsserver.TLS10, helloIgnored, helloIgnored)
	tests := []struct {
		name, says string
		l          tlsserver.Listener
		want       verdict.Verdict
	}{
		{"sound", "", soundListener(), verdict.Pass},
		{"short_tag", "", suites(shortTag), verdict.Pass},
		{"pre_shared_keys", "", suites(pskOnly, pskShort), verdict.Pass},
		{"static_rsa", "", suites(staticAES), verdict.Pass},
		{"cbc_is_an_advisory", "CBC mode or with a MAC of SHA-1: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA in TLS 1.2", suites(aesCBC, aesGCM), verdict.Pass},
		{"rc4", "TLS_RSA_WITH_RC4_128_SHA in TLS 1.2", suites(aesGCM, rc4), verdict.Fail},
		{"3des", "3DES", suites(aesGCM, tripleDES), verdict.Fail},
		{"null", "NULL", suites(noCipher), verdict.Fail},
		{"export", "EXPORT", suites(export40), verdict.Fail},
		{"export_des", "DES40", suites(export56), verdict.Fail},
		{"anonymous", "anon", suites(anonymous), verdict.Fail},
		{"in_ssl3_only", "in SSL 3.0", overVersions(takenVersion(tlsserver.SSL30, rc4), takenVersion(tlsserver.TLS12, aesGCM)), verdict.Fail},
		{"list_cut_short", "not complete", cut(aesGCM), verdict.Inconclusive},
		{"bad_one_on_a_short_list", "RC4", cut(aesGCM, rc4), verdict.Fail},
		{"a_version_not_settled", "not complete", half, verdict.Inconclusive},
		{"once", "in one exchange: TLS_RSA_WITH_NULL_SHA", once(noCipher), verdict.Inconclusive},
		{"two_with_one_flaw", "TLS_RSA_WITH_RC4_128_SHA in TLS 1.2, TLS_RSA_WITH_RC4_128_MD5", once(rc4, rc4MD5), verdict.Fail},
		{"two_flaws_once_each", "in one exchange", once(noCipher, tripleDES), verdict.Inconclusive},
		{"nothing", "not complete", overVersions(otherVersion(tlsserver.TLS12, helloIgnored)), verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := tlsRecords(t, tlsLook(tt.l))
			tlsVerdict(t, tlsServerSuitesSound, tt.want, tt.says, records...)
			onPart(t, tlsServerSuitesSound, tt.want, records[2], append(records[:2:2], records[3:]...)...)
		})
	}
	t.Run("parameters", func(t *testing.T) {
		with(t, tlsServerSuitesSound, check.With{"refuse": []string{"NULL"}}, verdict.Pass, tlsLook(suites(rc4)))
		with(t, tlsServerSuitesSound, check.With{"refuse": []string{"CBC"}}, verdict.Fail, tlsLook(suites(aesCBC)))
		with(t, tlsServerSuitesSound, check.With{"refuse": []string{"static-RSA", "CCM_8"}}, verdict.Fail, tlsLook(suites(shortTag)))
		if tlsServerSuitesSound.Takes(check.With{"refuse": []string{"WEAK"}}) == nil {
			t.Error("a trait that there is not is accepted")
		}
	})
	t.Run("long_list", func(t *testing.T) {
		many := []tlsserver.Code{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0a, 0x0b, 0x0c}
		tlsVerdict(t, tlsServerSuitesSound, verdict.Fail, fmt.Sprintf(", +%d", len(many)-maxSuites), tlsRecords(t, tlsLook(suites(many...)))...)
	})
}

func TestTLSForwardSecrecy(t *testing.T) {
	static := func(tries ...tlsserver.Try) tlsserver.Listener {
		l := overVersions(takenVersion(tlsserver.TLS12, staticAES))
		l.ForwardOnly = tries
		return l
	}
	cut := static(helloRefused, helloRefused)
	cut.Versions[3].Complete = evidence.Unknown
	anon := overVersions(takenVersion(tlsserver.TLS12, anonymous, staticAES))
	anon.ForwardOnly = []tlsserver.Try{helloRefused, helloCut}
	tests := []struct {
		name, says string
		l          tlsserver.Listener
		want       verdict.Verdict
	}{
		{"tls13", "it chose TLS_AES_128_GCM_SHA256 in TLS 1.3", overVersions(takenVersion(tlsserver.TLS13, modern)), verdict.Pass},
		{"ecdhe", "", overVersions(takenVersion(tlsserver.TLS12, aesGCM)), verdict.Pass},
		{"beside_static_rsa", "accepted as well, without forward secrecy: TLS_RSA_WITH_AES_128_GCM_SHA256", overVersions(takenVersion(tlsserver.TLS12, aesGCM, staticAES)), verdict.Pass},
		{"pre_shared_with_dhe", "", overVersions(takenVersion(tlsserver.TLS12, pskDHE)), verdict.Pass},
		{"pre_shared", "pre-shared keys", overVersions(takenVersion(tlsserver.TLS12, pskOnly)), verdict.NotApplicable},
		{"static_rsa", "none of them with forward secrecy", static(helloRefused, helloRefused), verdict.Fail},
		{"anonymous_is_none", "none of them", anon, verdict.Fail},
		{"taken_when_asked_alone", "differently", static(helloRefused, helloTaken), verdict.Inconclusive},
		{"asked_once", "differently", static(helloRefused), verdict.Inconclusive},
		{"silent_when_asked_alone", "differently", static(helloRefused, helloIgnored), verdict.Inconclusive},
		{"list_cut_short", "not complete", cut, verdict.Inconclusive},
		{"nothing", "not complete", overVersions(otherVersion(tlsserver.TLS12, helloIgnored)), verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := tlsRecords(t, tlsLook(tt.l))
			tlsVerdict(t, tlsForwardSecrecy, tt.want, tt.says, records...)
			onPart(t, tlsForwardSecrecy, tt.want, records[2], append(records[:2:2], records[3:]...)...)
		})
	}
}

func TestTLSHybridKeyExchangeOffered(t *testing.T) {
	groups := map[string]tlsserver.Code{"X25519MLKEM768": tlsserver.X25519MLKEM768, "SecP256r1MLKEM768": tlsserver.SecP256r1MLKEM768}
	took := func(name string) tlsserver.Try {
		return tlsserver.Try{Outcome: tlsserver.Accepted, Alert: -1, Group: groups[name]}
	}
	offers := func(first, second []tlsserver.Try) tlsserver.Listener {
		l := soundListener()
		for i, name := range []string{"X25519MLKEM768", "SecP256r1MLKEM768"} {
			if tries := [][]tlsserver.Try{first, second}[i]; tries != nil {
				l.Hybrids = append(l.Hybrids, tlsserver.Offer{Code: groups[name], Name: tlsserver.Name(name), Tries: tries})
			}
		}
		return l
	}
	no := []tlsserver.Try{helloRefused, helloRefused}
	tests := []struct {
		name, says string
		l          tlsserver.Listener
		want       verdict.Verdict
	}{
		{"first", "it chose X25519MLKEM768", offers([]tlsserver.Try{took("X25519MLKEM768")}, no), verdict.Pass},
		{"second", "it chose SecP256r1MLKEM768", offers(no, []tlsserver.Try{took("SecP256r1MLKEM768")}), verdict.Pass},
		{"none", "X25519MLKEM768, SecP256r1MLKEM768", offers(no, []tlsserver.Try{helloCut, helloRefused}), verdict.Fail},
		{"stalls", "not answered, or not sent: SecP256r1MLKEM768", offers(no, []tlsserver.Try{helloIgnored, helloIgnored}), verdict.Inconclusive},
		{"refused_once", "X25519MLKEM768", offers([]tlsserver.Try{helloRefused}, no), verdict.Inconclusive},
		{"one_not_tried", "SecP256r1MLKEM768", offers(no, nil), verdict.Inconclusive},
		{"none_tried", "X25519MLKEM768, SecP256r1MLKEM768", offers(nil, nil), verdict.Inconclusive},
		{"chose_another_group", "X25519MLKEM768", offers([]tlsserver.Try{{Outcome: tlsserver.Accepted, Group: 29}}, no), verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := tlsRecords(t, tlsLook(tt.l))
			tlsVerdict(t, tlsHybridKeyExchangeOffered, tt.want, tt.says, records...)
			onPart(t, tlsHybridKeyExchangeOffered, tt.want, records[2], append(records[:2:2], records[3:]...)...)
		})
	}
	t.Run("parameters", func(t *testing.T) {
		with(t, tlsHybridKeyExchangeOffered, check.With{"groups": []string{"SecP256r1MLKEM768"}}, verdict.Fail, tlsLook(offers([]tlsserver.Try{took("X25519MLKEM768")}, no)))
		with(t, tlsHybridKeyExchangeOffered, check.With{"groups": []string{"X25519Kyber768"}}, verdict.Inconclusive, tlsLook(offers(no, no)))
		with(t, tlsHybridKeyExchangeOffered, check.With{"groups": []string{}}, verdict.Inconclusive, tlsLook(offers(no, no)))
	})
}

// A broker inside TLS is a TLS listener like any helloOther.
func TestMQTTInsideTLSIsJudgedToo(t *testing.T) {
	l := overVersions(takenVersion(tlsserver.TLS10, aesCBC))
	l.Addr, l.Protocol = broker, "mqtt"
	item := tlsVerdict(t, tlsServerVersionsCurrent, verdict.Fail, "TLS 1.0", tlsRecords(t, tlsLook(l))...)
	if item.Endpoint != evidence.TCP(broker).Name {
		t.Errorf("endpoint = %q", item.Endpoint)
	}
}
