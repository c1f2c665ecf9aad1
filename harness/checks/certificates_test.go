package checks

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/anchors"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/verdict"
)

func digestOf(der []byte) evidence.Digest {
	sum := sha256.Sum256(der)
	return evidence.Digest(hex.EncodeToString(sum[:]))
}

func TestTLSCertificateInDate(t *testing.T) {
	ca := newAuthority(t, "Maker Root")
	const hour = time.Hour
	at := func(from, to time.Time) tlsserver.Evidence {
		return withChains(soundListener(), [][]byte{ca.issue(t, plan{names: []string{"device.example"}, from: from, to: to}).der})
	}
	around := func(from, to time.Duration) tlsserver.Evidence { return at(today.Add(from), today.Add(to)) }
	forever := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	by := func(s clock.Source, offset time.Duration) evidence.Record {
		return checktest.Record(t, clock.Probe, clock.Evidence{Time: today, Source: s, OffsetNS: offset.Nanoseconds()})
	}
	good, sync := around(-hour, hour), by(clock.Synchronised, 0)
	once := around(-99*hour, -30*hour)
	once.Listeners[0].Chains[0].Seen = 1
	garbled := around(-hour, hour)
	garbled.Certificates[0].Parsed = evidence.No
	empty := around(-hour, hour)
	empty.Listeners[0].Chains[0].Places = nil
	tests := []struct {
		name, says string
		e          tlsserver.Evidence
		clock      evidence.Record
		want       verdict.Verdict
	}{
		{"in_date", "it holds from 2030-06-01T11:00:00Z to 2030-06-01T13:00:00Z", good, sync, verdict.Pass},
		{"without_an_end", "9999-12-31", at(today.Add(-hour), forever), sync, verdict.Pass},
		{"ended_yesterday", "outside of that by 23h0m0s", around(-99*hour, -23*hour), sync, verdict.Pass},
		{"begins_tomorrow", "outside of that by 23h0m0s", around(23*hour, 99*hour), sync, verdict.Pass},
		{"expired", "and it was 2030-06-01T12:00:00Z", around(-99*hour, -25*hour), sync, verdict.Fail},
		{"not_yet", "and it was", around(25*hour, 99*hour), sync, verdict.Fail},
		{"ends_before_it_begins", "and it was", around(30*hour, 26*hour), sync, verdict.Fail},
		{"from_the_epoch", "had no clock", at(time.Unix(0, 0), forever), sync, verdict.Pass},
		{"by_an_unsynchronised_clock", "", good, by(clock.Unsynchronised, 0), verdict.Pass},
		{"by_an_unknown_clock", "how good the clock", good, by(clock.Unknown, 0), verdict.Inconclusive},
		{"expired_by_an_unknown_clock", "how good the clock", around(-99*hour, -50*hour), by(clock.Unknown, 0), verdict.Inconclusive},
		{"clock_may_be_off", "may be 3h0m0s off", around(-99*hour, -23*hour), by(clock.Stated, 3*hour), verdict.Inconclusive},
		{"clock_may_be_off_a_little", "outside of that", around(-99*hour, -20*hour), by(clock.Stated, 3*hour), verdict.Pass},
		{"expired_by_whatever_clock", "and it was", around(-99*hour, -50*hour), by(clock.Stated, 3*hour), verdict.Fail},
		{"expired_once", "one exchange only", once, sync, verdict.Inconclusive},
		{"not_understood", "cannot be read", garbled, sync, verdict.Inconclusive},
		{"no_room", "no room", empty, sync, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := tlsRecords(t, tt.e, tt.clock)
			tlsVerdict(t, tlsCertificateInDate, tt.want, tt.says, records...)
			onPart(t, tlsCertificateInDate, tt.want, records[2], append(records[:2:2], records[3:]...)...)
		})
	}
	d, defects := check.Judge(tlsCertificateInDate, check.With{"skew_h": 0}, tlsRecords(t, around(-99*hour, -hour)))
	if d.Verdict != verdict.Fail || len(defects) > 0 {
		t.Errorf("without tolerance: %s %v", d.Verdict, defects)
	}
}

