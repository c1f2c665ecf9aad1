package powercycle

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
	"github.com/assay-iot/assay/harness/probes/services"
	"github.com/assay-iot/assay/harness/probes/tcpports"
	"github.com/assay-iot/assay/internal/peers"
)

// diary notes the steps.
type diary struct{ lines []string }

func (d *diary) Before(_, _, step string) error {
	d.lines = append(d.lines, "before "+step)
	return nil
}

func (d *diary) Done(_, _, step string, _ json.RawMessage) error {
	d.lines = append(d.lines, "done "+step)
	return nil
}

func (d *diary) Undone(_, _, step string) error {
	d.lines = append(d.lines, "undone "+step)
	return nil
}

// cut runs the procedure.
func cut(t *testing.T, in probe.Input) (Evidence, error) {
	t.Helper()
	end, err := Probe.Begin(t.Context(), in)
	require.NoError(t, err)
	data, ended := end(t.Context())
	e, err := evidence.Decode[Evidence](data)
	require.NoError(t, err)
	return e, ended
}

func TestAgainstADoorLock(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]mqttdoor.Outcome{"": mqttdoor.Refused, "posture_lost_on_restart": mqttdoor.Accepted} {
		t.Run("lock_"+name, func(t *testing.T) {
			t.Parallel()
			var faults []string
			if name != "" {
				faults = append(faults, name)
			}
			lab, d := mqttlab.Start(t, "door-lock-hardened", faults...), &diary{}
			lab.Input.Journal = d
			e, err := cut(t, lab.Input)
			require.NoError(t, err)
			assert.Equal(t, 2, e.Off.Quiet)
			assert.Equal(t, evidence.Yes, e.Back.All)
			assert.Empty(t, e.Opened)
			require.Len(t, e.Before, 2)
			require.Len(t, e.After, 2)
			for i := range e.Before {
				for j, p := range e.Before[i].Endpoints {
					assert.Equal(t, evidence.Yes, p.Accepts)
					assert.Equal(t, p.Certificate, e.After[i].Endpoints[j].Certificate)
					assert.Len(t, p.Certificate, 64)
					for k, door := range p.Doors {
						assert.Equal(t, mqttdoor.Refused, door.Anonymous.Outcome)
						assert.Equal(t, after, e.After[i].Endpoints[j].Doors[k].Anonymous.Outcome)
						assert.Equal(t, mqttdoor.Refused, e.After[i].Endpoints[j].Doors[k].Random.Outcome)
					}
				}
			}
			assert.Equal(t, []string{
				"before look before", "done look before", "before cut the power", "done cut the power",
				"before give the power back", "done give the power back", "before look after", "done look after", "undone cut the power",
			}, d.lines)
		})
	}
}

func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Start(t, "door-lock-hardened")
	lab.Input.Journal, lab.Input.Operator = &diary{}, nil
	e, err := cut(t, lab.Input)
	assert.ErrorIs(t, err, errNobody)
	assert.Empty(t, e.Before)
}

// stuck is a plug that does nothing.
type stuck struct{}

func (stuck) Power(context.Context, bool) error { return nil }

// A device that goes on answering was not cut off, and the procedure ends there.
func TestAPlugThatDoesNothing(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Start(t, "door-lock-hardened")
	lab.Input.Operator = stuck{}
	c := of(t, lab)
	require.NoError(t, c.before(t.Context()))
	short, cancel := context.WithTimeout(t.Context(), 3*pollEvery)
	defer cancel()
	require.NoError(t, c.power(false)(t.Context()))
	assert.Error(t, c.quiet(short))
	assert.Zero(t, c.e.Off.Quiet)
	assert.Len(t, c.e.Off.Answered, 2)
}

// of is a power cut that is taken step by step.
func of(t *testing.T, lab *mqttlab.Lab) *cycle {
	t.Helper()
	return &cycle{
		in: lab.Input, e: &Evidence{}, ports: lab.Pages[tcpports.Probe.Name].Value.(tcpports.Evidence),
		spoke: lab.Pages[services.Probe.Name].Value.(services.Evidence),
	}
}

// A port that is open afterwards and was not before is seen in two looks; those
// of the machine itself are none of the device's.
func TestOpenedPorts(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Start(t, "door-lock-hardened")
	l, err := net.Listen("tcp", netip.AddrPortFrom(lab.Device.Addr, 0).String())
	require.NoError(t, err)
	defer l.Close()
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	})
	late := netip.MustParseAddrPort(l.Addr().String())
	tests := []struct {
		name string
		host []netip.AddrPort
		want []Opened
	}{
		{"new", nil, []Opened{{late, 2}}},
		{"of_the_host", []netip.AddrPort{late}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := of(t, lab)
			c.ports.Host = tt.host
			c.in.Target.Ports = []uint16{1, late.Port()}
			for _, p := range c.ports.Open {
				c.in.Target.Ports = append(c.in.Target.Ports, p.Addr.Port())
			}
			got, tried, err := c.opened(t.Context())
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, len(c.in.Target.Ports), tried)
		})
	}
	l.Close()
	accepting.Wait()
}

