package draft

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/identity"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/profiles"
)

var (
	addr  = netip.MustParseAddr("192.168.1.20")
	door  = netip.AddrPortFrom(addr, 8883)
	shell = netip.AddrPortFrom(addr, 22)
	lamp  = netip.AddrPortFrom(addr, 5683)
	odd   = netip.AddrPortFrom(addr, 4711)
)

const digest = evidence.Digest("79d9e77edef3f9970d70fd7750309f3a1c3393b7a5f868bc725413ab1e26ea26")

// records are those of a device with three open ports, whose banners hold said.
func records(t testing.TB, said []byte) evidence.Log {
	t.Helper()
	way := mqttconnect.Door{Way: mqttconnect.Way{Addr: door, TLS: evidence.Yes, Version: mqttconnect.V5}}
	way.Anonymous = []mqttconnect.Answer{{Outcome: mqttconnect.Accepted}, {Outcome: mqttconnect.Refused}, {Outcome: mqttconnect.NotTried}}
	look := identity.Look{
		Hardware: []identity.Hardware{{Addr: addr, MAC: "02:00:5e:10:00:01"}},
		Keys: []identity.Key{{Addr: door, Kind: identity.Certificate, SHA256: digest}, {Addr: odd, Kind: identity.Certificate, SHA256: digest},
			{Addr: shell, Kind: identity.HostKey, SHA256: digest}, {Addr: odd, Kind: identity.Nothing}},
	}
	log := evidence.Log{
		checktest.Record(t, tcpports.Probe, tcpports.Evidence{Addrs: []netip.Addr{addr}, Tried: 3, Open: []tcpports.Port{
			{Addr: shell, Seen: 2}, {Addr: odd, Seen: 2}, {Addr: door, Seen: 2}, {Addr: netip.AddrPortFrom(addr, 5), Seen: 1},
		}}),
		checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{
			{Addr: shell, Protocol: services.SSH, TLS: evidence.No, Seen: 2, Answer: said},
			{Addr: odd, Protocol: services.Unidentified, Answer: said},
			{Addr: door, Protocol: services.MQTT, TLS: evidence.Yes, Seen: 2, Answer: said},
		}}),
		checktest.Record(t, identity.Probe, identity.Evidence{Start: identity.Look{}, End: look, Looks: 2}),
		checktest.Record(t, mqttconnect.Probe, mqttconnect.Evidence{Doors: []mqttconnect.Door{way}}),
		checktest.Record(t, tlsserver.Probe, tlsserver.Evidence{
			Listeners: []tlsserver.Listener{{Addr: door, Versions: []tlsserver.Version{{Name: "TLS 1.1"}, {Name: "TLS 1.2", Seen: 2}},
				Chains: []tlsserver.Chain{{Places: []int{0, 1}}, {Places: []int{7}}, {}}}},
			Certificates: []tlsserver.Certificate{{SHA256: digest, Names: []evidence.Bytes{said}}, {SHA256: "00"}},
		}),
		checktest.Record(t, coapread.Probe, coapread.Evidence{
			Resources: []coapread.Resource{{Path: []byte(coapread.Core)}, {Path: []byte("/lamp")}, {Path: said}, {Path: []byte("/" + strings.Repeat("x", 99))}, {Path: []byte("/a?b")}, {Path: []byte("/a\n- b")}},
			Visits: []coapread.Visit{
				{Reader: coapread.Stranger, Door: coapread.Door{Addr: lamp, Transport: "udp"}, Rounds: []coapread.Round{{}, {}}},
				{Reader: coapread.Holder, Door: coapread.Door{Addr: lamp, Transport: "udp"}},
			},
		}),
		checktest.Record(t, udpservices.Probe, udpservices.Evidence{Endpoints: []udpservices.Endpoint{
			{Addr: lamp, Protocol: udpservices.CoAP, State: udpservices.Answered, Asked: []udpservices.Asked{{Question: udpservices.CoAP, Seen: 2, Answer: said}}},
			{Addr: netip.AddrPortFrom(addr, 5684), Protocol: udpservices.DTLS, State: udpservices.Answered},
			{Addr: netip.AddrPortFrom(addr, 5685), Protocol: udpservices.Unidentified, State: udpservices.Silent},
			{Addr: netip.AddrPortFrom(addr, 5686), Protocol: udpservices.Unidentified, State: udpservices.Answered},
		}}),
	}
	for _, s := range sources { // what a later source reads was not seen
		if _, err := log.Find(evidence.DUT, s.probe.Info().Name); err != nil {
			log = append(log, evidence.Record{Unit: evidence.DUT, Probe: s.probe.Info().Name, Version: 1, Status: evidence.NotRun, Reason: msg.T("it was left out")})
		}
	}
	return log
}