// A listener may show several certificates: each is judged, under a key that
// stays the same from run to run.
func TestEveryChainIsJudged(t *testing.T) {
	ca := newAuthority(t, "Maker Root")
	fresh, stale := ca.issue(t, plan{names: []string{"a"}}).der, ca.issue(t, plan{names: []string{"b"}, from: today.AddDate(-2, 0, 0), to: today.AddDate(-1, 0, 0)}).der
	e := withChains(soundListener(), [][]byte{fresh}, [][]byte{stale}, [][]byte{stale, ca.der}, [][]byte{fresh, ca.der})
	l := &e.Listeners[0]
	shownFor(l, "", 0)
	shownFor(l, "b.example", 1)
	shownFor(l, "b.example", 2)
	d := checktest.Decide(t, tlsCertificateInDate, tlsRecords(t, e)...)
	sameVerdicts(t, d.Items, map[string]verdict.Verdict{"tcp/443": verdict.Pass, "tcp/443#b.example": verdict.Fail,
		"tcp/443#certificate 3": verdict.Fail, "tcp/443#certificate 4": verdict.Pass})
}

func TestTLSCertificateKeySound(t *testing.T) {
	key := func(bits int) *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := newAuthority(t, "Maker Root")
	served := func(p plan) tlsserver.Evidence {
		p.names = []string{"device.example"}
		return withChains(soundListener(), [][]byte{ca.issue(t, p).der, ca.der})
	}
	alone := withChains(soundListener(), [][]byte{ca.der})
	change := func(e tlsserver.Evidence, i int, f func(*tlsserver.Certificate)) tlsserver.Evidence {
		e.Certificates = slices.Clone(e.Certificates)
		f(&e.Certificates[i])
		return e
	}
	hash := func(h tlsserver.Hash) func(*tlsserver.Certificate) {
		return func(c *tlsserver.Certificate) { c.Signature.Hash = h }
	}
	kind := func(k tlsserver.KeyKind, bits int) func(*tlsserver.Certificate) {
		return func(c *tlsserver.Certificate) { c.Key = tlsserver.Key{Kind: k, Bits: bits} }
	}
	ec := served(plan{})
	once := change(ec, 0, hash(tlsserver.SHA1))
	once.Listeners = slices.Clone(once.Listeners)
	once.Listeners[0].Chains = []tlsserver.Chain{{Places: []int{0, 1}, Served: 2, Seen: 1}}
	long := withChains(soundListener(), [][]byte{ca.der})
	long.Listeners[0].Chains[0].Served = 2
	tests := []struct {
		name, says string
		e          tlsserver.Evidence
		anchors    anchors.Evidence
		want       verdict.Verdict
	}{
		{"p256", "EC P-256", ec, anchors.Evidence{}, verdict.Pass},
		{"rsa2048", "RSA of 2048 bits", served(plan{key: key(2048)}), anchors.Evidence{}, verdict.Pass},
		{"ed25519", "Ed25519", served(plan{key: edwards}), anchors.Evidence{}, verdict.Pass},
		{"ed448", "", change(ec, 0, kind(tlsserver.Ed448, 448)), anchors.Evidence{}, verdict.Pass},
		{"rsa1024", "certificate 1: RSA of 1024 bits, less than 2048", served(plan{key: key(1024)}), anchors.Evidence{}, verdict.Fail},
		{"p224", "certificate 1: EC P-224, less than 256", served(plan{key: small}), anchors.Evidence{}, verdict.Fail},
		{"sha1", "certificate 1: signed with SHA-1", change(ec, 0, hash(tlsserver.SHA1)), anchors.Evidence{}, verdict.Fail},
		{"md5", "certificate 1: signed with MD5", change(ec, 0, hash(tlsserver.MD5)), anchors.Evidence{}, verdict.Fail},
		{"own_signature_of_the_root", "", change(ec, 1, hash(tlsserver.SHA1)), anchors.Evidence{}, verdict.Pass},
		{"own_signature_not_verified", "", change(ec, 1, func(c *tlsserver.Certificate) { c.Signature.Hash, c.SelfSigned = tlsserver.MD5, evidence.Unknown }), anchors.Evidence{}, verdict.Pass},
		{"between_leaf_and_root", "certificate 2: signed with SHA-1", change(ec, 1, func(c *tlsserver.Certificate) { c.Signature.Hash, c.SelfSigned = tlsserver.SHA1, evidence.No }), anchors.Evidence{}, verdict.Fail},
		{"short_key_of_the_root", "certificate 2: RSA of 1024 bits", change(ec, 1, kind(tlsserver.RSA, 1024)), anchors.Evidence{}, verdict.Fail},
		{"signed_itself_and_no_anchor", "certificate 1: signed with SHA-1", change(alone, 0, hash(tlsserver.SHA1)), anchors.Evidence{}, verdict.Fail},
		{"signed_itself_and_anchor", "", change(alone, 0, hash(tlsserver.SHA1)), anchored(ca), verdict.Pass},
		{"signed_itself_and_pinned", "", change(alone, 0, hash(tlsserver.SHA1)), anchors.Evidence{Pins: []evidence.Digest{digestOf(ca.der)}}, verdict.Pass},
		{"dsa1024", "DSA of 1024 bits", change(ec, 0, kind(tlsserver.DSA, 1024)), anchors.Evidence{}, verdict.Fail},
		{"dsa2048", "not known here", change(ec, 0, kind(tlsserver.DSA, 2048)), anchors.Evidence{}, verdict.Inconclusive},
		{"unknown_key", "unknown kind", change(ec, 0, kind(tlsserver.Other, 0)), anchors.Evidence{}, verdict.Inconclusive},
		{"unknown_length", "unknown length", change(ec, 0, kind(tlsserver.RSA, 0)), anchors.Evidence{}, verdict.Inconclusive},
		{"unknown_hash", "not known here: certificate 1: signature 1.2.3", change(ec, 0, func(c *tlsserver.Certificate) {
			c.Signature = tlsserver.Signature{OID: "1.2.3", Hash: tlsserver.UnknownHash}
		}), anchors.Evidence{}, verdict.Inconclusive},
		{"more_than_was_read", "only 1 of 2", long, anchors.Evidence{}, verdict.Inconclusive},
		{"once", "one exchange only", once, anchors.Evidence{}, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := tlsRecords(t, tt.e, checktest.Record(t, anchors.Probe, tt.anchors))
			tlsVerdict(t, tlsCertificateKeySound, tt.want, tt.says, records...)
			onPart(t, tlsCertificateKeySound, tt.want, records[2], append(records[:2:2], records[3:]...)...)
		})
	}
	for _, tt := range []struct {
		w    check.With
		e    tlsserver.Evidence
		want verdict.Verdict
	}{
		{check.With{"min_rsa_bits": 1024}, served(plan{key: key(1024)}), verdict.Pass},
		{check.With{"min_ec_bits": 384}, ec, verdict.Fail},
	} {
		with(t, tlsCertificateKeySound, tt.w, tt.want, tt.e)
	}
}

