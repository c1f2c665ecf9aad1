package declaration

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
)

const file = `device: {id: lock, manufacturer: Assay Labs, model: "<Hub> & é", firmware: 1.10, mac: 02-00-5E-10-00-0A, addresses: [192.168.1.20, "fe80::1"]}
ics:
  features: {telemetry: no, passwords: yes}
  provisions:
    "5.5-5": {support: no, justification: no room}
    "5.1-1": {support: yes}
    "5.3-2": {support: no, justification: "  "}
ixit:
  soft_serv:
    - id: broker
      status: enabled
      tcp: [8883, 1883]
      protocol: mqtt
      tls: yes
      allows_configuration: no
      mqtt:
        identities: [{credential: alice, topics: [a/#], canary: test/a}]
        public_topics: ["$SYS/uptime"]
        reads_all: alice
    - {id: console, status: disabled, tcp: [23]}
    - {id: discovery, udp: [5353]}
    - id: sensor
      udp: [5684]
      protocol: coap
      server_names: [sensor.example]
      client_certificate: no
      coap: {credential: alice, oscore: no, resources: [{path: /t, public: yes}, {path: /s, public: no, observable: yes, test_values: ["20", "21"]}]}
  lwm2m: {bootstrap_server: coap://127.0.0.2:5783, server: coaps://127.0.0.2, endpoint_name: lock-1, credential: bob, retry: 30s}
credentials: [{id: bob, service: lwm2m, user: lock-1, password: {env: CANARY_NAME}}, {id: alice, service: mqtt, user: alice, password: {env: CANARY_NAME}}]
`

var (
	noMQTT = MQTT{Identities: []Identity{}, PublicTopics: []Text{}}
	noCoAP = CoAP{Resources: []Resource{}}
)

// record runs the probe and reads its record back as a judge does.
func record(t *testing.T, in probe.Input) (Evidence, string) {
	t.Helper()
	end, err := Probe.Begin(t.Context(), in)
	require.NoError(t, err)
	data, err := end(t.Context())
	require.NoError(t, err)
	page, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: data})
	require.NoError(t, err)
	return page.Value.(Evidence), string(data)
}

func given(t *testing.T, text string) probe.Input {
	t.Helper()
	f, err := device.Parse("lock.yaml", []byte(text), "")
	require.NoError(t, err)
	return probe.Input{Given: &probe.Given{Device: f}}
}

func TestDeclaration(t *testing.T) {
	got, data := record(t, given(t, file))
	want := Evidence{
		Given: evidence.Yes,
		Device: Device{ID: "lock", Manufacturer: "Assay Labs", Model: "<Hub> & é", Firmware: "1.10", MAC: "02:00:5e:10:00:0a",
			Addresses: []Text{"192.168.1.20", "fe80::1"}},
		Features:   []Answer{{"passwords", evidence.Yes}, {"telemetry", evidence.No}},
		Provisions: []Provision{{"5.1-1", evidence.Yes, evidence.No}, {"5.3-2", evidence.No, evidence.No}, {"5.5-5", evidence.No, evidence.Yes}},
		Listed:     evidence.Yes,
		Services: []Service{
			{ID: "broker", Enabled: evidence.Yes, TCP: []uint16{8883, 1883}, UDP: []uint16{}, Protocol: "mqtt", TLS: evidence.Yes, Configuration: evidence.No,
				ServerNames: []Text{},
				MQTT:        MQTT{Identities: []Identity{{"alice", []Text{"a/#"}, "test/a"}}, PublicTopics: []Text{"$SYS/uptime"}, ReadsAll: "alice"}, CoAP: noCoAP},
			{ID: "console", Enabled: evidence.No, TCP: []uint16{23}, UDP: []uint16{}, ServerNames: []Text{}, MQTT: noMQTT, CoAP: noCoAP},
			{ID: "discovery", TCP: []uint16{}, UDP: []uint16{5353}, ServerNames: []Text{}, MQTT: noMQTT, CoAP: noCoAP},
			{ID: "sensor", TCP: []uint16{}, UDP: []uint16{5684}, Protocol: "coap", ServerNames: []Text{"sensor.example"}, ClientCertificate: evidence.No, MQTT: noMQTT,
				CoAP: CoAP{Credential: "alice", OSCORE: evidence.No, Resources: []Resource{
					{"/t", evidence.Yes, evidence.Unknown, []Text{}}, {"/s", evidence.No, evidence.Yes, []Text{"20", "21"}},
				}}},
		},
		LwM2M: LwM2M{evidence.Yes, "coap://127.0.0.2:5783", "coaps://127.0.0.2:5684", "lock-1", "bob", 30 * time.Second},
	}
	assert.Equal(t, want, got)
	assert.NotContains(t, data, "CANARY_NAME", "where a secret lies is nobody's business")
	assert.Equal(t, map[string]evidence.Tri{"passwords": evidence.Yes, "telemetry": evidence.No}, got.Answers())
	assert.Equal(t, map[string]evidence.Tri{"5.1-1": evidence.Yes, "5.3-2": evidence.No, "5.5-5": evidence.No}, got.Supported())
}

