package coapmalformed

import (
	"crypto/tls"
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor/coaptest"
	"github.com/assay-iot/assay/harness/probes/internal/coapwire"
	"github.com/assay-iot/assay/internal/peers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var app = probe.Login{ID: "app", User: "app", Password: "a key of 16 byte"}

// thermostat says for how long it has been running.
func thermostat(t *testing.T, change func(*coaptest.Rules)) (*coaptest.Device, *atomic.Int64) {
	t.Helper()
	var up atomic.Int64
	up.Store(100)
	r := coaptest.Rules{
		Keys:      map[string]string{app.User: app.Password},
		TLS:       &tls.Config{Certificates: []tls.Certificate{peers.NewAuthority(t).Issue(t, "device").TLS}},
		Resources: []coaptest.Resource{{Path: "/uptime", Payload: "100 s"}, {Path: "/t", Payload: "21", Observable: true}},
		First: func(m coapwire.Message) ([]coapwire.Message, bool) {
			if m.Path() != "/uptime" {
				return nil, false
			}
			return []coapwire.Message{{Type: coapwire.Acknowledgement, Code: coapwire.Content, ID: m.ID, Token: m.Token, Payload: []byte(strconv.FormatInt(up.Add(1), 10))}}, true
		},
	}
	if change != nil {
		change(&r)
	}
	return coaptest.NewDevice(t, r), &up
}

// visited is what coap-read says where it visited a door.
func visited(in probe.Input, doors ...coapdoor.Door) probe.Input {
	var e coapread.Evidence
	for _, d := range doors {
		e.Visits = append(e.Visits, coapread.Visit{Door: d, Reader: coapread.Stranger})
	}
	in.Evidence = evidence.NewView(evidence.DUT, map[string]evidence.Page{
		coapread.Probe.Name: {Value: e}, declaration.Probe.Name: {Value: declaration.Evidence{Given: evidence.No}},
	})
	return in
}

func TestASoundDeviceTakesThemAll(t *testing.T) {
	t.Parallel()
	for over, kind := range map[coapdoor.Transport]WitnessKind{
		coapdoor.UDP: Counter, coapdoor.DTLS: Idle, coapdoor.TCP: Idle, coapdoor.TLS: Idle, coapdoor.WS: Idle,
	} {
		t.Run(string(over), func(t *testing.T) {
			t.Parallel()
			device, _ := thermostat(t, nil)
			door := map[coapdoor.Transport]func() coapdoor.Door{
				coapdoor.UDP: device.UDP, coapdoor.DTLS: device.DTLS, coapdoor.TCP: device.TCP, coapdoor.TLS: device.TLS, coapdoor.WS: device.WS,
			}[over]()
			bench := coaptest.New(t, app)
			e, err := run(t.Context(), visited(bench.Input, door))
			require.NoError(t, err)
			require.Len(t, e.Doors, 1)
			d := e.Doors[0]
			assert.Equal(t, Listing, d.Control)
			assert.Equal(t, coapdoor.Answered, d.Before)
			assert.Equal(t, coapdoor.Answered, d.After)
			assert.Empty(t, d.Looks)
			assert.Equal(t, kind, d.Witness.Kind)
			assert.Equal(t, evidence.Yes, d.Witness.Held)
			assert.Empty(t, d.Witness.Drops)
			assert.Len(t, d.Messages, messages)
			assert.Equal(t, messages, d.Corpus)
			for _, m := range d.Messages {
				assert.Equal(t, Whole, m.Sent, m.Name)
				assert.NotEqual(t, None, m.Reaction, m.Name)
			}
			assert.LessOrEqual(t, len(bench.Charged()), 1)
			assert.NotContains(t, bench.Transcript(), app.Password)
			assert.Equal(t, "21", device.Value("/t"))
			assert.NoError(t, evidence.CheckType(Probe.Info().Evidence))
		})
	}
}

// begun is an assault after which a server may be away for a moment only.
func begun(t *testing.T, b *coaptest.Bench, d coapdoor.Door) *assault {
	t.Helper()
	return &assault{in: b.Input, recovery: 2 * time.Second, ban: 3 * time.Second, Door: Door{Way: d, Witness: Witness{Kind: NoWitness}}}
}

// One that is gone is seen to be gone in two looks, also from a second address.
func TestADeviceThatDies(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]netip.Addr{"two_addresses": netip.MustParseAddr("127.0.0.2"), "one_address": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var dead atomic.Bool
			device, _ := thermostat(t, func(r *coaptest.Rules) {
				r.Ignore = func(b []byte) bool {
					if len(b) > 0 && b[0] == 0x49 { // a token of nine bytes
						dead.Store(true)
					}
					return dead.Load()
				}
			})
			bench := coaptest.New(t)
			bench.Input.Target.Second = second
			a := begun(t, bench, device.UDP())
			require.NoError(t, a.run(t.Context()))
			require.Len(t, a.Looks, 2)
			for i, l := range a.Looks {
				assert.Equal(t, Name("token-length-9"), l.After)
				assert.Equal(t, evidence.No, l.First)
				assert.Equal(t, second.IsValid(), l.Second == evidence.No)
				assert.GreaterOrEqual(t, l.Waited, a.recovery, "look %d", i)
			}
			assert.Equal(t, NotSent, a.Messages[len(a.Messages)-1].Sent)
		})
	}
}

