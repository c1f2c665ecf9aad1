package mqttbook

import (
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
)

// given are log-ins of a device file.
type given struct{ probe.Logins }

// For returns two log-ins for MQTT.
func (given) For(service string) []probe.Login {
	if service != "mqtt" {
		return nil
	}
	return []probe.Login{{ID: "app", User: "u1"}, {ID: "lock", User: "u2"}}
}

// What mqtt-connect learned of a log-in holds for the probes after it.
func TestOpenTakesOverWhatWasLearned(t *testing.T) {
	accepted, refused := mqttconnect.Answer{Outcome: mqttconnect.Accepted}, mqttconnect.Answer{Outcome: mqttconnect.Refused}
	tests := []struct {
		name  string
		doors []mqttconnect.Door
		first string
		want  mqttdoor.Standing
	}{
		{"nothing_seen", nil, "app", mqttdoor.Untold},
		{"accepted", []mqttconnect.Door{{Credential: "app", Before: accepted, After: accepted}}, "app", mqttdoor.Proven},
		{"another_accepted", []mqttconnect.Door{{Credential: "lock", Before: accepted}}, "lock", mqttdoor.Proven},
		{"refused", []mqttconnect.Door{{Credential: "app", Before: refused}}, "lock", mqttdoor.Untold},
		{"refused_at_one_door", []mqttconnect.Door{{Credential: "app", Before: accepted}, {Credential: "app", Before: refused}}, "lock", mqttdoor.Untold},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pages := map[string]evidence.Page{mqttconnect.Probe.Name: {Value: mqttconnect.Evidence{Doors: tt.doors}}}
			first := Open(probe.Input{Logins: given{}, Evidence: evidence.NewView(evidence.DUT, pages)}).First()
			if first == nil || first.ID() != tt.first || first.Standing() != tt.want {
				t.Errorf("first = %+v, want %s, %s", first, tt.first, tt.want)
			}
		})
	}
}
