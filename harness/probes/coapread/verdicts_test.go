package coapread_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/coapwrite"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	"github.com/assay-iot/assay/harness/probes/internal/coapguest/guesttest"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/harness/probes/udpservices"
	"github.com/assay-iot/assay/internal/peers"
)

var key = probe.Login{ID: "app", User: "meter", Password: "correct-key-0001"}

// record is what a probe left behind.
func record[E any](t *testing.T, p *probe.Probe[E], e E) evidence.Record {
	t.Helper()
	data, err := evidence.Encode(e)
	require.NoError(t, err)
	return made(p.Name, p.Version, data)
}

func made(name string, version int, data json.RawMessage) evidence.Record {
	return evidence.Record{Unit: evidence.DUT, Probe: name, Version: version, Status: evidence.Collected, Data: data}
}

// judged runs coap-read and coap-write at these doors, and judges what they saw
// as if nothing else were there.
func judged(t *testing.T, said declaration.Evidence, doors ...coapdoor.Door) map[string]string {
	t.Helper()
	in := coaptest.New(t, key).Input
	in.Journal = guesttest.Journal{}
	pages := guesttest.Pages(said, doors...)
	in.Evidence = evidence.NewView(evidence.DUT, pages)
	read, readData, err := guesttest.Collect(t, t.Context(), in, coapread.Probe)
	require.NoError(t, err)
	pages[coapread.Probe.Name] = evidence.Page{Value: read}
	_, writeData, err := guesttest.Collect(t, t.Context(), in, coapwrite.Probe)
	require.NoError(t, err)
	udp, tcp := pages[udpservices.Probe.Name].Value.(udpservices.Evidence), pages[services.Probe.Name].Value.(services.Evidence)
	records := []evidence.Record{
		made(coapread.Probe.Name, coapread.Probe.Version, readData), made(coapwrite.Probe.Name, coapwrite.Probe.Version, writeData),
		record(t, declaration.Probe, said), record(t, udpservices.Probe, udp), record(t, services.Probe, tcp),
		record(t, tcpports.Probe, portsOf(tcp)),
	}
	return verdictsOf(t, records)
}

// portsOf is a look at all ports that found these ones open.
func portsOf(tcp services.Evidence) tcpports.Evidence {
	host := netip.MustParseAddr("127.0.0.1")
	e := tcpports.Evidence{Addrs: []netip.Addr{host}, Tried: tcpports.All}
	first := uint16(1)
	for _, s := range tcp.Services { // one at the most, here
		e.Open = append(e.Open, tcpports.Port{Addr: s.Addr, Seen: 2})
		e.Closed = append(e.Closed, tcpports.Range{Addr: host, First: first, Last: s.Addr.Port() - 1})
		first = s.Addr.Port() + 1
	}
	e.Closed = append(e.Closed, tcpports.Range{Addr: host, First: first, Last: 65535})
	return e
}

// judgedHere are the checks that need no more than these probes.
var judgedHere = []string{"coap.endpoint-encrypted", "coap.read-authenticated", "coap.write-authenticated", "coap.no-plaintext-side-door", "coap.amplification-bounded"}

func verdictsOf(t *testing.T, records []evidence.Record) map[string]string {
	t.Helper()
	got, all := map[string]string{}, checks.ByID()
	for _, id := range judgedHere {
		d, defects := check.Judge(all[id], nil, records)
		assert.Empty(t, defects)
		got[id] = string(d.Verdict)
		for _, i := range d.Items {
			t.Logf("%s %s %s: %s", id, i.Verdict, i.Endpoint, i.Why)
		}
	}
	return got
}

// want gives the verdicts in the order of judgedHere.
func want(v ...string) map[string]string {
	m := map[string]string{}
	for i, id := range judgedHere {
		m[id] = v[i]
	}
	return m
}