func shipped(t testing.TB) []*profile.Profile {
	t.Helper()
	p, err := profile.Load(profiles.FS(), profiles.File(profiles.Default), checks.ByID())
	require.NoError(t, err)
	return []*profile.Profile{p}
}

// small is a profile that asks for one thing.
var small = []*profile.Profile{{
	Features:     map[string]string{"network": "Has it a network?"},
	Requirements: []profile.Requirement{{ID: "1", Level: profile.Mandatory, Text: "It is sound.", AppliesIf: []string{"network"}}},
}}

func drafted(t testing.TB, log evidence.Log, list []*profile.Profile) (string, *device.File) {
	t.Helper()
	s, err := Read(log)
	require.NoError(t, err)
	text := Draft{Tool: "assay test", Day: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Addr: addr, Profiles: list, Seen: s}.YAML()
	f, err := device.Parse("device.yaml", text, t.TempDir())
	require.NoError(t, err, "%s", text)
	return string(text), f
}

// What was seen is filled in, and nothing of it is claimed to be meant.
func TestDraftSaysWhatWasSeen(t *testing.T) {
	text, f := drafted(t, records(t, []byte("SSH-2.0-lock\r\n")), shipped(t))
	require.Equal(t, "02:00:5e:10:00:01", f.Device.MAC)
	require.Equal(t, []netip.Addr{addr}, f.Device.Addresses)
	var got []string
	for _, s := range f.IXIT.SoftServ {
		require.Empty(t, s.Status)
		require.Empty(t, s.Justification)
		got = append(got, s.ID+" "+s.Protocol+" "+string(s.TLS))
	}
	require.Equal(t, []string{"ssh-22 ssh no", "port-4711  ", "mqtt-8883 mqtt yes", "coap-udp-5683 coap no", "port-udp-5684  yes", "port-udp-5686  "}, got)
	require.Empty(t, f.Trust.Pins)
	require.Empty(t, f.ICS.Features)
	require.Nil(t, f.Consent)
	for _, line := range []string{
		"# seen: 3 of 65535 TCP ports were looked at\n",
		"# not seen: tcp/5 took a connection in 1 of 2 looks; run init again\n",
		"    # seen: it answered \"SSH-2.0-lock\\r\\n\"\n",
		"    # seen: its host key has the SHA-256 " + string(digest) + "\n",
		"    # seen: MQTT 5 let in 1 of 2 clients without a log-in\n",
		"#     # seen: the certificate at tcp/4711, tcp/8883 had this SHA-256; not confirmed: ",
		"#     - \"" + string(digest) + "\"\n",
		"  # manufacturer:\n",
		"    # seen: it took TLS 1.2\n",
		"    # seen: a stranger read 0 of 6 resources over udp\n",
		"      #     - {path: \"/lamp\", public: }\n",
		"    # seen: it has a resource \"/a?b\", which a device file cannot name\n",
	} {
		require.Contains(t, text, line)
	}
	require.NotRegexp(t, `(?m) $`, text)
	require.NotContains(t, text, "TLS 1.1")
	require.NotContains(t, text, "path: \"/.well-known/core\"")
}

// Every feature and every provision of the profile is asked for in its words.
func TestDraftAsksForEverything(t *testing.T) {
	list := shipped(t)
	text, _ := drafted(t, records(t, nil), list)
	for name, question := range list[0].Features {
		require.Contains(t, text, "#     # "+question+"\n#     "+name+":\n")
	}
	for _, r := range list[0].Requirements {
		require.Contains(t, text, r.Text+"\n#     \""+r.ID+"\": {support: }\n")
	}
	twice, _ := drafted(t, records(t, nil), slices.Concat(list, list))
	require.Equal(t, text, twice, "what two profiles ask is asked once")
}

// remarks are the words that a comment begins with which is no question.
var remarks = regexp.MustCompile(`^\s*# *(seen|not seen|only the (manufacturer|tester) knows|mandatory|recommended): `)

var (
	question = regexp.MustCompile(`^( *)# (.*)$`)
	asks     = regexp.MustCompile(`^ *(- )?("?[a-z0-9][a-zA-Z0-9._-]*"?:|\{)|^ *- "|^ *-$`)
)

