package checks

import (
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/harness/verdict"
)

type byKey = map[string]verdict.Verdict

func decideConsistency(t *testing.T, said declaration.Evidence, ports tcpports.Evidence, spoke ...services.Service) (verdict.Verdict, byKey) {
	t.Helper()
	d := checktest.Decide(t, declarationConsistentWithEvidence, checktest.Record(t, declaration.Probe, said),
		checktest.Record(t, tcpports.Probe, ports), checktest.Record(t, services.Probe, services.Evidence{Services: spoke}))
	complete(t, d)
	for _, i := range d.Items {
		probes := map[string]bool{}
		for _, r := range i.Refs {
			probes[r.Probe] = true
		}
		if i.Verdict == verdict.Fail && (!probes["declaration"] || len(probes) < 2) {
			t.Errorf("a refutation cites both sides: %+v", i)
		}
	}
	return d.Verdict, verdictsAt(d)
}

func TestDeclarationConsistentPorts(t *testing.T) {
	http, off, unstated := row("web", "", 80), row("web", "", 80), row("web", "", 80)
	off.Enabled, unstated.Enabled = evidence.No, evidence.Unknown
	six := netip.MustParseAddr("2001:db8::1")
	both := surface(web)
	both.Addrs = append(both.Addrs, six)
	both.Closed = append(both.Closed, tcpports.Range{Addr: six, First: 1, Last: 65535})
	tests := []struct {
		name string
		said declaration.Evidence
		seen tcpports.Evidence
		want verdict.Verdict
		keys byKey
	}{
		{"open_as_declared", declared(http), surface(web), "pass", byKey{"tcp/80#web": "pass", "": "pass"}},
		{"open_at_one_of_two_addresses", declared(http), both, "pass", byKey{"tcp/80#web": "pass", "": "pass"}},
		{"refused_though_declared", declared(http), surface(odd), "fail", byKey{"tcp/80#web": "fail", "tcp/2323": "fail", "": "pass"}},
		{"silence_refutes_nothing", declared(http), filtered(held, odd), "fail", byKey{"tcp/80#web": "inconclusive", "tcp/2323": "fail", "": "pass"}},
		{"silent_and_nothing_else", declared(http, row("odd", "", 2323)), filtered(held, odd), "inconclusive", byKey{"tcp/80#web": "inconclusive", "tcp/2323#odd": "pass", "": "pass"}},
		{"silent_without_control", declared(http), filtered(tcpports.Control{}), "inconclusive", byKey{"tcp/80#web": "inconclusive", "": "inconclusive"}},
		{"seen_once", declared(http), seenOnce(web), "inconclusive", byKey{"tcp/80#web": "inconclusive", "": "inconclusive"}},
		{"nobody_tried", declared(http), tcpports.Evidence{}, "inconclusive", byKey{"tcp/80#web": "inconclusive", "": "inconclusive"}},
		{"host_has_the_port", declared(http), ofHost(web), "inconclusive", byKey{"tcp/80#web": "inconclusive", "": "pass"}},
		{"host_has_another", declared(http), ofHost(odd, web), "pass", byKey{"tcp/80#web": "pass", "": "pass"}},
		{"undeclared", declared(http), surface(web, odd), "fail", byKey{"tcp/80#web": "pass", "tcp/2323": "fail", "": "pass"}},
		{"undeclared_and_seen_once", declared(), seenOnce(web), "inconclusive", byKey{"": "inconclusive"}},
		{"undeclared_on_a_short_surface", declared(http), short(web, odd), "fail", byKey{"tcp/80#web": "pass", "tcp/2323": "fail", "": "inconclusive"}},
		{"incomplete_search", declared(http), short(web), "inconclusive", byKey{"tcp/80#web": "pass", "": "inconclusive"}},
		{"disabled_and_open", declared(off), surface(web), "fail", byKey{"tcp/80#web": "fail", "": "pass"}},
		{"disabled_and_refused", declared(off), surface(), "pass", byKey{"tcp/80#web": "pass", "": "pass"}},
		{"disabled_and_silent", declared(off, row("odd", "", 2323)), filtered(held, odd), "pass", byKey{"tcp/80#web": "pass", "tcp/2323#odd": "pass", "": "pass"}},
		{"disabled_and_silent_without_control", declared(off), filtered(tcpports.Control{}), "inconclusive", byKey{"tcp/80#web": "inconclusive", "": "inconclusive"}},
		{"disabled_and_silent_while_the_control_was_lost", declared(off), filtered(tcpports.Control{Asked: 3, Answered: 2}), "inconclusive", byKey{"tcp/80#web": "inconclusive", "": "inconclusive"}},
		{"disabled_and_host_has_the_port", declared(off), ofHost(web), "inconclusive", byKey{"tcp/80#web": "inconclusive", "": "pass"}},
		{"disabled_and_seen_once", declared(off), seenOnce(web), "inconclusive", byKey{"tcp/80#web": "inconclusive", "": "inconclusive"}},
		{"status_not_stated", declared(unstated), surface(web), "pass", byKey{"": "pass"}},
		{"no_services_and_none_open", declared(), surface(), "pass", byKey{"": "pass"}},
		{"no_list", declaration.Evidence{Given: evidence.Yes, Listed: evidence.No}, surface(web), "inconclusive", byKey{"": "inconclusive"}},
		{"no_declaration", declaration.Evidence{Given: evidence.No}, surface(web), "inconclusive", byKey{"": "inconclusive"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, keys := decideConsistency(t, tt.said, tt.seen)
			if got != tt.want || len(keys) != len(tt.keys) {
				t.Errorf("verdict = %s %v, want %s %v", got, keys, tt.want, tt.keys)
			}
			for key, want := range tt.keys {
				if keys[key] != want {
					t.Errorf("%q = %q, want %q", key, keys[key], want)
				}
			}
		})
	}
}