func TestTLSCertificateTrusted(t *testing.T) {
	ca, public, stranger := newAuthority(t, "Maker Root"), newAuthority(t, "Public Root"), newAuthority(t, "Stranger")
	between := ca.issue(t, plan{subject: "Maker Issuing", ca: true})
	ended := ca.issue(t, plan{subject: "Ended Issuing", ca: true, from: today.AddDate(-5, 0, 0), to: today.AddDate(0, -1, 0)})
	names := []string{"device.example"}
	leaf, ofPublic, ofStranger := between.issue(t, plan{names: names}), public.issue(t, plan{names: names}), stranger.issue(t, plan{names: names})
	expired := between.issue(t, plan{names: names, from: today.AddDate(-1, 0, 0), to: today.AddDate(0, -2, 0)})
	older := between.issue(t, plan{names: names, from: today.AddDate(-9, 0, 0), to: today.AddDate(-8, 0, 0)})
	belowEnded := ended.issue(t, plan{names: names})
	alone := issued{}.issue(t, plan{names: names})
	roots := anchors.Roots{Name: "test roots", Date: today, Count: 1, DER: public.der, SHA256: digestOf(public.der)}
	nobody, maker := anchors.Evidence{Roots: roots}, anchored(ca)
	maker.Roots = roots
	pins := func(list ...issued) anchors.Evidence {
		e := anchors.Evidence{Roots: roots}
		for _, c := range list {
			e.Pins = append(e.Pins, digestOf(c.der))
		}
		return e
	}
	old := anchored(ca) // of a version that did not record public roots
	chain := func(list ...issued) tlsserver.Evidence {
		var ders [][]byte
		for _, c := range list {
			ders = append(ders, c.der)
		}
		return withChains(soundListener(), ders)
	}
	unproven, once, broken, sha1 := chain(leaf, between), chain(alone), chain(leaf, between), chain(leaf, stranger)
	unproven.Listeners[0].Chains[0].Proven = evidence.Unknown
	once.Listeners[0].Chains[0].Seen = 1
	broken.Certificates[1].DER = nil
	sha1.Certificates[0].Signature.Hash = tlsserver.SHA1
	cut := chain(leaf)
	cut.Listeners[0].Chains[0].Served = 3
	const withFile, noFile = evidence.Yes, evidence.No
	tests := []struct {
		name, says string
		e          tlsserver.Evidence
		anchors    anchors.Evidence
		file       evidence.Tri
		want       verdict.Verdict
	}{
		{"declared_authority", "declared", chain(leaf, between), maker, withFile, verdict.Pass},
		{"authority_served_too", "declared", chain(leaf, between, ca), maker, withFile, verdict.Pass},
		{"in_wrong_order", "declared", chain(leaf, ca, between), maker, withFile, verdict.Pass},
		{"public_root", "a public root of test roots", chain(ofPublic), nobody, noFile, verdict.Pass},
		{"public_root_beside_declared", "a public root", chain(ofPublic), maker, withFile, verdict.Pass},
		{"pinned", "fingerprint", chain(alone), pins(alone), withFile, verdict.Pass},
		{"pinned_authority", "fingerprint", chain(leaf, between), pins(between), withFile, verdict.Pass},
		{"anchor_itself", "declared", chain(ca), maker, withFile, verdict.Pass},
		{"begins_before_its_authority", "declared", chain(older, between), maker, withFile, verdict.Pass},
		{"expired_is_another_check", "declared", chain(expired, between), maker, withFile, verdict.Pass},
		{"pinned_but_other", "signed by itself", chain(alone), pins(leaf), withFile, verdict.Fail},
		{"signed_by_itself", "signed by itself", chain(alone), nobody, withFile, verdict.Fail},
		{"signed_by_itself_against_trust", "signed by itself", chain(alone), maker, noFile, verdict.Fail},
		{"unknown_authority", "it leads to CN=Stranger, which signed itself", chain(ofStranger, stranger), maker, withFile, verdict.Fail},
		{"intermediate_missing", "it leads to CN=Maker Issuing, which was not served", chain(leaf), maker, withFile, verdict.Fail},
		{"pinned_authority_that_did_not_sign", "CN=Stranger, which was not served", chain(ofStranger, between), pins(between), withFile, verdict.Fail},
		{"intermediate_ended", "above the server's own is not in date", chain(belowEnded, ended), maker, withFile, verdict.Fail},
		{"bare_address", "hold its SHA-256 " + string(digestOf(alone.der)), chain(alone), nobody, noFile, verdict.Inconclusive},
		{"no_public_roots_on_record", "did not record what was publicly trusted", chain(ofPublic), old, withFile, verdict.Inconclusive},
		{"declared_without_public_roots", "declared", chain(leaf, between), old, withFile, verdict.Pass},
		{"key_not_proven", "no handshake showed", unproven, maker, withFile, verdict.Inconclusive},
		{"once", "one exchange only", once, nobody, withFile, verdict.Inconclusive},
		{"unreadable", "cannot be read", broken, maker, withFile, verdict.Inconclusive},
		{"broken_hash_on_the_way", "broken hash", sha1, nobody, withFile, verdict.Inconclusive},
		{"more_than_was_read", "only 1 of 3", cut, maker, withFile, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := tlsRecords(t, tt.e, checktest.Record(t, anchors.Probe, tt.anchors), checktest.Record(t, declaration.Probe, declaration.Evidence{Given: tt.file}))
			tlsVerdict(t, tlsCertificateTrusted, tt.want, tt.says, records...)
		})
	}
	t.Run("clock_not_known", func(t *testing.T) {
		unknown := checktest.Record(t, clock.Probe, clock.Evidence{Time: today, Source: clock.Unknown})
		file := checktest.Record(t, declaration.Probe, declaration.Evidence{Given: evidence.Yes})
		trust := checktest.Record(t, anchors.Probe, maker)
		tlsVerdict(t, tlsCertificateTrusted, verdict.Inconclusive, "how good the clock", tlsRecords(t, chain(belowEnded, ended), trust, file, unknown)...)
		tlsVerdict(t, tlsCertificateTrusted, verdict.Pass, "", tlsRecords(t, chain(leaf, between), trust, file, unknown)...)
	})
}

