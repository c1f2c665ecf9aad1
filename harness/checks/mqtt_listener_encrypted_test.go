package checks

import (
	"testing"

	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/mqttconnect"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/verdict"
)

// inside is a service inside TLS.
func inside(s services.Service) services.Service {
	s.TLS = evidence.Yes
	return s
}

func TestMQTTListenerEncrypted(t *testing.T) {
	unknown := speaks(broker, services.MQTT, 2)
	unknown.TLS = evidence.Unknown
	tests := []struct {
		name string
		list []services.Service
		want verdict.Verdict
	}{
		{"inside_tls", []services.Service{inside(speaks(broker, services.MQTT, 2))}, verdict.Pass},
		{"tls_inside_1883", []services.Service{inside(speaks(odd, services.MQTT, 2))}, verdict.Pass},
		{"plain_inside_8883", []services.Service{speaks(broker, services.MQTT, 2)}, verdict.Fail},
		{"plain_beside_tls", []services.Service{speaks(odd, services.MQTT, 2), inside(speaks(broker, services.MQTT, 2))}, verdict.Fail},
		{"plain_once", []services.Service{speaks(broker, services.MQTT, 1)}, verdict.Inconclusive},
		{"inside_tls_once", []services.Service{inside(speaks(broker, services.MQTT, 1))}, verdict.Inconclusive},
		{"not_known", []services.Service{unknown}, verdict.Inconclusive},
		{"beside_an_unknown_port", []services.Service{speaks(odd, services.Unidentified, 0), inside(speaks(broker, services.MQTT, 2))}, verdict.Inconclusive},
		{"plain_beside_an_unknown_port", []services.Service{speaks(odd, services.Unidentified, 0), speaks(broker, services.MQTT, 2)}, verdict.Fail},
		{"something_inside_tls", []services.Service{inside(speaks(broker, services.OtherTLS, 2))}, verdict.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records := append(spokenAt(t, tt.list...), connected(t))
			decided(t, mqttListenerEncrypted, tt.want, records...)
			onPart(t, mqttListenerEncrypted, tt.want, records[1], records[0], records[2])
			records[0] = checktest.Record(t, tcpports.Probe, tcpports.Evidence{})
			want := verdict.Inconclusive
			if tt.want == verdict.Fail {
				want = verdict.Fail
			}
			decided(t, mqttListenerEncrypted, want, records...)
		})
	}
	withoutBroker(t, mqttListenerEncrypted, connected(t))
}

func TestMQTTOverWebSocketEncrypted(t *testing.T) {
	door := mqttconnect.Way{Addr: web, TLS: evidence.No, Version: mqttconnect.V5, Path: "/mqtt"}
	tests := []struct {
		name   string
		secure evidence.Tri
		mqtt   evidence.Tri
		door   string
		want   verdict.Verdict
		items  int
	}{
		{"none_behind_plain_http", evidence.No, evidence.No, "", verdict.Pass, 1},
		{"none_behind_https", evidence.Yes, evidence.No, "", verdict.Pass, 1},
		{"plain", evidence.No, evidence.Yes, "- rr rr -", verdict.Fail, 2},
		{"plain_and_open", evidence.No, evidence.Yes, "- ii rr -", verdict.Fail, 2},
		{"plain_answered_once", evidence.No, evidence.Yes, "- rs rr -", verdict.Inconclusive, 2},
		{"inside_tls", evidence.Yes, evidence.Yes, "- rr rr -", verdict.Pass, 2},
		{"not_seen_in_plain_http", evidence.No, evidence.Unknown, "", verdict.Inconclusive, 2},
		{"not_seen_in_https", evidence.Yes, evidence.Unknown, "", verdict.Pass, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page := speaks(web, services.HTTP, 2)
			page.TLS = tt.secure
			e := mqttconnect.Evidence{Doors: []mqttconnect.Door{takes(way5, sound)}, Web: []mqttconnect.Web{{Addr: web, TLS: tt.secure, MQTT: tt.mqtt}}}
			if tt.door != "" {
				e.Doors = append(e.Doors, takes(door, tt.door))
			}
			surface := spokenAt(t, page, inside(speaks(broker, services.MQTT, 2)))
			d := decided(t, mqttListenerEncrypted, tt.want, append(surface, checktest.Record(t, mqttconnect.Probe, e))...)
			if len(d.Items) != tt.items {
				t.Errorf("items = %+v", d.Items)
			}
		})
	}
	t.Run("nobody_asked_plain_http", func(t *testing.T) {
		surface := spokenAt(t, speaks(web, services.HTTP, 2), inside(speaks(broker, services.MQTT, 2)))
		decided(t, mqttListenerEncrypted, verdict.Inconclusive, append(surface, connected(t, takes(way5, sound)))...)
	})
}