func TestDeclarationConsistentServices(t *testing.T) {
	const protocol, tls = "tcp/80#web/protocol", "tcp/80#web/tls"
	says := func(p declaration.Name, tls evidence.Tri) declaration.Service {
		s := row("web", "", 80)
		s.Protocol, s.TLS = p, tls
		return s
	}
	spoke := func(p services.Protocol, seen int, tls evidence.Tri) services.Service {
		s := speaks(web, p, seen)
		s.TLS = tls
		return s
	}
	const yes, no, unknown = evidence.Yes, evidence.No, evidence.Unknown
	tests := []struct {
		name  string
		said  declaration.Service
		spoke services.Service
		want  verdict.Verdict
		keys  byKey
	}{
		{"as_declared", says("http", no), spoke(services.HTTP, 2, no), "pass", byKey{protocol: "pass", tls: "pass"}},
		{"as_declared_in_tls", says("mqtt", yes), spoke(services.MQTT, 2, yes), "pass", byKey{protocol: "pass", tls: "pass"}},
		{"another_protocol", says("http", unknown), spoke(services.Telnet, 2, no), "fail", byKey{protocol: "fail"}},
		{"another_protocol_once", says("http", unknown), spoke(services.Telnet, 1, no), "inconclusive", byKey{protocol: "inconclusive"}},
		{"mqtt_may_run_inside_http", says("mqtt", unknown), spoke(services.HTTP, 2, no), "inconclusive", byKey{protocol: "inconclusive"}},
		{"ssh_does_not_run_inside_http", says("ssh", unknown), spoke(services.HTTP, 2, no), "fail", byKey{protocol: "fail"}},
		{"unidentified_refutes_nothing", says("http", yes), spoke(services.Unidentified, 0, unknown), "inconclusive", byKey{protocol: "inconclusive"}},
		{"something_inside_tls_refutes_nothing", says("http", yes), spoke(services.OtherTLS, 2, yes), "inconclusive", byKey{protocol: "inconclusive", tls: "pass"}},
		{"protocol_that_we_do_not_speak", says("onvif", no), spoke(services.HTTP, 2, no), "pass", byKey{tls: "pass"}},
		{"protocol_that_we_do_not_speak_unidentified", says("x-bus", unknown), spoke(services.Unidentified, 0, unknown), "pass", byKey{}},
		{"no_protocol", says("", unknown), spoke(services.Telnet, 2, no), "pass", byKey{}},
		{"no_tls_though_declared", says("http", yes), spoke(services.HTTP, 2, no), "fail", byKey{protocol: "pass", tls: "fail"}},
		{"tls_though_declared_without", says("http", no), spoke(services.HTTP, 2, yes), "fail", byKey{protocol: "pass", tls: "fail"}},
		{"tls_seen_once", says("http", no), spoke(services.HTTP, 1, yes), "inconclusive", byKey{protocol: "inconclusive", tls: "inconclusive"}},
		{"tls_not_known", says("http", no), spoke(services.HTTP, 2, unknown), "pass", byKey{protocol: "pass"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.keys["tcp/80#web"], tt.keys[""] = "pass", "pass"
			got, keys := decideConsistency(t, declared(tt.said), surface(web), tt.spoke)
			if got != tt.want || len(keys) != len(tt.keys) {
				t.Errorf("verdict = %s %v, want %s %v", got, keys, tt.want, tt.keys)
			}
			for key, want := range tt.keys {
				if keys[key] != want {
					t.Errorf("%q = %q, want %q", key, keys[key], want)
				}
			}
			off := tt.said
			off.Enabled = evidence.No
			if _, keys := decideConsistency(t, declared(off), surface(web), tt.spoke); keys[protocol]+keys[tls] != "" {
				t.Errorf("a disabled service says nothing of protocol and TLS: %v", keys)
			}
			if _, keys := decideConsistency(t, declared(tt.said), ofHost(web), tt.spoke); keys[protocol]+keys[tls] != "" {
				t.Errorf("what the host speaks says nothing of the device: %v", keys)
			}
		})
	}
}

