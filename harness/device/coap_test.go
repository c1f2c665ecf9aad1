package device

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sensor = `device: {id: sensor}
ixit:
  soft_serv:
    - id: coap
      status: enabled
      udp: [5684]
      protocol: coap
      tls: yes
      server_names: [sensor.example]
      client_certificate: no
      coap:
        credential: app
        oscore: no
        resources:
          - {path: /temperature, public: yes}
          - {path: /setpoint, public: no, observable: yes, test_values: ["20", "21"]}
credentials:
  - {id: app, service: coap, user: app, password: {file: psk}, encoding: hex}
`

func TestCoAP(t *testing.T) {
	f := parse(t, sensor)
	s := f.IXIT.SoftServ[0]
	assert.Equal(t, []string{"sensor.example"}, s.ServerNames)
	assert.Equal(t, No, s.ClientCert)
	assert.Equal(t, &CoAP{Credential: "app", OSCORE: No, Resources: []CoAPResource{
		{Path: "/temperature", Public: Yes},
		{Path: "/setpoint", Public: No, Observable: Yes, TestValues: []string{"20", "21"}},
	}}, s.CoAP)
}

func TestCoAPThatIsWrong(t *testing.T) {
	const head = "device: {id: a}\nixit: {soft_serv: [{id: s, protocol: coap, udp: [5683], coap: "
	for coap, says := range map[string]string{
		"{credential: nobody}":                          `there is no credential "nobody"`,
		"{resources: [{path: t}]}":                      `"t" is not a path of CoAP`,
		"{resources: [{}]}":                             `"" is not a path of CoAP`,
		`{resources: [{path: "/t?x"}]}`:                 `"/t?x" is not a path of CoAP`,
		"{resources: [{path: /t}, {path: /t}]}":         `"/t" is listed twice`,
		`{resources: [{path: /t, test_values: ["1"]}]}`: "holds one value",
		"{resources: [{path: /t, publik: yes}]}":        "publik",
		"{resources: [{path: /t, public: everybody}]}":  "everybody",
	} {
		_, err := Parse("a.yaml", []byte(head+coap+"}]}\n"), t.TempDir())
		assert.ErrorContains(t, err, says, coap)
		assert.ErrorContains(t, err, `"a.yaml", line 2`, coap)
	}
}

func TestCoAPLint(t *testing.T) {
	texts := func(text string) (list []string) {
		for _, n := range parse(t, text).Lint() {
			list = append(list, n.What.String())
		}
		return list
	}
	bare := texts("device: {id: a}\nixit: {soft_serv: [{id: s, status: enabled, protocol: coap, udp: [5683]}]}\n")
	assert.Contains(t, bare, "CoAP service s lists no resource: what answers without a log-in cannot be told from what should not")
	assert.Contains(t, bare, "CoAP service s names no log-in: that a resource is protected cannot be told from one that is broken")
	open := texts("device: {id: a}\nixit: {soft_serv: [{id: s, status: enabled, protocol: coap, udp: [5683], coap: {resources: [{path: /t}]}}]}\n")
	assert.Contains(t, open, "resource /t does not say whether it is public")
	for _, said := range texts(sensor) {
		assert.NotContains(t, said, "CoAP")
	}
}

// A key of a pre-shared secret is bytes, not text.
func TestSecretsInHex(t *testing.T) {
	dir := t.TempDir()
	read := func(secret string) ([]Login, error) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "psk"), []byte(secret), 0o600))
		f, err := Parse("a.yaml", []byte(sensor), dir)
		require.NoError(t, err)
		list, _, err := f.Secrets("coap")
		return list, err
	}
	list, err := read("00fF10\n")
	require.NoError(t, err)
	assert.Equal(t, []Login{{"app", "app", "\x00\xff\x10"}}, list)
	for _, bad := range []string{"0", "xy", "secret"} {
		_, err := read(bad)
		require.ErrorContains(t, err, "not hexadecimal")
		assert.NotContains(t, err.Error(), "secret\"")
	}
	_, err = Parse("a.yaml", []byte("device: {id: a}\ncredentials: [{id: a, service: coap, user: a, password: {env: A}, encoding: base64}]\n"), dir)
	assert.ErrorContains(t, err, `"base64" is no encoding`)
}
