package checks

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/anchors"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/probes/dtlsserver"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/verdict"
)

// says fails the test unless a text holds a part.
func says(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("text %q lacks %q", text, part)
	}
}

func TestCoAPDTLSCertificateSound(t *testing.T) {
	served := func(change func(*tlsserver.Certificate), seen int) dtlsserver.Evidence {
		c := tlsserver.Certificate{
			Parsed: evidence.Yes, NotBefore: today.Add(-time.Hour), NotAfter: today.Add(time.Hour), SelfSigned: evidence.No,
			Key: tlsserver.Key{Kind: tlsserver.EC, Curve: "P-256", Bits: 256}, Signature: tlsserver.Signature{Hash: tlsserver.SHA256},
		}
		if change != nil {
			change(&c)
		}
		l := overDTLS12(func(l *dtlsserver.Listener) {
			l.Modes = []dtlsserver.Mode{{Kind: dtlsserver.Certificate, Seen: 3}}
			l.Chains = []tlsserver.Chain{{Places: []int{0}, Served: 1, Seen: seen}}
		}, dtlsOffer(dtlsserver.Certificate, dtlsSuites(1, 0xc0ae)...))
		return dtlsserver.Evidence{Listeners: []dtlsserver.Listener{l}, Certificates: []tlsserver.Certificate{c}}
	}
	expired := func(c *tlsserver.Certificate) { c.NotAfter = today.Add(-25 * time.Hour) }
	weak := func(c *tlsserver.Certificate) { c.Key = tlsserver.Key{Kind: tlsserver.RSA, Bits: 1024} }
	room := served(nil, 2)
	room.Listeners[0].Chains[0].Places = nil
	second := served(nil, 2)
	second.Certificates = append(second.Certificates, second.Certificates[0])
	second.Certificates[1].Signature.Hash = tlsserver.SHA1
	second.Listeners[0].Chains = append(second.Listeners[0].Chains, tlsserver.Chain{Places: []int{1}, Served: 1, Seen: 2})
	alone := func(change func(*dtlsserver.Listener)) dtlsserver.Evidence { return dtlsLook(pskDTLS(change)) }
	tests := []struct {
		name, says string
		e          dtlsserver.Evidence
		want       verdict.Verdict
	}{
		{"sound", "it holds from", served(nil, 2), verdict.Pass},
		{"expired", "and it was", served(expired, 2), verdict.Fail},
		{"expired_once", "and it was", served(expired, 1), verdict.Inconclusive},
		{"weak_key", "RSA of 1024 bits", served(weak, 2), verdict.Fail},
		{"md5", "signed with MD5", served(func(c *tlsserver.Certificate) { c.Signature.Hash = tlsserver.MD5 }, 2), verdict.Fail},
		{"second_chain", "signed with SHA-1", second, verdict.Fail},
		{"garbled", "cannot be read", served(func(c *tlsserver.Certificate) { c.Parsed = evidence.No }, 2), verdict.Inconclusive},
		{"no_room", "no room left", room, verdict.Inconclusive},
		{"psk", "but used: [psk]", alone(nil), verdict.NotApplicable},
		{"raw_public_key", "[raw-public-key]", alone(func(l *dtlsserver.Listener) { l.Modes[0].Kind = dtlsserver.RawKey7250 }), verdict.NotApplicable},
		{"not_enumerated", "", alone(func(l *dtlsserver.Listener) { l.Versions[1].Offers[0].Ends = nil }), verdict.Inconclusive},
		{"dtls_1_3", "DTLS 1.3 encrypts it", alone(func(l *dtlsserver.Listener) { l.Versions[2].Seen = 2 }), verdict.Inconclusive},
		{"no_mode_seen", "no certificate was seen", alone(func(l *dtlsserver.Listener) { l.Modes = nil }), verdict.Inconclusive},
		{"no_control", "took none", alone(func(l *dtlsserver.Listener) { l.Cut = dtlsserver.NoControl }), verdict.Inconclusive},
	}
	now := checktest.Record(t, clock.Probe, clock.Evidence{Time: today, Source: clock.Synchronised})
	none := checktest.Record(t, anchors.Probe, anchors.Evidence{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := append(dtlsRecords(t, tt.e), now, none)
			d, defects := check.Judge(coapDTLSCertificateSound, nil, records)
			if d.Verdict != tt.want || len(defects) > 0 {
				t.Errorf("verdict = %s, want %s: %+v %v", d.Verdict, tt.want, d.Items, defects)
			}
			complete(t, d)
			var all strings.Builder
			for _, i := range d.Items {
				all.WriteString(i.Why.String() + "\n")
			}
			says(t, all.String(), tt.says)
			onPart(t, coapDTLSCertificateSound, tt.want, records[0], records[1:]...)
		})
	}
	t.Run("parameters", func(t *testing.T) {
		records := append(dtlsRecords(t, served(expired, 2)), now, none)
		if d, _ := check.Judge(coapDTLSCertificateSound, check.With{"skew_h": 48}, records); d.Verdict != verdict.Pass {
			t.Errorf("verdict = %s: %+v", d.Verdict, d.Items)
		}
		records = append(dtlsRecords(t, served(weak, 2)), now, none)
		if d, _ := check.Judge(coapDTLSCertificateSound, check.With{"min_rsa_bits": 1024}, records); d.Verdict != verdict.Pass {
			t.Errorf("verdict = %s: %+v", d.Verdict, d.Items)
		}
	})
	withoutDTLS(t, coapDTLSCertificateSound, now, none)
}