func TestDeclarationConsistentFeatures(t *testing.T) {
	feature := func(name string, answer evidence.Tri, list ...declaration.Service) declaration.Evidence {
		said := declared(list...)
		said.Features = []declaration.Answer{{Name: "other", Supported: evidence.No}, {Name: declaration.Name(name), Supported: answer}}
		return said
	}
	console := speaks(odd, services.Telnet, 2)
	console.Answer = evidence.Bytes("\xff\xfb\x01login: admin\r\nPassword: ")
	once := console
	once.Seen = 1
	used := row("console", "telnet", 2323)
	unlisted := feature("network-interfaces", evidence.No)
	unlisted.Listed = evidence.No
	tests := []struct {
		name  string
		said  declaration.Evidence
		ports tcpports.Evidence
		spoke services.Service
		key   string
		want  verdict.Verdict // of the feature's item, empty if there is none
	}{
		{"password_asked_for", feature("passwords", evidence.No, used), surface(odd), console, "#feature/passwords", "fail"},
		{"password_asked_for_and_declared", feature("passwords", evidence.Yes, used), surface(odd), console, "#feature/passwords", ""},
		{"password_asked_for_and_not_answered", feature("passwords", evidence.Unknown, used), surface(odd), console, "#feature/passwords", ""},
		{"password_asked_for_once", feature("passwords", evidence.No, used), surface(odd), once, "#feature/passwords", ""},
		{"no_password_asked_for", feature("passwords", evidence.No, used), surface(odd), speaks(odd, services.Telnet, 2), "#feature/passwords", ""},
		{"unused_port", feature("network-interfaces", evidence.No), surface(odd), console, "#feature/network-interfaces", "fail"},
		{"used_port", feature("network-interfaces", evidence.No, used), surface(odd), console, "#feature/network-interfaces", ""},
		{"port_seen_once", feature("network-interfaces", evidence.No), seenOnce(odd), console, "#feature/network-interfaces", ""},
		{"port_of_the_host", feature("network-interfaces", evidence.No), ofHost(odd), console, "#feature/network-interfaces", ""},
		{"no_list_of_what_is_used", unlisted, surface(odd), console, "#feature/network-interfaces", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, keys := decideConsistency(t, tt.said, tt.ports, tt.spoke)
			if keys[tt.key] != tt.want || tt.want == verdict.Fail && got != verdict.Fail {
				t.Errorf("%s = %q, want %q; verdict = %s", tt.key, keys[tt.key], tt.want, got)
			}
		})
	}
}

