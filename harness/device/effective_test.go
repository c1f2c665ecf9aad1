package device

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/assay-iot/assay/harness/evidence"
)

// texts are values as people write them, and as nobody should.
var texts = rapid.OneOf(
	rapid.SampledFrom([]string{"", "yes", "No", "null", "~", "1.10", "0042", "0x1F", "1e3", "2026-01-01", "- a", "a: b", "a #b", "#", "<<", "---", "...",
		"é", "日本", "\u202e", "\ufeff", "'", `"`, `\`, `\n`, " ", "\t", "\n", "a\n b\n", "*a", "&a", "!x", "{", "}", "[", "@", "%", "`", "|", ">", "?", "a: |"}),
	rapid.StringMatching(`[ -~]{0,30}`),
	rapid.StringOf(rapid.RuneFrom([]rune("ab \n\t:#-é\u00a0\u200b\U0001f511"))),
)

var answered = rapid.SampledFrom([]Answered{Yes, No})

// ids draws different IDs.
func ids(t *rapid.T, label string, most int) []string {
	return rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,10}`), 0, most, rapid.ID[string]).Draw(t, label)
}

func drawPorts(t *rapid.T, label string) []uint16 {
	return rapid.SliceOfNDistinct(rapid.Uint16Range(1, 65535), 0, 4, rapid.ID[uint16]).Draw(t, label)
}

// drawFile draws a file that Parse has no reason to refuse.
func drawFile(t *rapid.T) *File {
	f := &File{Device: Device{ID: "lock", Manufacturer: texts.Draw(t, "manufacturer"), Model: texts.Draw(t, "model"), Firmware: texts.Draw(t, "firmware"),
		Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, rapid.Byte().Draw(t, "address")})}}}
	if rapid.Bool().Draw(t, "features") {
		f.ICS.Features = map[string]Answered{}
		for _, name := range ids(t, "feature", 4) {
			f.ICS.Features[name] = answered.Draw(t, "answer")
		}
	}
	f.ICS.Provisions = map[string]Provision{"5.1-1": {answered.Draw(t, "support"), texts.Draw(t, "justification")}}
	for _, id := range ids(t, "credential", 3) {
		f.Credentials = append(f.Credentials, Credential{ID: id, Service: "mqtt", User: texts.Draw(t, "user"), Password: Source{Env: "PASSWORD_" + strings.Repeat("A", len(id))}})
	}
	if rapid.Bool().Draw(t, "services") {
		f.IXIT.SoftServ = []Service{}
	}
	for _, id := range ids(t, "service", 3) {
		f.IXIT.SoftServ = append(f.IXIT.SoftServ, drawService(t, id, f.Credentials))
	}
	if rapid.Bool().Draw(t, "consent") {
		f.Consent = &Consent{Who: "A. Owner", What: "test: " + texts.Draw(t, "what"), Until: day("2026-12-31"), Effect: "intrusive", Sacrificial: rapid.Bool().Draw(t, "sacrificial")}
	}
	return f
}

func drawService(t *rapid.T, id string, credentials []Credential) Service {
	s := Service{ID: id, Description: texts.Draw(t, "description"), Status: rapid.SampledFrom([]string{"", "enabled", "disabled"}).Draw(t, "status"),
		TCP: drawPorts(t, "tcp"), UDP: drawPorts(t, "udp"), TLS: rapid.SampledFrom([]Answered{"", Yes, No}).Draw(t, "tls")}
	if !rapid.Bool().Draw(t, "mqtt") {
		return s
	}
	s.MQTT = &MQTT{PublicTopics: rapid.SliceOfN(texts, 0, 3).Draw(t, "public")}
	for _, c := range credentials {
		s.MQTT.Identities = append(s.MQTT.Identities, MQTTIdentity{c.ID, rapid.SliceOfN(texts, 0, 3).Draw(t, "topics"), texts.Draw(t, "canary")})
	}
	return s
}

// What is stored in a bundle must mean the same to whoever reads it later.
func TestEffectiveSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawFile(t)
		b := want.Effective()
		got, err := Parse("device.yaml", b, "")
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if string(got.Effective()) != string(b) {
			t.Fatalf("written again:\n%s\nfirst:\n%s", got.Effective(), b)
		}
		got.name, got.lines = "", nil
		if fmt.Sprintf("%+v", plainly(*want)) != fmt.Sprintf("%+v", plainly(*got)) {
			t.Fatalf("got %+v\nwant %+v\nfrom\n%s", plainly(*got), plainly(*want), b)
		}
	})
}

// plainly shows a file with what its pointers point at.
func plainly(f File) []any {
	all := []any{f.Device, f.ICS, f.Credentials}
	for _, s := range f.IXIT.SoftServ {
		m := MQTT{}
		if s.MQTT != nil {
			m = *s.MQTT
		}
		s.MQTT = nil
		all = append(all, s, m)
	}
	if f.Consent != nil {
		all = append(all, *f.Consent)
	}
	return all
}

func TestEffectiveIsWrittenForPeople(t *testing.T) {
	f := parse(t, whole)
	for _, line := range []string{
		"device:\n  id: door-lock\n  manufacturer: \"Assay Labs\"\n",
		"  firmware: \"1.10\"\n",
		"  addresses:\n    - \"192.168.1.20\"\n",
		"  until: 2026-12-31\n",
		"    passwords: yes\n",
		"\"5.5-5\":\n      support: no\n      justification: \"The bus has no room:\\ntwo bytes.\\n\"\n",
		"    - id: broker\n      status: enabled\n",
		"      tcp:\n        - 1883\n        - 8883\n",
		"      mqtt: {}\n",
		"  anchors: []\n",
	} {
		assert.Contains(t, string(f.Effective()), strings.TrimSuffix(line, "\n"))
	}
	assert.NotContains(t, string(f.Effective()), "sacrificial", "what is not so is left out")
}

func TestTheSameTopicsInAnyOrderOfNames(t *testing.T) {
	first := parse(t, whole).Effective()
	for range 20 {
		require.Equal(t, string(first), string(parse(t, whole).Effective()))
	}
}

func TestAnsweredAsEvidence(t *testing.T) {
	for a, want := range map[Answered]evidence.Tri{Yes: evidence.Yes, No: evidence.No, "": evidence.Unknown, "maybe": evidence.Unknown} {
		assert.Equal(t, want, a.Tri())
	}
}

func TestErrorNamesItsCause(t *testing.T) {
	f := parse(t, whole)
	err := f.fault("device.id", "do that", "file %q", "x").because(os.ErrNotExist)
	assert.EqualError(t, err, `device file "cam.yaml", line 3: file "x": file does not exist`)
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.Equal(t, "do that", err.Hint)
	assert.EqualError(t, new(File).fault("device.id", "", "it is empty"), `device file "": it is empty`)
}

func TestBare(t *testing.T) {
	f := Bare(netip.MustParseAddr("127.0.0.1"))
	assert.True(t, f.OnlyLoopback())
	scope, err := f.ScopeOf(now)
	require.NoError(t, err)
	assert.Equal(t, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, scope)
	_, err = Bare(netip.MustParseAddr("203.0.113.9")).ScopeOf(now)
	assert.ErrorContains(t, err, "is public")
	assert.Nil(t, f.IXIT.SoftServ)
}
