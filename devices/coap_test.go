package devices

import (
	"fmt"
	"io/fs"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	coaptcp "github.com/plgd-dev/go-coap/v3/tcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func within(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-time.After(patience):
		return false
	}
}

// What a door lets through, by the faults that are on.
func TestDoors(t *testing.T) {
	get, put, del := codes.GET, codes.PUT, codes.DELETE
	for _, tt := range []struct {
		name   string
		faults []string
		secure bool
		q      request
		want   codes.Code
	}{
		{"inside_read", nil, true, request{code: get, path: "/temperature"}, codes.Content},
		{"inside_write", nil, true, request{code: put, path: "/setpoint", body: "19.5"}, codes.Changed},
		{"inside_write_nonsense", nil, true, request{code: put, path: "/setpoint", body: "warm"}, codes.BadRequest},
		{"inside_write_sensor", nil, true, request{code: put, path: "/temperature", body: "19.5"}, codes.MethodNotAllowed},
		{"inside_delete", nil, true, request{code: del, path: "/setpoint"}, codes.MethodNotAllowed},
		{"inside_unknown", nil, true, request{code: get, path: "/nothing"}, codes.NotFound},
		{"listing_written", nil, true, request{code: put, path: listingPath}, codes.MethodNotAllowed},
		{"clear_listing", nil, false, request{code: get, path: listingPath}, codes.Content},
		{"clear_read", nil, false, request{code: get, path: "/temperature"}, codes.Unauthorized},
		{"clear_write", nil, false, request{code: put, path: "/setpoint", body: "19.5"}, codes.Unauthorized},
		{"clear_observe", nil, false, request{code: get, path: "/temperature", observe: register}, codes.Unauthorized},
		{"side_door_read", []string{"coap_plain_side_door"}, false, request{code: get, path: "/setpoint"}, codes.Content},
		{"side_door_write", []string{"coap_plain_side_door"}, false, request{code: put, path: "/setpoint", body: "19.5"}, codes.Unauthorized},
		{"no_security_read", []string{"lwm2m_nosec_read"}, false, request{code: get, path: "/setpoint"}, codes.Content},
		{"write_open", []string{"coap_write_open"}, false, request{code: put, path: "/setpoint", body: "19.5"}, codes.Changed},
		{"write_open_read", []string{"coap_write_open"}, false, request{code: get, path: "/setpoint"}, codes.Unauthorized},
		{"observe_open", []string{"coap_observe_open"}, false, request{code: get, path: "/temperature", observe: register}, codes.Content},
		{"observe_open_read", []string{"coap_observe_open"}, false, request{code: get, path: "/temperature"}, codes.Unauthorized},
		{"observe_open_cancel", []string{"coap_observe_open"}, false, request{code: get, path: "/temperature", observe: deregister}, codes.Unauthorized},
		{"observe_open_other", []string{"coap_observe_open"}, false, request{code: get, path: "/setpoint", observe: register}, codes.Unauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := bootOf(t, "thermostat-hardened", tt.faults...)
			d := &coapDoor{boot: b, row: b.unit.file.IXIT.SoftServ[0].CoAP, secure: tt.secure, things: newResources(b)}
			got := d.answer(tt.q)
			assert.Equal(t, tt.want, got.code)
			assert.Equal(t, tt.want == codes.Content, got.body != "")
			assert.Equal(t, tt.q.observe == register && tt.want == codes.Content, got.watched)
		})
	}
}

// bootOf returns a boot of a device that was never switched on.
func bootOf(t *testing.T, name string, faults ...string) *boot {
	t.Helper()
	f, err := Load(Embedded(), name)
	require.NoError(t, err)
	f.Faults = *with(t, faults...)
	return &boot{number: 1, began: time.Now(), unit: unit{serial: "x", file: f.File, faults: f.Faults, oddities: f.Oddities}}
}

// A reading of a side door carries no notifications.
func TestSideDoorObservesNothing(t *testing.T) {
	b := bootOf(t, "thermostat-hardened", "coap_plain_side_door")
	d := &coapDoor{boot: b, row: b.unit.file.IXIT.SoftServ[0].CoAP, things: newResources(b)}
	got := d.answer(request{code: codes.GET, path: "/temperature", observe: register})
	assert.Equal(t, codes.Content, got.code)
	assert.False(t, got.watched)
}

func TestThermostat(t *testing.T) {
	d := thermostat(t)
	assert.Equal(t, []uint16{coapsPort}, slices.Collect(maps.Keys(d.UDPPorts)))
	c := asApp(t, d)
	code, value := coapGet(t, c, "/temperature")
	assert.Equal(t, codes.Content, code)
	assert.Regexp(t, `^2[0-9]\.[0-9]{2}$`, value)
	_, links := coapGet(t, c, listingPath)
	assert.Equal(t, "</temperature>;obs,</setpoint>,</firmware>", links)
	assert.Equal(t, codes.Changed, coapPut(t, c, "/setpoint", "19.5"))
	_, value = coapGet(t, asApp(t, d), "/setpoint")
	assert.Equal(t, "19.5", value, "seen by another client")
	assert.True(t, observed(t, c, "/temperature"))
	code, _ = coapGet(t, c, "/temperature", message.Option{ID: 9, Value: []byte{1}})
	assert.Equal(t, codes.BadOption, code, "an option that must be understood")
}