// wake takes the "#" from every line that asks something, as its head says.
func wake(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		m := question.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m != nil && !remarks.MatchString(line) && asks.MatchString(m[2]) {
			line = m[1] + m[2] + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// fill answers every question.
var fill = strings.NewReplacer(
	"{support: }", "{support: yes}", "address: ,", "address: 192.168.1.0/24,", "authorised_by: ,", "authorised_by: me,", "until: }", "until: 2099-01-01}",
	"until:\n", "until: 2099-01-01\n", "user: ,", "user: one,", "{file: }", "{file: secret}", "{env: }", "{env: SECRET}", "canary: }", "canary: selftest}",
	"reads_all:\n", "reads_all: first\n", "status:\n", "status: enabled\n", "allows_configuration:\n", "allows_configuration: no\n", "client_certificate:\n", "client_certificate: no\n", "oscore:\n", "oscore: no\n", "public: }", "public: yes}",
	"path: ,", "path: /a,", "tls:\n", "tls: no\n",
	"protocol:\n", "protocol: other\n", "question: ,", "question: q,", "answer: ,", "answer: yes,", "who: ,", "who: me,", "when: }", "when: 2026-03-01}",
	"addresses: []}", "addresses: [192.168.1.21]}", "- id:\n", "- id: one\n", "tcp: []", "tcp: [80]", "    -\n", "    - "+string(digest)+"\n",
)

var (
	unanswered = regexp.MustCompile(`(?m)^(    [a-z-]+:)$`)
	others     = regexp.MustCompile(`(?m)^( +)(manufacturer|model|hardware|firmware|serial|type|who|what|recovery|description|justification):$`)
)

func answer(text string) string {
	text = others.ReplaceAllString(fill.Replace(wake(text)), "$1$2: some words")
	head, tail, _ := strings.Cut(text, "  features:\n")
	features, tail, _ := strings.Cut(tail, "  provisions:")
	return head + "  features:\n" + unanswered.ReplaceAllString(features, "$1 no") + "  provisions:" + tail
}

// Whoever answers every question in its place has a device file that says all
// that a run asks for.
func TestAnsweredDraftLeavesNothingOpen(t *testing.T) {
	for name, log := range map[string]evidence.Log{"seen": records(t, []byte("x")), "nothing_open": blind(t)} {
		t.Run(name, func(t *testing.T) {
			text, _ := drafted(t, log, shipped(t))
			text = answer(text)
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("pw"), 0o600))
			f, err := device.Parse("device.yaml", []byte(text), dir)
			require.NoError(t, err, "%s", text)
			require.Empty(t, f.Lint(), "%s", text)
			require.Len(t, f.ICS.Features, 32)
			require.Len(t, f.ICS.Provisions, 78)
			require.Len(t, f.Trust.Pins, 1)
			require.NotEmpty(t, f.IXIT.SoftServ)
			require.Len(t, f.Credentials, 2)
			require.Len(t, f.Answers, 1)
		})
	}
}

// blind is a device of which no port is open.
func blind(t testing.TB) evidence.Log {
	log := records(t, nil)
	for i, r := range log {
		switch r.Probe {
		case tcpports.Probe.Name:
			log[i] = checktest.Record(t, tcpports.Probe, tcpports.Evidence{Addrs: []netip.Addr{addr}, Tried: tcpports.All,
				Closed: []tcpports.Range{{Addr: addr, First: 1, Last: tcpports.All}}})
		case udpservices.Probe.Name:
			log[i] = checktest.Record(t, udpservices.Probe, udpservices.Evidence{Endpoints: []udpservices.Endpoint{{Addr: door, State: udpservices.Silent}}})
		case services.Probe.Name: // nothing spoke
			log[i] = checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{}})
		default:
			log[i] = evidence.Record{Unit: evidence.DUT, Probe: r.Probe, Version: r.Version, Status: evidence.NotRun, Reason: msg.T("it was left out")}
		}
	}
	return log
}

func TestDraftOfNothing(t *testing.T) {
	text, f := drafted(t, blind(t), shipped(t))
	require.Nil(t, f.IXIT.SoftServ, "nobody declared that there is none")
	require.Contains(t, text, "# seen: 65535 of 65535 TCP ports were looked at, and two looks agreed on each\n")
	require.Contains(t, text, "# not seen: probe identity: it was left out\n")
}

