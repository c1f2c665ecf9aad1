package tlsserver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assay-iot/assay/harness/evidence"
)

func tries(all ...Outcome) (made []Try) {
	for _, o := range all {
		made = append(made, Try{Outcome: o, Alert: -1, Group: X25519MLKEM768})
	}
	return made
}

func TestAccepts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		seen  int
		tries []Try
		want  evidence.Tri
	}{
		{"twice", 2, tries(Accepted, Accepted), yes},
		{"once", 1, tries(Accepted), evidence.Unknown},
		{"refused_twice", 0, tries(Alerted, Closed), no},
		{"older_chosen", 0, tries(NotOffered, NotOffered), no},
		{"refused_once", 0, tries(Alerted), evidence.Unknown},
		{"silent", 0, tries(Silent, Silent), evidence.Unknown},
		{"flapping", 1, tries(Alerted, Accepted, Alerted), evidence.Unknown},
		{"refused_and_silent", 0, tries(Alerted, Silent, Alerted), evidence.Unknown},
		{"malformed", 0, tries(Malformed, Malformed), evidence.Unknown},
		{"not_tried", 0, nil, evidence.Unknown},
	} {
		assert.Equal(t, tt.want, Version{Seen: tt.seen, Tries: tt.tries}.Accepts(), tt.name)
	}
}

func TestTaken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tries []Try
		want  evidence.Tri
	}{
		{"taken", tries(Accepted), yes},
		{"refused", tries(Alerted, Closed), no},
		{"stalled", tries(Silent, Silent), evidence.Unknown},
		{"refused_and_silent", tries(Alerted, Silent, Closed), evidence.Unknown},
		{"refused_once", tries(Alerted), evidence.Unknown},
		{"not_tried", nil, evidence.Unknown},
	} {
		assert.Equal(t, tt.want, Offer{Code: X25519MLKEM768, Tries: tt.tries}.Taken(), tt.name)
	}
	assert.Equal(t, evidence.Unknown, Offer{Code: SecP256r1MLKEM768, Tries: tries(Accepted)}.Taken(), "another group was named")
}

func TestHas(t *testing.T) {
	for code, want := range map[Code][]Trait{
		0x0001: {NoEncryption, HMACMD5, StaticRSA}, 0x0003: {Export, RC4, HMACMD5, StaticRSA}, 0x0005: {RC4, HMACSHA1, StaticRSA},
		0x0006: {Export, RC2, HMACMD5, CBC, StaticRSA}, 0x0007: {IDEA, HMACSHA1, CBC, StaticRSA}, 0x0014: {Export, DES, HMACSHA1, CBC},
		0x0009: {DES, HMACSHA1, CBC, StaticRSA}, 0x000a: {TripleDES, HMACSHA1, CBC, StaticRSA}, 0x0026: {Export, DES, HMACSHA1, CBC},
		0xc018: {Anonymous, HMACSHA1, CBC}, 0xc0ae: {ShortTag}, 0xc0b4: {NoEncryption}, 0x1301: nil, 0xc02f: nil, 0x009c: {StaticRSA},
	} {
		s := SuiteOf(code)
		var got []Trait
		for _, trait := range Traits() {
			if s.Has(trait) {
				got = append(got, trait)
			}
		}
		assert.Equal(t, want, got, s.Name)
		assert.Equal(t, len(want) > 0, s.HasAny(want), s.Name)
	}
	assert.Equal(t, Suite{Code: 0xfafa}, SuiteOf(0xfafa))
	assert.False(t, SuiteOf(0x1301).Has("another"))
}

func TestCertified(t *testing.T) {
	served := func(codes ...Code) Listener {
		l := Listener{Before: Try{Outcome: Accepted}, After: Try{Outcome: Accepted}}
		v := Version{Seen: 2, Complete: yes}
		for _, c := range codes {
			v.Suites = append(v.Suites, SuiteOf(c))
		}
		l.Versions = []Version{v}
		return l
	}
	assert.Equal(t, no, served(0x008c, 0xc035).Certified(), "pre-shared keys")
	assert.Equal(t, no, served(0xc018).Certified(), "anonymous")
	assert.Equal(t, evidence.Unknown, served(0x008c, 0x002f).Certified())
	assert.Equal(t, evidence.Unknown, served(0x1301).Certified())
	assert.Equal(t, evidence.Unknown, served(0x0094).Certified(), "RSA_PSK has one")
	assert.Equal(t, evidence.Unknown, Listener{}.Certified())
	l := served(0x008c)
	l.Chains = []Chain{{}}
	assert.Equal(t, yes, l.Certified())
	l = served(0x008c)
	l.Versions[0].Complete = no
	assert.Equal(t, evidence.Unknown, l.Certified(), "not all suites are known")
	assert.Len(t, l.Accepted(), 1)
	assert.False(t, l.Enumerated())
}

func TestOf(t *testing.T) {
	e := Evidence{Certificates: []Certificate{{Length: 1}, {Length: 2}}}
	assert.Equal(t, []Certificate{{Length: 2}, {Length: 1}}, e.Of(Chain{Places: []int{1, 0, 7, -1}}))
}

func TestIsHost(t *testing.T) {
	for name, want := range map[string]bool{
		"device.example": true, "a": true, "X-1.example": true, "": false, "*.example": false, "192.0.2.1": false, "::1": false,
		"a..b": false, "-a": false, "a-": false, "a_b": false, "a b": false, "bücher.example": false, "a\x00": false,
	} {
		assert.Equal(t, want, isHost(name), "%q", name)
	}
}
