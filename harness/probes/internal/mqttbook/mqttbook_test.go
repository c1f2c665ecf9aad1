package mqttbook

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
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

// A door over WebSocket is one beside those of the listeners, each once.
func TestDoors(t *testing.T) {
	mqtt, http := netip.MustParseAddrPort("192.0.2.1:1883"), netip.MustParseAddrPort("192.0.2.1:80")
	var seen mqttconnect.Evidence
	for _, d := range append(mqttdoor.DoorsAt(mqtt, evidence.No, ""), mqttdoor.DoorsAt(http, evidence.No, "/mqtt")...) {
		seen.Doors = append(seen.Doors, mqttconnect.Door{Way: d})
	}
	found := services.Evidence{Services: []services.Service{{Addr: http, Protocol: services.HTTP, TLS: evidence.No}, {Addr: mqtt, Protocol: services.MQTT, TLS: evidence.No}}}
	doors := func(seen mqttconnect.Evidence) (names []string) {
		for _, d := range Doors(evidence.NewView(evidence.DUT, map[string]evidence.Page{mqttconnect.Probe.Name: {Value: seen}, services.Probe.Name: {Value: found}})) {
			names = append(names, d.Endpoint().Key)
		}
		return names
	}
	want := []string{"tcp/1883#mqtt-311", "tcp/1883#mqtt-5", "tcp/80#mqtt-311-websocket", "tcp/80#mqtt-5-websocket"}
	if got := doors(seen); !slices.Equal(got, want) {
		t.Errorf("doors = %q", got)
	}
	if got := doors(mqttconnect.Evidence{}); !slices.Equal(got, want[:2]) {
		t.Errorf("without mqtt-connect: %q", got)
	}
}