func TestNothingDeclared(t *testing.T) {
	got, _ := record(t, probe.Input{Given: &probe.Given{}})
	assert.Equal(t, evidence.No, got.Given)
	assert.Equal(t, evidence.Unknown, got.Listed, "without a file, nothing is said of services")
	assert.Empty(t, got.Services)

	got, _ = record(t, given(t, "device: {id: a}"))
	assert.Equal(t, evidence.Yes, got.Given)
	assert.Equal(t, evidence.No, got.Listed)

	got, _ = record(t, given(t, "device: {id: a}\nixit: {soft_serv: []}"))
	assert.Equal(t, evidence.Yes, got.Listed, "an empty list declares that there is no service")
	assert.Equal(t, LwM2M{}, got.LwM2M, "nothing is said of LwM2M")

	got, _ = record(t, given(t, "device: {id: a}\nixit: {lwm2m: {used: no}}"))
	assert.Equal(t, LwM2M{Used: evidence.No}, got.LwM2M)
}

func TestNothingHandedIn(t *testing.T) {
	end, err := Probe.Begin(t.Context(), probe.Input{})
	require.NoError(t, err)
	_, err = end(t.Context())
	assert.ErrorIs(t, err, errNothingGiven)
}

func TestEvidenceIsReadStrictly(t *testing.T) {
	require.NoError(t, evidence.CheckType(Probe.Info().Evidence))
	_, data := record(t, given(t, file))
	for _, broken := range []string{
		strings.Replace(data, `"given":"yes",`, "", 1),
		strings.Replace(data, `"given":"yes"`, `"given":null`, 1),
		strings.Replace(data, `"given":"yes"`, `"given":true`, 1),
		strings.Replace(data, `{"given"`, `{"more":1,"given"`, 1),
		data + " ",
	} {
		_, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: []byte(broken)})
		assert.Error(t, err, broken[:40])
	}
}

// The same file has the same record, in whatever order its maps are read.
func TestRecordIsTheSameEveryTime(t *testing.T) {
	_, first := record(t, given(t, file))
	for range 20 {
		_, again := record(t, given(t, file))
		require.Equal(t, first, again)
	}
}

// Version 1 said nothing of names and CoAP: so does what is made of it.
func TestOlderRecords(t *testing.T) {
	const one = `{"given":"yes","device":{"id":"lock","manufacturer":"","model":"","hardware":"","firmware":"","serial":"","mac":"","type":"","addresses":[]},` +
		`"features":[],"provisions":[],"services_listed":"yes","services":[{"id":"broker","enabled":"yes","tcp":[8883],"udp":[],"protocol":"mqtt","tls":"yes",` +
		`"allows_configuration":"no","mqtt":{"identities":[],"public_topics":[],"reads_all":"alice"}}]}`
	page, err := Probe.Open(evidence.Record{Version: 1, Data: []byte(one)})
	require.NoError(t, err)
	got := page.Value.(Evidence)
	assert.Equal(t, Text("lock"), got.Device.ID)
	assert.Equal(t, LwM2M{}, got.LwM2M)
	assert.Equal(t, []Service{{ID: "broker", Enabled: evidence.Yes, TCP: []uint16{8883}, UDP: []uint16{}, Protocol: "mqtt", TLS: evidence.Yes,
		Configuration: evidence.No, ServerNames: []Text{}, MQTT: MQTT{[]Identity{}, []Text{}, "alice"}, CoAP: noCoAP}}, got.Services)
	for _, bad := range []struct {
		version int
		data    string
	}{{0, one}, {1, strings.Replace(one, `"tls":"yes",`, "", 1)}, {3, one}} {
		_, err := Probe.Open(evidence.Record{Version: bad.version, Data: []byte(bad.data)})
		assert.Error(t, err)
	}
}
