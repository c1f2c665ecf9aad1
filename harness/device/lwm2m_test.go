package device

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const meter = `device: {id: meter}
ixit:
  soft_serv: []
  lwm2m:
    bootstrap_server: coap://127.0.0.2:5783
    server: "coaps://[2001:db8::2]"
    endpoint_name: urn:dev:meter-1
    credential: meter
    retry: 90s
credentials:
  - {id: meter, service: lwm2m, user: meter-1, password: {env: METER}, encoding: hex}
`

func TestLwM2M(t *testing.T) {
	f := parse(t, meter)
	want := &LwM2M{
		BootstrapServer: Server{InClear, netip.MustParseAddrPort("127.0.0.2:5783")},
		Server:          Server{InsideDTLS, netip.MustParseAddrPort("[2001:db8::2]:5684")},
		EndpointName:    "urn:dev:meter-1", Credential: "meter", Retry: Interval{90 * time.Second},
	}
	assert.Equal(t, want, f.IXIT.LwM2M)
	again, err := Parse("again.yaml", f.Effective(), "")
	require.NoError(t, err, string(f.Effective()))
	assert.Equal(t, want, again.IXIT.LwM2M)
	assert.Empty(t, Server{}.String())
	assert.Nil(t, parse(t, "device: {id: a}").IXIT.LwM2M)
}

func TestLwM2MThatIsWrong(t *testing.T) {
	const head = "device: {id: a}\ncredentials: [{id: web, service: http, user: a, password: {env: A}}]\nixit:\n  lwm2m: {"
	for text, says := range map[string]string{
		"server: coap//127.0.0.2":                                           "is no server",
		"server: http://127.0.0.2":                                          "is no server",
		"server: coap://127.0.0.2/rd":                                       "is no server",
		"server: 'coap://user@127.0.0.2'":                                   "is no server",
		"server: 'coap://127.0.0.2?ep=a'":                                   "is no server",
		"server: 'coap://'":                                                 "is no server",
		"server: coap://lwm2m.example":                                      "does not name an address",
		"server: 'coap://[fe80::1%25eth0]'":                                 "is no server",
		"server: coap://127.0.0.2:0":                                        "is no port",
		"server: coap://127.0.0.2:65536":                                    "is no port",
		"server: coap://0.0.0.0:5683":                                       "more than one machine",
		"bootstrap_server: coap://224.0.1.187":                              "more than one machine",
		"server: coap://127.0.0.2, bootstrap_server: coap://127.0.0.2:5683": "both servers are at 127.0.0.2:5683",
		"used: no, server: coap://127.0.0.2":                                "a client that is not used",
		"credential: nobody":                                                `there is no credential "nobody"`,
		"credential: web":                                                   `is for service "http"`,
		"retry: often":                                                      "is no length of time",
		"retry: 500ms":                                                      "is no length of time",
		"retry: -5s":                                                        "is no length of time",
		"retry: 1h":                                                         "does not wait longer than 15m0s",
		"sever: coap://127.0.0.2":                                           `did you mean`,
	} {
		_, err := Parse("a.yaml", []byte(head+text+"}\n"), t.TempDir())
		if strings.HasPrefix(says, "did") {
			e, _ := err.(*Error)
			require.NotNil(t, e, text)
			assert.Contains(t, e.Hint, says)
			continue
		}
		assert.ErrorContains(t, err, says, text)
		assert.ErrorContains(t, err, `"a.yaml", line 4`, text)
	}
}

func TestLwM2MLint(t *testing.T) {
	about := func(text string) (list []string) {
		for _, n := range parse(t, text).Lint() {
			if said := n.What.String(); strings.Contains(said, "LwM2M") || strings.Contains(said, "tries again") {
				list = append(list, said)
			}
		}
		return list
	}
	assert.Empty(t, about(meter))
	assert.Empty(t, about("device: {id: a}"), "a device without LwM2M is asked nothing")
	assert.Empty(t, about("device: {id: a}\nixit: {lwm2m: {used: no}}"))
	assert.Len(t, about("device: {id: a}\nixit: {lwm2m: {used: yes}}"), 2)
	assert.Len(t, about("device: {id: a}\nixit: {lwm2m: {server: coap://127.0.0.2}}"), 1, "in clear no key is needed")
	assert.Len(t, about("device: {id: a}\nixit: {lwm2m: {server: coaps://127.0.0.2, retry: 5s}}"), 1)
}