func TestTLSCertificateIdentityMatches(t *testing.T) {
	ca := newAuthority(t, "Maker Root")
	of := func(p plan, asked ...tlsserver.Name) tlsserver.Evidence {
		e := withChains(soundListener(), [][]byte{ca.issue(t, p).der})
		for _, n := range append([]tlsserver.Name{""}, asked...) {
			shownFor(&e.Listeners[0], n, 0)
		}
		return e
	}
	const dns = "device.example"
	many := of(plan{names: []string{"a.example"}}, dns)
	many.Certificates[0].NamesInAll = 500
	once, unproven := of(plan{names: []string{"x.example"}}, dns), of(plan{names: []string{dns}}, dns)
	once.Listeners[0].Chains[0].Seen = 1
	unproven.Listeners[0].Chains[0].Proven = evidence.No
	bySNI := withChains(soundListener(), [][]byte{ca.issue(t, plan{names: []string{"other.example"}}).der}, [][]byte{ca.issue(t, plan{names: []string{dns}}).der})
	shownFor(&bySNI.Listeners[0], "", 0)
	shownFor(&bySNI.Listeners[0], dns, 1)
	commonName := of(plan{subject: dns, names: []string{"x.example"}}, dns)
	pinned := of(plan{names: []string{"x.example"}}, dns)
	pin := anchors.Evidence{Pins: []evidence.Digest{pinned.Certificates[0].SHA256}}
	none := anchors.Evidence{}
	tests := []struct {
		name, says string
		e          tlsserver.Evidence
		declared   []declaration.Text
		anchors    anchors.Evidence
		want       verdict.Verdict
	}{
		{"name", "for the declared device.example", of(plan{names: []string{dns}}, dns), []declaration.Text{dns}, none, verdict.Pass},
		{"in_capitals_and_with_a_dot", "", of(plan{names: []string{"DEVICE.example"}}, "device.example."), []declaration.Text{"device.example."}, none, verdict.Pass},
		{"wildcard", "", of(plan{names: []string{"*.example"}}, dns), []declaration.Text{dns}, none, verdict.Pass},
		{"wildcard_over_two_labels", "not for the declared a.b.example", of(plan{names: []string{"*.example"}}, "a.b.example"), []declaration.Text{"a.b.example"}, none, verdict.Fail},
		{"other_name", "not for the declared device.example", of(plan{names: []string{"x.example"}}, dns), []declaration.Text{dns}, none, verdict.Fail},
		{"common_name_does_not_count", "not for", commonName, []declaration.Text{dns}, none, verdict.Fail},
		{"address_does_not_make_up_for_a_name", "not for", of(plan{names: []string{"x"}, addrs: []string{"192.0.2.1"}}, dns), []declaration.Text{dns}, none, verdict.Fail},
		{"one_name_of_two", "for the declared b.example", of(plan{names: []string{dns}}, dns, "b.example"), []declaration.Text{dns, "b.example"}, none, verdict.Fail},
		{"declared_address", "", of(plan{addrs: []string{"192.0.2.1"}}), []declaration.Text{"192.0.2.1"}, none, verdict.Pass},
		{"by_server_name", "", bySNI, []declaration.Text{dns}, none, verdict.Pass},
		{"pinned", "or pinned", pinned, []declaration.Text{dns}, pin, verdict.Pass},
		{"pinned_without_name", "or pinned", pinned, nil, pin, verdict.Pass},
		{"address_dialled", "for the address 192.0.2.1", of(plan{addrs: []string{"192.0.2.1"}}), nil, none, verdict.Pass},
		{"bare_address", "declare under server_names", of(plan{names: []string{dns}}), nil, none, verdict.Inconclusive},
		{"another_address", "declare under server_names", of(plan{addrs: []string{"192.0.2.2"}}), nil, none, verdict.Inconclusive},
		{"never_asked_for_the_name", "no certificate was seen twice", of(plan{names: []string{"x.example"}}), []declaration.Text{dns}, none, verdict.Inconclusive},
		{"once", "no certificate was seen twice", once, []declaration.Text{dns}, none, verdict.Inconclusive},
		{"more_names_than_were_read", "read to its end", many, []declaration.Text{dns}, none, verdict.Inconclusive},
		{"key_not_proven", "no handshake showed", unproven, []declaration.Text{dns}, none, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := tlsRecords(t, tt.e, checktest.Record(t, anchors.Probe, tt.anchors), checktest.Record(t, declaration.Probe, declared(named443(tt.declared...))))
			tlsVerdict(t, tlsCertificateIdentityMatches, tt.want, tt.says, records...)
			onPart(t, tlsCertificateIdentityMatches, tt.want, records[2], append(records[:2:2], records[3:]...)...)
		})
	}
}

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"a.example", "a.example", true}, {"A.Example.", "a.example", true}, {"a.example", "b.example", false},
		{"*.example", "a.example", true}, {"*.example", "example", false}, {"*.example", "a.b.example", false},
		{"a.*.example", "a.b.example", false}, {"f*.example", "foo.example", false}, {"*", "device", false},
		{"", "", false}, {".", ".", false}, {"*.example", ".example", false}, {"*.", "a.", false},
	} {
		if got := covers(tt.pattern, tt.name); got != tt.want {
			t.Errorf("%q covers %q: %t", tt.pattern, tt.name, got)
		}
	}
}