// hostile is what a device may send to become a part of the file.
var hostile = []string{
	"", "\n", "\r\n", "a\nscope:\n  - {address: 0.0.0.0/0}", "\"", "'", "\\", "\\\"", "}", "]", "# ", "\n# status: enabled\nconsent: {}", "a\rstatus: enabled",
	"\x00", "\x1b[2J", "\u202e", "\u2028consent:\u2029", "\u0085consent: x", "\ufeff---\n", "...\n---\n", "\xff\xfe", "é日本\U0001f511", "*a", "&a", "!!x", "{{", "%YAML 1.2",
	"- a", "? a", "| ", "> ", "`", "@", strings.Repeat("A", 70000), strings.Repeat("\n  mqtt: {}", 50), "%!s(MISSING)", "{error}",
	"/a", "/", "/a, public: yes}\n      - {path: /b", "/\"", "/a}", "/a#b", "/a: {}", "/\\", "/\u202e", "/'", "/ ", "/*a", "/[", "/until: }", "/{support: }",
}

// Nothing that a device sends changes what the file says.
func TestHostileStringsStayComments(t *testing.T) {
	_, want := drafted(t, records(t, []byte("harmless")), small)
	for _, said := range hostile {
		same(t, want, said)
	}
}

func same(t testing.TB, want *device.File, said string) {
	t.Helper()
	log := records(t, []byte(said))
	for i := range log {
		if log[i].Status == evidence.NotRun {
			log[i].Reason = msg.T("it broke: {error}", "error", said)
		}
	}
	for _, name := range []string{identity.Probe.Name, mqttconnect.Probe.Name} {
		i := slices.IndexFunc(log, func(r evidence.Record) bool { return r.Probe == name })
		log[i].Status, log[i].Reason, log[i].Missing = evidence.Partial, msg.T("cut: {error}", "error", said), []string{said}
	}
	text, got := drafted(t, log, small)
	require.Equal(t, string(want.Effective()), string(got.Effective()), "%q gives\n%s", said, text)
	if fill.Replace(said) == said { // else the answers of this test change it
		woken(t, text, said, len(want.IXIT.SoftServ))
	}
	// No line of the device's own is there that somebody could take a "#" from.
	for line := range strings.Lines(text) {
		require.Regexp(t, `^[ -~]*\n$`, line)
	}
}

// woken looks at what the file says once somebody has answered everything.
func woken(t testing.TB, text, said string, services int) {
	t.Helper()
	f, err := device.Parse("device.yaml", []byte(answer(text)), t.TempDir())
	require.NoError(t, err, "%q gives\n%s", said, text)
	require.Equal(t, "some words", f.Consent.Who)
	require.Len(t, f.IXIT.SoftServ, services)
	require.Len(t, f.Scope, 1)
	for _, s := range f.IXIT.SoftServ {
		if s.CoAP == nil {
			continue
		}
		for _, r := range s.CoAP.Resources {
			require.Contains(t, []string{"/lamp", said}, r.Path)
			require.Equal(t, device.Yes, r.Public)
		}
	}
}

func FuzzDraft(f *testing.F) {
	for _, said := range hostile {
		f.Add(said)
	}
	_, want := drafted(f, records(f, []byte("harmless")), small)
	f.Fuzz(func(t *testing.T, said string) { same(t, want, said) })
}

// Without a look at the ports there is no draft, and a missing record is a
// mistake of ours.
func TestReadRefuses(t *testing.T) {
	log := records(t, nil)
	_, err := Read(log[1:])
	require.ErrorContains(t, err, `0 records of probe "tcp-ports"`)
	log[0] = evidence.Record{Unit: evidence.DUT, Probe: tcpports.Probe.Name, Version: 1, Status: evidence.Failed, Reason: msg.T("no route\nto it")}
	_, err = Read(log)
	require.ErrorIs(t, err, errBlind)
	require.ErrorContains(t, err, `no route\nto it`)
	log = records(t, nil)
	log[1].Version = 99
	_, err = Read(log)
	require.ErrorContains(t, err, "version 99")
}

// A draft asks nothing of a device that any client could not ask.
func TestProbesAreGentle(t *testing.T) {
	names := map[string]bool{}
	for _, p := range Probes() {
		i := p.Info()
		require.LessOrEqual(t, i.Effect, probe.Active, i.Name)
		require.False(t, names[i.Name], "%s is read twice", i.Name)
		names[i.Name] = true
		for _, n := range i.Needs {
			require.LessOrEqual(t, n.Info().Effect, probe.Active, n.Info().Name)
		}
	}
	require.GreaterOrEqual(t, len(names), 4)
}
