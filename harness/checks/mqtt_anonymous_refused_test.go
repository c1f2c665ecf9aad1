package checks

import (
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestMQTTAnonymousRefused(t *testing.T) {
	tests := []struct {
		name, three, five string // what the doors of both versions answered
		want              verdict.Verdict
	}{
		{"refused", sound, sound, verdict.Pass},
		{"hung_up", "i cc rr i", "i cc rr i", verdict.Pass},
		{"alert_of_tls_between_controls", "i tt rr i", sound, verdict.Pass},
		{"five_is_not_spoken", sound, "o oo oo n", verdict.Pass},
		{"no_version_is_spoken", "o oo oo n", "o oo oo n", verdict.NotApplicable},
		{"let_in", "i ii rr i", "i ii rr i", verdict.Fail},
		{"let_in_without_any_log_in_given", "- ii ii -", "- ii ii -", verdict.Fail},
		{"five_forgotten", sound, "i ii rr i", verdict.Fail},
		{"flapping", sound, "i iri rr i", verdict.Fail},
		{"let_in_once", sound, "i rir rr i", verdict.Inconclusive},
		{"no_log_in", "- rr rr -", "- rr rr -", verdict.Inconclusive},
		{"control_failed", sound, "i rr rr c", verdict.Inconclusive},
		{"serves_nobody", "r rr rr x", "x rr rr x", verdict.Inconclusive},
		{"silent", sound, "i ss rr i", verdict.Inconclusive},
		{"client_identifier_refused", "i 22 22 i", sound, verdict.Inconclusive},
		{"unavailable", "i mm mm i", sound, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			record := connected(t, takes(way311, tt.three), takes(way5, tt.five))
			decided(t, mqttAnonymousRefused, tt.want, append(brokerSurface(t), record)...)
			onPart(t, mqttAnonymousRefused, tt.want, record, brokerSurface(t)...)
			shortSurface(t, mqttAnonymousRefused, tt.want, record)
			decided(t, mqttAnonymousRefused, verdict.Inconclusive, brokerSurface(t)...)
		})
	}
	withoutBroker(t, mqttAnonymousRefused, connected(t))
}

// Each version of each listener is an item of its own.
func TestMQTTAnonymousRefusedByDoor(t *testing.T) {
	d := decided(t, mqttAnonymousRefused, verdict.Fail, append(brokerSurface(t), connected(t, takes(way311, sound), takes(way5, "i iri rr i")))...)
	got := verdictsAt(d)
	if len(d.Items) != 2 || got["tcp/8883#mqtt-311"] != verdict.Pass || got["tcp/8883#mqtt-5"] != verdict.Fail {
		t.Errorf("verdicts = %v", got)
	}
	if why := d.Items[1].Why.String(); !strings.Contains(why, "let in 2 of 3") || d.Items[1].Refs[0].Pointer != "/doors/1/anonymous" {
		t.Errorf("why = %q, refs = %+v", why, d.Items[1].Refs)
	}
	web := mqttconnect.Way{Addr: broker, Version: mqttconnect.V5, Path: "/mqtt"}
	d = decided(t, mqttAnonymousRefused, verdict.Fail, append(brokerSurface(t), connected(t, takes(way5, sound), takes(web, "- ii rr -")))...)
	if got := verdictsAt(d); got["tcp/8883#mqtt-5-websocket"] != verdict.Fail {
		t.Errorf("verdicts = %v", got)
	}
}
