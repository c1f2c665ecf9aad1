package checks

import (
	"net/netip"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

var (
	broker     = netip.AddrPortFrom(host, 8883)
	way311     = mqttconnect.Way{Addr: broker, TLS: evidence.Yes, Version: mqttconnect.V311}
	way5       = mqttconnect.Way{Addr: broker, TLS: evidence.Yes, Version: mqttconnect.V5}
	ansIn      = mqttconnect.Answer{Outcome: mqttconnect.Accepted, Answers: mqttconnect.V311}
	ansRefused = mqttconnect.Answer{Outcome: mqttconnect.Refused, Code: 5, Answers: mqttconnect.V311}
	ansClosed  = mqttconnect.Answer{Outcome: mqttconnect.Closed, Code: -1}
	ansSilent  = mqttconnect.Answer{Outcome: mqttconnect.Silent, Code: -1}
	ansOld     = mqttconnect.Answer{Outcome: mqttconnect.OtherCode, Code: 1, Answers: mqttconnect.V311}
	ansNot     = mqttconnect.Answer{Outcome: mqttconnect.NotTried, Reason: mqttconnect.NotNeeded, Code: -1}
)

// brokerSurface are the records of a device that speaks MQTT on one port and
// nothing else.
func brokerSurface(t *testing.T) []evidence.Record {
	t.Helper()
	s := speaks(broker, services.MQTT, 2)
	s.TLS = evidence.Yes
	return []evidence.Record{checktest.Record(t, tcpports.Probe, surface(broker)), checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{s}})}
}

// bareSurface are the records of a device without any open port, or of one with
// a port that nobody identified.
func bareSurface(t *testing.T, unknown bool) []evidence.Record {
	t.Helper()
	if unknown {
		return []evidence.Record{checktest.Record(t, tcpports.Probe, surface(odd)),
			checktest.Record(t, services.Probe, services.Evidence{Services: []services.Service{speaks(odd, services.Unidentified, 0)}})}
	}
	return []evidence.Record{checktest.Record(t, tcpports.Probe, surface()), checktest.Record(t, services.Probe, services.Evidence{})}
}

// decided judges, and expects what all verdicts have in common.
func decided(t *testing.T, c check.Check, want verdict.Verdict, records ...evidence.Record) result.Decision {
	t.Helper()
	d := checktest.Decide(t, c, records...)
	complete(t, d)
	if d.Verdict != want {
		t.Errorf("verdict = %s, want %s; items: %+v", d.Verdict, want, d.Items)
	}
	if (want == verdict.Pass || want == verdict.Fail) && d.Basis != verdict.Tested {
		t.Errorf("basis = %s", d.Basis)
	}
	return d
}

// withoutBroker expects what a check says where no MQTT is spoken: not
// applicable if the whole surface was seen, and inconclusive else.
func withoutBroker(t *testing.T, c check.Check, records ...evidence.Record) {
	t.Helper()
	t.Run("no_broker", func(t *testing.T) {
		decided(t, c, verdict.NotApplicable, append(bareSurface(t, false), records...)...)
	})
	t.Run("no_broker_but_an_unknown_port", func(t *testing.T) {
		decided(t, c, verdict.Inconclusive, append(bareSurface(t, true), records...)...)
	})
	t.Run("nothing", func(t *testing.T) { decided(t, c, verdict.Inconclusive) })
}

// onPart expects that of a part of the evidence only a fail stands.
func onPart(t *testing.T, c check.Check, whole verdict.Verdict, part evidence.Record, rest ...evidence.Record) {
	t.Helper()
	want := verdict.Inconclusive
	if whole == verdict.Fail {
		want = verdict.Fail
	}
	if d := checktest.Decide(t, c, append(rest, checktest.Partial(part, "tcp/192.0.2.1:1883#mqtt-5"))...); d.Verdict != want {
		t.Errorf("verdict on a part = %s, want %s", d.Verdict, want)
	}
}

// said is a device file that gives topics to A and B.
func said() declaration.Evidence {
	s := row("broker", "mqtt", 8883)
	s.MQTT = declaration.MQTT{
		Identities: []declaration.Identity{
			{Credential: "app", Topics: []declaration.Text{"door/app/#"}, Canary: "door/app/selftest"},
			{Credential: "lock", Topics: []declaration.Text{"door/lock/#", "door/+/shared"}, Canary: "door/lock/selftest"},
		},
		PublicTopics: []declaration.Text{"door/status"}, ReadsAll: "admin",
	}
	return declared(s)
}

func TestSelects(t *testing.T) {
	tests := []struct {
		name, filter, topic string
		want                bool
	}{
		{"same", "a/b", "a/b", true},
		{"other", "a/b", "a/c", false},
		{"shorter", "a/b", "a", false},
		{"longer", "a", "a/b", false},
		{"all", "#", "a/b", true},
		{"all_but_the_brokers_own", "#", "$SYS/x", false},
		{"one_level_but_the_brokers_own", "+/x", "$SYS/x", false},
		{"the_brokers_own", "$SYS/#", "$SYS/x", true},
		{"below", "a/#", "a/b/c", true},
		{"below_itself", "a/#", "a", true},
		{"one_level", "a/+/c", "a/b/c", true},
		{"one_empty_level", "a/+", "a/", true},
		{"one_level_too_few", "a/+", "a/b/c", false},
		{"no_level", "a/+", "a", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := selects(declaration.Text(tt.filter), tt.topic); got != tt.want {
				t.Errorf("selects(%q, %q) = %t", tt.filter, tt.topic, got)
			}
		})
	}
}

func TestWhoseTopic(t *testing.T) {
	b := said().Broker(8883)
	tests := []struct {
		name, holder, topic string
		others, notPublic   bool
	}{
		{"own", "app", "door/app/x", false, true},
		{"of_another", "app", "door/lock/x", true, true},
		{"shared_with_another", "app", "door/app/shared", false, true},
		{"public", "app", "door/status", false, false},
		{"of_nobody", "app", "garage/x", false, true},
		{"who_reads_all", "admin", "door/lock/x", false, true},
		{"of_the_broker", "app", "$SYS/broker/uptime", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ofOthers(b, declaration.Name(tt.holder), tt.topic); got != tt.others {
				t.Errorf("ofOthers = %t", got)
			}
			if got := notPublic(b, tt.topic); got != tt.notPublic {
				t.Errorf("notPublic = %t", got)
			}
		})
	}
}