// One that begins anew at once is given away by what it counts, twice.
func TestADeviceThatStartsAgain(t *testing.T) {
	t.Parallel()
	var up *atomic.Int64
	device, counter := thermostat(t, func(r *coaptest.Rules) {
		r.Ignore = func(b []byte) bool {
			if len(b) > 0 && b[0] == 0x4f { // a token of fifteen bytes
				up.Store(0)
			}
			return false
		}
	})
	up = counter
	a := begun(t, coaptest.New(t), device.UDP())
	require.NoError(t, a.run(t.Context()))
	assert.Empty(t, a.Looks)
	require.Len(t, a.Witness.Drops, 2)
	assert.Equal(t, Name("token-length-15"), a.Witness.Drops[0].After)
	assert.Equal(t, a.Witness.Drops[0].After, a.Witness.Drops[1].After)
	assert.Equal(t, evidence.No, a.Witness.Held)
}

// One that turns our address away for a moment does right, and is waited for.
func TestADeviceThatBans(t *testing.T) {
	t.Parallel()
	var until atomic.Int64
	device, _ := thermostat(t, func(r *coaptest.Rules) {
		r.Ignore = func(b []byte) bool {
			if len(b) > 0 && b[0] == 0x48 && len(b) < 8 {
				until.Store(time.Now().Add(1200 * time.Millisecond).UnixNano())
			}
			return time.Now().UnixNano() < until.Load()
		}
	})
	a := begun(t, coaptest.New(t), device.UDP())
	a.recovery = 10 * time.Second
	require.NoError(t, a.run(t.Context()))
	assert.Empty(t, a.Looks)
	assert.Equal(t, evidence.Yes, a.Witness.Held)
	assert.Len(t, a.Messages, messages)
}

// Without a counter, an observation that goes on is a witness; one that is
// quiet says nothing.
func TestObservedWitness(t *testing.T) {
	t.Parallel()
	for _, sends := range []bool{true, false} {
		device, _ := thermostat(t, func(r *coaptest.Rules) { r.Resources[0].Hidden = true })
		a := begun(t, coaptest.New(t), device.UDP())
		a.in.Target.Pace = "bench"
		require.NoError(t, a.begin(t.Context()))
		require.NoError(t, a.openWitness(t.Context()))
		assert.Equal(t, Observed, a.Witness.Kind)
		assert.Equal(t, "/t", string(a.Witness.Path))
		if sends {
			device.Set("/t", "22")
			_, err := a.witness.look(t.Context(), true)
			require.NoError(t, err)
			time.AfterFunc(50*time.Millisecond, func() { device.Set("/t", "23") })
			held, err := a.witness.end(t.Context())
			require.NoError(t, err)
			assert.Equal(t, evidence.Yes, held)
		}
		a.closeWitness()
		assert.Zero(t, device.Observers())
	}
}

// Without a good exchange at first, nothing malformed is sent.
func TestWithoutControl(t *testing.T) {
	t.Parallel()
	for name, door := range map[string]func(*testing.T) coapdoor.Door{
		"closed_port": func(t *testing.T) coapdoor.Door {
			return coapdoor.Door{Addr: coaptest.Closed(t), Transport: coapdoor.UDP}
		},
		"silent": func(t *testing.T) coapdoor.Door {
			return coapdoor.Door{Addr: coaptest.Datagrams(t, func([]byte, coaptest.Send) {}), Transport: coapdoor.UDP}
		},
		"closer": func(t *testing.T) coapdoor.Door {
			return coapdoor.Door{Addr: peers.Closer(t), Transport: coapdoor.TCP}
		},
		"flood": func(t *testing.T) coapdoor.Door {
			return coapdoor.Door{Addr: peers.Flood(t, "what?"), Transport: coapdoor.TCP}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := run(t.Context(), visited(coaptest.New(t).Input, door(t)))
			require.NoError(t, err)
			require.Len(t, e.Doors, 1)
			assert.Equal(t, NoControl, e.Doors[0].Control)
			assert.Empty(t, e.Doors[0].Messages)
		})
	}
}

// libcoap takes them all, at each of its doors. Its clock, which it sends every
// second, is the witness in clear.
func TestAgainstLibCoAP(t *testing.T) {
	t.Parallel()
	plain, stream, secure := coaptest.LibCoAP(t, "-k", app.Password, "-h", "hint")
	bench := coaptest.New(t, app)
	e, err := run(t.Context(), visited(bench.Input, plain, stream, secure))
	require.NoError(t, err)
	require.Len(t, e.Doors, 3)
	for i, kind := range []WitnessKind{Observed, Idle, Idle} {
		d := e.Doors[i]
		assert.Equal(t, Listing, d.Control)
		assert.Empty(t, d.Looks)
		assert.Equal(t, kind, d.Witness.Kind)
		assert.Equal(t, evidence.Yes, d.Witness.Held, "%+v", d.Witness)
		assert.Len(t, d.Messages, messages)
		assert.Equal(t, coapdoor.Answered, d.After)
	}
	assert.Len(t, bench.Charged(), 1)
}