func TestWaterMeter(t *testing.T) {
	d := run(t, Spec{Name: "water-meter-hardened", Serial: "WM-7"})
	c, err := inDTLS(t, d.AtUDP(coapsPort), "utility", keyOf(t, d, "server"))
	require.NoError(t, err)
	for path, want := range map[string]string{"/3/0/0": "Assay Labs", "/3/0/1": "Water Meter", "/3/0/3": "4.0.2", "/1/0/1": "86400"} {
		_, got := coapGet(t, c, path)
		assert.Equal(t, want, got, path)
	}
	assert.True(t, observed(t, c, volumePath))
}

// A restart ends every session; the ports, the keys and what was declared stay.
func TestRestartOfCoAP(t *testing.T) {
	d := thermostat(t, "coap_plain_side_door")
	at := maps.Clone(d.UDPPorts)
	old := asApp(t, d)
	assert.Equal(t, codes.Changed, coapPut(t, old, "/setpoint", "19.5"))
	require.NoError(t, d.Restart(t.Context()))
	assert.Equal(t, at, d.UDPPorts)
	_, value := coapGet(t, asApp(t, d), "/setpoint")
	assert.Equal(t, "20.0", value)
	_, value = coapGet(t, inClear(t, d.AtUDP(plainCoAPPort)), "/setpoint")
	assert.Equal(t, "20.0", value)
	require.NoError(t, d.Power(t.Context(), false))
	assert.ErrorContains(t, ask(t, d, coapsPort), "refused", "nobody is there")
	require.NoError(t, d.Power(t.Context(), true))
	asApp(t, d)
}

// ask sends a datagram and returns what reading an answer ends with.
func ask(t *testing.T, d *Device, port uint16) error {
	t.Helper()
	c, err := net.Dial("udp", d.AtUDP(port).String())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte{0x40, 0, 0x12, 0x34}) // a CoAP ping
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(quiet)))
	_, err = c.Read(make([]byte, 100))
	return err
}

// Malformed datagrams are dropped, and kill nobody but the device that has that
// fault.
func TestMalformedDatagrams(t *testing.T) {
	for _, fault := range []string{"coap_large_listing", "coap_dies_on_malformed"} {
		d := thermostat(t, "coap_large_listing", fault)
		dies := fault == "coap_dies_on_malformed"
		c, err := net.Dial("udp", d.AtUDP(plainCoAPPort).String())
		require.NoError(t, err)
		// What is no CoAP at all harms no one: another protocol's question.
		_, err = c.Write([]byte("\x16\xfe\xff\x00\x00"))
		require.NoError(t, err)
		time.Sleep(quiet)
		require.NoError(t, ask(t, d, plainCoAPPort))
		_, err = c.Write([]byte{0x4f, 1, 0, 1}) // a token of 15 bytes
		require.NoError(t, err)
		time.Sleep(quiet)
		assert.Equal(t, dies, ask(t, d, plainCoAPPort) != nil, fault)
		require.NoError(t, c.Close())
		require.NoError(t, d.Restart(t.Context()))
		require.NoError(t, ask(t, d, plainCoAPPort))
	}
}

// A malformed datagram inside DTLS kills as well, and costs a sound device no
// session.
func TestMalformedInside(t *testing.T) {
	for _, dies := range []bool{false, true} {
		var d *Device
		if dies {
			d = thermostat(t, "coap_dies_on_malformed")
		} else {
			d = thermostat(t)
		}
		c := asApp(t, d)
		coapGet(t, c, "/temperature")
		_, err := c.NetConn().Write([]byte{0x40, 1, 0, 1, 0xff}) // a marker and no payload
		require.NoError(t, err)
		time.Sleep(quiet)
		if dies {
			assert.ErrorContains(t, ask(t, d, coapsPort), "refused")
			continue
		}
		coapGet(t, c, "/temperature")
	}
}

// The largest listing goes into one datagram, and is far larger than the
// question.
func TestLargeListing(t *testing.T) {
	d := thermostat(t, "coap_large_listing")
	c, err := net.Dial("udp", d.AtUDP(plainCoAPPort).String())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte("\x50\x01\x00\x07\xbb.well-known\x04core"))
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 2000)
	n, err := c.Read(b)
	require.NoError(t, err)
	assert.Greater(t, n, 800)
	m, ok := decode(b[:n])
	require.True(t, ok)
	assert.False(t, m.Options.HasOption(message.Block2), "in one datagram")
	code, _ := coapGet(t, inClear(t, d.AtUDP(plainCoAPPort)), "/temperature")
	assert.Equal(t, codes.Unauthorized, code)
}

