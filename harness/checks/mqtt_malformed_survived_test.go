package checks

import (
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqttmalformed"
	"github.com/assay-iot/assay/harness/verdict"
)

// survived is a listener that took n packets and served on.
func survived(n int, f ...func(*mqttmalformed.Listener)) mqttmalformed.Listener {
	l := mqttmalformed.Listener{
		Addr: broker, TLS: evidence.Yes, Control: mqttmalformed.LogIn, Before: ansIn, After: ansIn,
		Witness: mqttmalformed.Witness{Connection: ansIn, Held: evidence.Yes},
	}
	for range n {
		l.Packets = append(l.Packets, mqttmalformed.Packet{Name: "x", Version: way311.Version, Sent: mqttmalformed.Whole, Reaction: mqttmalformed.Closed})
	}
	for _, change := range f {
		change(&l)
	}
	return l
}

// waited is a look in which nobody was served.
func waited(d time.Duration, second evidence.Tri) mqttmalformed.Look {
	return mqttmalformed.Look{After: "connect-empty", Sending: 1, Waited: d, Asked: 30, First: evidence.No, Second: second}
}

func looked(looks ...mqttmalformed.Look) func(*mqttmalformed.Listener) {
	return func(l *mqttmalformed.Listener) {
		l.Looks, l.After = looks, ansNot
		l.Witness.Held = evidence.No
	}
}

func TestMQTTMalformedSurvived(t *testing.T) {
	const s, yes, no, unknown = time.Second, evidence.Yes, evidence.No, evidence.Unknown
	served := waited(31*s, yes)
	late := waited(50*s, no)
	late.First = yes
	witnessed := waited(31*s, unknown)
	witnessed.Witness = yes
	exhausted := waited(31*s, unknown)
	exhausted.First = unknown
	tests := []struct {
		name string
		seen mqttmalformed.Listener
		want verdict.Verdict
	}{
		{"served_on", survived(40), verdict.Pass},
		{"more_than_asked", survived(50), verdict.Pass},
		{"some_of_a_version_that_is_not_spoken", survived(40, func(l *mqttmalformed.Listener) { l.Packets[3].Sent = mqttmalformed.NoVersion }), verdict.Pass},
		{"gone_for_both_addresses", survived(9, looked(waited(31*s, no), waited(30*s, no))), verdict.Fail},
		{"gone_for_longer_than_a_ban", survived(9, looked(waited(31*s, unknown), waited(901*s, unknown))), verdict.Fail},
		{"gone_back_and_gone_again", survived(9, looked(waited(31*s, no), late, waited(31*s, no))), verdict.Fail},
		{"gone_once", survived(9, looked(waited(31*s, no), late)), verdict.Inconclusive},
		{"silent_to_the_only_address", survived(9, looked(waited(31*s, unknown), waited(100*s, unknown))), verdict.Inconclusive},
		{"serves_the_second_address", survived(9, looked(served, served)), verdict.Inconclusive},
		{"serves_the_witness", survived(9, looked(witnessed, witnessed)), verdict.Inconclusive},
		{"looks_too_short", survived(9, looked(waited(29*s, no), waited(29*s, no))), verdict.Inconclusive},
		{"asked_too_often", survived(9, looked(exhausted)), verdict.Inconclusive},
		{"witness_dropped", survived(40, func(l *mqttmalformed.Listener) {
			l.Witness.Held, l.Witness.Drops = no, []mqttmalformed.Drop{{After: "connect-empty"}}
		}), verdict.Inconclusive},
		{"no_witness", survived(40, func(l *mqttmalformed.Listener) { l.Witness = mqttmalformed.Witness{} }), verdict.Inconclusive},
		{"one_not_sent", survived(40, func(l *mqttmalformed.Listener) { l.Packets[3].Sent = mqttmalformed.NotSent }), verdict.Inconclusive},
		{"one_without_budget", survived(40, func(l *mqttmalformed.Listener) { l.Packets[3].Sent = mqttmalformed.NoBudget }), verdict.Inconclusive},
		{"not_let_in", survived(50, func(l *mqttmalformed.Listener) { l.Packets[3].Sent = mqttmalformed.NotLetIn }), verdict.Inconclusive},
		{"too_few", survived(39), verdict.Inconclusive},
		{"no_control", mqttmalformed.Listener{Addr: broker, Control: mqttmalformed.NoControl, Before: ansSilent}, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := checktest.Record(t, mqttmalformed.Probe, mqttmalformed.Evidence{Corpus: 1, Listeners: []mqttmalformed.Listener{tt.seen}})
			decided(t, mqttMalformedSurvived, tt.want, append(brokerSurface(t), r)...)
			onPart(t, mqttMalformedSurvived, tt.want, r, brokerSurface(t)...)
		})
	}
	withoutBroker(t, mqttMalformedSurvived, checktest.Record(t, mqttmalformed.Probe, mqttmalformed.Evidence{}))
}

// A profile may ask for more packets, a longer wait or a longer ban.
func TestMalformedParameters(t *testing.T) {
	gone := survived(9, looked(waited(40*time.Second, evidence.Unknown), waited(950*time.Second, evidence.Unknown)))
	tests := []struct {
		name string
		seen mqttmalformed.Listener
		with check.With
		want verdict.Verdict
	}{
		{"packets", survived(40), check.With{"packets": 41}, verdict.Inconclusive},
		{"as_it_is", gone, nil, verdict.Fail},
		{"recover_s", gone, check.With{"recover_s": 60}, verdict.Inconclusive},
		{"ban_wait_s", gone, check.With{"ban_wait_s": 1000}, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := append(evidence.Log(brokerSurface(t)), checktest.Record(t, mqttmalformed.Probe, mqttmalformed.Evidence{Listeners: []mqttmalformed.Listener{tt.seen}}))
			if d, _ := check.Judge(mqttMalformedSurvived, tt.with, log); d.Verdict != tt.want {
				t.Errorf("verdict = %s, want %s; items: %+v", d.Verdict, tt.want, d.Items)
			}
		})
	}
}