// setpoint is what the manufacturer says of the servers of this test.
func setpoint(public evidence.Tri, path declaration.Text, more ...declaration.Resource) declaration.Evidence {
	return guesttest.Server("app", append(more, declaration.Resource{Path: path, Public: public, TestValues: []declaration.Text{"21", "22"}})...)
}

func TestVerdictsOnSmallDevices(t *testing.T) {
	t.Parallel()
	const pass, fail, open, none = "pass", "fail", "inconclusive", "not_applicable"
	resources := func(refuse coapwire.Code) []coaptest.Resource {
		return []coaptest.Resource{{Path: "/setpoint", Payload: "20", Writable: true, Refuse: refuse}}
	}
	tests := []struct {
		name  string
		rules coaptest.Rules
		doors func(*coaptest.Device) []coapdoor.Door
		want  map[string]string
	}{
		{"sound", coaptest.Rules{Keys: keysOf(), Resources: resources(coapwire.Unauthorized)}, bothDoors, want(pass, pass, pass, pass, pass)},
		{"inside_alone", coaptest.Rules{Keys: keysOf(), Resources: resources(0)}, func(d *coaptest.Device) []coapdoor.Door { return []coapdoor.Door{d.DTLS()} }, want(pass, pass, pass, pass, none)},
		{"side_door", coaptest.Rules{Keys: keysOf(), Resources: resources(0)}, bothDoors, want(fail, fail, fail, fail, pass)},
		{"in_clear_alone", coaptest.Rules{Resources: resources(0)}, func(d *coaptest.Device) []coapdoor.Door { return []coapdoor.Door{d.UDP()} }, want(fail, fail, fail, none, pass)},
		{"refused_to_all", coaptest.Rules{Resources: resources(coapwire.Forbidden)}, func(d *coaptest.Device) []coapdoor.Door { return []coapdoor.Door{d.UDP()} }, want(pass, open, open, none, pass)},
		{"rejects_all", coaptest.Rules{First: func(m coapwire.Message) ([]coapwire.Message, bool) {
			return []coapwire.Message{{Type: coapwire.Reset, ID: m.ID}}, true
		}}, func(d *coaptest.Device) []coapdoor.Door { return []coapdoor.Door{d.UDP()} }, want(open, open, open, none, open)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			device := coaptest.NewDevice(t, tt.rules)
			got := judged(t, setpoint(evidence.No, "/setpoint"), tt.doors(device)...)
			assert.Equal(t, tt.want, got)
		})
	}
}

func keysOf() map[string]string { return map[string]string{key.User: key.Password} }

func bothDoors(d *coaptest.Device) []coapdoor.Door { return []coapdoor.Door{d.UDP(), d.DTLS()} }

// libcoap's server opens its ports in clear whatever key or certificate it has.
// What it holds at first fills two blocks, the first of which is twenty times as
// large as the request.
func TestVerdictsOnLibCoAP(t *testing.T) {
	t.Parallel()
	const pass, fail, open, none = "pass", "fail", "inconclusive", "not_applicable"
	cert := peers.NewAuthority(t).Issue(t, "127.0.0.1")
	said := setpoint(evidence.No, "/example_data", declaration.Resource{Path: "/time", Public: evidence.Yes}, declaration.Resource{Path: "/", Public: evidence.Yes}, declaration.Resource{Path: "/async", Public: evidence.Yes})
	tests := []struct {
		name string
		args []string
		dtls bool
		want map[string]string
	}{
		{"plain", nil, false, want(fail, fail, fail, none, open)},
		{"psk", []string{"-k", key.Password, "-h", "hint"}, true, want(fail, fail, fail, fail, open)},
		{"pki", []string{"-c", cert.CertFile, "-j", cert.KeyFile, "-n"}, true, want(fail, fail, fail, fail, open)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			udp, tcp, dtls := coaptest.LibCoAP(t, tt.args...)
			doors := []coapdoor.Door{udp, tcp}
			if tt.dtls {
				doors[1] = dtls
			}
			assert.Equal(t, tt.want, judged(t, said, doors...))
		})
	}
}