// Ports that never come back are named, after one more look.
func TestPortsThatStayAway(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Start(t, "door-lock-hardened")
	c := of(t, lab)
	require.NoError(t, c.before(t.Context()))
	require.NoError(t, lab.Device.Power(t.Context(), false))
	gone := c.accepted()
	assert.Len(t, gone, 2)
	assert.Error(t, c.notBack(t.Context(), gone))
	assert.Equal(t, evidence.No, c.e.Back.All)
	assert.Len(t, c.e.Back.Gone, 2)
	require.NoError(t, lab.Device.Power(t.Context(), true))
	assert.NoError(t, c.notBack(t.Context(), c.accepted()))
	assert.Equal(t, evidence.Yes, c.e.Back.All)
	assert.Empty(t, c.e.Back.Gone)
}

// A run that was killed with the power off gives it back, and looks on with
// what it had seen before.
func TestResume(t *testing.T) {
	t.Parallel()
	lab, d := mqttlab.Start(t, "door-lock-hardened"), &diary{}
	c := of(t, lab)
	require.NoError(t, c.before(t.Context()))
	require.NoError(t, lab.Device.Power(t.Context(), false))
	seen, err := evidence.Encode(*c.e)
	require.NoError(t, err)
	lab.Input.Journal = d
	lab.Input.Resume = probe.Progress{
		Begun: []string{"look before", "cut the power"}, Finished: []string{"look before"}, Evidence: seen,
	}
	e, err := cut(t, lab.Input)
	require.NoError(t, err)
	assert.Equal(t, c.e.Before, e.Before)
	assert.Equal(t, 2, e.Off.Quiet)
	assert.Equal(t, evidence.Yes, e.Back.All)
	assert.Len(t, e.After, 2)
	assert.NotContains(t, d.lines, "before cut the power", "it was off already")
}

// The power comes back also when the run is ended in between.
func TestThePowerComesBackAfterTheEndOfTheRun(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Start(t, "door-lock-hardened")
	lab.Input.Journal = &diary{}
	ctx, cancel := context.WithCancel(t.Context())
	lab.Input.Operator = cutting{lab.Device, cancel}
	end, err := Probe.Begin(ctx, lab.Input)
	require.NoError(t, err)
	_, err = end(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	conn, err := net.Dial("tcp", lab.Device.TCP()[0].String())
	require.NoError(t, err, "the device is on again")
	conn.Close()
}

// cutting is an operator who ends the run after the power was cut.
type cutting struct {
	probe.Operator
	end func()
}

func (c cutting) Power(ctx context.Context, on bool) error {
	err := c.Operator.Power(ctx, on)
	if !on {
		c.end()
	}
	return err
}

func TestHostilePeers(t *testing.T) {
	t.Parallel()
	for name, peer := range map[string]func(*testing.T) netip.AddrPort{
		"silent": func(t *testing.T) netip.AddrPort { return peers.Tarpit(t) },
		"reset":  func(t *testing.T) netip.AddrPort { return peers.Reset(t) },
		"flood":  func(t *testing.T) netip.AddrPort { return peers.Flood(t, "\x15") },
	} {
		for _, inTLS := range []evidence.Tri{evidence.Yes, evidence.No} {
			t.Run(name+"_tls_"+inTLS.String(), func(t *testing.T) {
				t.Parallel()
				at := peer(t)
				lab := mqttlab.Plain(t, at)
				spoke := services.Evidence{Services: []services.Service{{Addr: at, Protocol: services.OtherTLS, TLS: inTLS}}}
				lab.Pages[services.Probe.Name] = evidence.Page{Value: spoke}
				c := of(t, lab)
				l, err := c.look(t.Context())
				require.NoError(t, err)
				require.Len(t, l.Endpoints, 1)
				assert.Empty(t, l.Endpoints[0].Certificate)
				assert.Empty(t, l.Endpoints[0].Doors)
				lab.Within(t, bound)
			})
		}
	}
}

func TestBoundCountsWhatIsDone(t *testing.T) {
	b := bound(probe.Target{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, Ports: []uint16{1, 2, 3}, Open: 1, PerSecond: 100})
	assert.Equal(t, 8, b.Logins)
	assert.GreaterOrEqual(t, b.Connections, 4*perPort+6)
	assert.Greater(t, b.Time, 2*hands+backWithin)
}