// CoAP over TCP and TLS, where a maker declares it. TLS alone authenticates
// nobody: what is public is served, and nothing else.
func TestCoAPOverTCP(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{"device.yaml", "faults.yaml", "expected.yaml", "lab.md"} {
		b, err := fs.ReadFile(Embedded(), "thermostat-hardened/"+name)
		require.NoError(t, err)
		text := strings.Replace(string(b), "udp: [5684]", "udp: [5684]\n      tcp: [5684]", 1)
		files["mine/"+name] = &fstest.MapFile{Data: []byte(strings.Replace(text, "{path: /firmware, public: no", "{path: /firmware, public: yes", 1))}
	}
	d := run(t, Spec{Name: "mine", Files: files})
	config := trusting(t, d)
	c, err := coaptcp.Dial(d.At(coapsPort).String(), coapTLS(t, config)...)
	require.NoError(t, err)
	defer c.Close()
	code, value := coapGet(t, c, "/firmware")
	assert.Equal(t, codes.Content, code)
	assert.Equal(t, "1.8.0", value)
	code, _ = coapGet(t, c, "/temperature")
	assert.Equal(t, codes.Unauthorized, code)
}

// The odd device proves who asks before it answers at length, resets what it
// does not know, and holds a resource that is empty.
func TestOddCoAP(t *testing.T) {
	d := run(t, Spec{Name: "decoy-coap-tls"})
	c := inClear(t, d.AtUDP(plainCoAPPort))
	m, err := c.Get(t.Context(), listingPath)
	require.NoError(t, err)
	assert.Equal(t, codes.Unauthorized, m.Code())
	echo, err := m.GetOptionBytes(echoOption)
	require.NoError(t, err)
	assert.Len(t, echo, 8)
	code, links := coapGet(t, c, listingPath, message.Option{ID: echoOption, Value: echo})
	assert.Equal(t, codes.Content, code)
	assert.Greater(t, len(links), 800)
	code, value := coapGet(t, c, emptyPath)
	assert.Equal(t, codes.Content, code)
	assert.Empty(t, value)

	raw, err := net.Dial("udp", d.AtUDP(plainCoAPPort).String())
	require.NoError(t, err)
	defer raw.Close()
	_, err = raw.Write([]byte("\x41\x01\x12\x34\x07\xb7unknown"))
	require.NoError(t, err)
	require.NoError(t, raw.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 100)
	n, err := raw.Read(b)
	require.NoError(t, err)
	assert.Equal(t, []byte{0x70, 0, 0x12, 0x34}, b[:n], "a reset of that message")
	code, value = coapGet(t, asApp(t, d), "/model")
	assert.Equal(t, codes.Content, code)
	assert.Equal(t, "Contrary Sensor", value)
}

// Each fault of the thermostat alone changes what it says, and nothing else.
func TestEachCoAPFaultAlone(t *testing.T) {
	sound := thermostatConduct(t)
	clear := func(read, write, observe string) conduct {
		return conduct{"udp": fmt.Sprint([]uint16{plainCoAPPort, coapsPort}), "read": read, "write": write, "observe": observe}
	}
	const no = "4.01"
	for fault, changes := range map[string]conduct{
		"coap_plain_side_door": clear("2.05", no, "false"),
		"lwm2m_nosec_read":     clear("2.05", no, "false"),
		"coap_write_open":      clear(no, "2.04", "false"),
		"coap_observe_open":    clear(no, no, "true"),
		"coap_large_listing":   clear(no, no, "false"),
		"dtls_default_psk":     {"default key": "true"},
		"dtls_old_version":     {"DTLS 1.0": "true"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			want := maps.Clone(sound)
			maps.Copy(want, changes)
			assert.Equal(t, want, thermostatConduct(t, fault))
		})
	}
}

func thermostatConduct(t *testing.T, faults ...string) conduct {
	t.Helper()
	d := thermostat(t, faults...)
	c := conduct{"tcp": fmt.Sprint(slices.Sorted(maps.Keys(d.Ports))), "udp": fmt.Sprint(slices.Sorted(maps.Keys(d.UDPPorts)))}
	_, err := inDTLS(t, d.AtUDP(coapsPort), defaultIdentity, []byte(defaultKey))
	c["default key"] = fmt.Sprint(err == nil)
	_, err = inDTLS(t, d.AtUDP(coapsPort), "stranger", []byte("stranger"))
	c["random key"] = fmt.Sprint(err == nil)
	c["DTLS 1.0"] = fmt.Sprint(takesOldDTLS(t, d))
	asApp(t, d)
	if !d.AtUDP(plainCoAPPort).IsValid() {
		return c
	}
	plain := inClear(t, d.AtUDP(plainCoAPPort))
	code, _ := coapGet(t, plain, "/temperature")
	c["read"] = dotted(code)
	c["write"] = dotted(coapPut(t, plain, "/setpoint", "19.5"))
	c["observe"] = fmt.Sprint(code != codes.Content && observed(t, plain, "/temperature"))
	return c
}

// dotted writes a code as RFC 7252 does.
func dotted(c codes.Code) string { return fmt.Sprintf("%d.%02d", c>>5, c&31) }