func TestDeclarationConsistentNeedsWholeRecords(t *testing.T) {
	said := checktest.Record(t, declaration.Probe, declared(row("web", "http", 80)))
	ports := checktest.Record(t, tcpports.Probe, surface(web))
	spoke := checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{speaks(web, services.HTTP, 2)}})
	d := checktest.Decide(t, declarationConsistentWithEvidence, said, ports, spoke)
	if d.Verdict != verdict.Pass || d.Basis != verdict.Tested {
		t.Errorf("whole: %s, %s", d.Verdict, d.Basis)
	}
	if d := checktest.Decide(t, declarationConsistentWithEvidence, said, checktest.Partial(ports, "tcp/192.0.2.1:9"), spoke); d.Verdict != verdict.Inconclusive {
		t.Errorf("a part of the ports: %s", d.Verdict)
	}
	if d := checktest.Decide(t, declarationConsistentWithEvidence, said, ports); d.Verdict != verdict.Inconclusive {
		t.Errorf("without services: %s", d.Verdict)
	}
	if d := checktest.Decide(t, declarationConsistentWithEvidence, ports, spoke); d.Verdict != verdict.Inconclusive {
		t.Errorf("without a declaration: %s", d.Verdict)
	}
}

// What answers over UDP and is not declared refutes the declaration; without a
// look at UDP nothing is said of it.
func TestDeclarationConsistentUDP(t *testing.T) {
	five := netip.MustParseAddrPort("192.0.2.1:5683")
	coap := udpservices.Endpoint{Addr: five, Protocol: udpservices.CoAP, State: udpservices.Answered}
	babble := udpservices.Endpoint{Addr: five, Protocol: udpservices.Unidentified, State: udpservices.Answered}
	on, off := declaration.Service{ID: "c", Enabled: evidence.Yes, UDP: []uint16{5683}}, declaration.Service{ID: "c", Enabled: evidence.No, UDP: []uint16{5683}}
	for _, tt := range []struct {
		name string
		said declaration.Evidence
		seen udpservices.Endpoint
		want verdict.Verdict
	}{
		{"declared", declared(on), coap, "pass"}, {"undeclared", declared(), coap, "fail"},
		{"disabled", declared(off), coap, "fail"}, {"not_understood", declared(), babble, "pass"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records := []evidence.Record{checktest.Record(t, declaration.Probe, tt.said), checktest.Record(t, tcpports.Probe, surface()), checktest.Record(t, services.Probe, services.Evidence{})}
			if got := checktest.Decide(t, declarationConsistentWithEvidence, records...).Verdict; got != verdict.Pass {
				t.Errorf("without a look at UDP: %s", got)
			}
			udp := checktest.Record(t, udpservices.Probe, udpservices.Evidence{Endpoints: []udpservices.Endpoint{tt.seen}})
			d := checktest.Decide(t, declarationConsistentWithEvidence, append(records, udp)...)
			complete(t, d)
			if d.Verdict != tt.want {
				t.Errorf("verdict = %s, want %s: %+v", d.Verdict, tt.want, d.Items)
			}
		})
	}
}
