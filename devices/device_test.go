package devices

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every device starts, and every port that it names answers.
func TestEveryDeviceStarts(t *testing.T) {
	for _, f := range all(t) {
		d := run(t, Spec{Name: f.Name})
		require.NotEmpty(t, append(d.TCP(), d.UDP()...), f.Name)
		for _, at := range d.TCP() {
			assert.True(t, answers(t.Context(), at), "%s %s", f.Name, at)
		}
	}
}

func TestTwoAtOnce(t *testing.T) {
	one := launch(t)
	two := run(t, Spec{Name: "door-lock-hardened", Serial: "DL-0002"})
	assert.NotEqual(t, one.At(mqttPort), two.At(mqttPort))
	assert.NotEqual(t, one.unit.leaf().PublicKey, two.unit.leaf().PublicKey)
	mustConnect(t, one, as(t, one, "app", "a"))
	mustConnect(t, two, as(t, two, "app", "a"))
	foreign := as(t, one, "app", "b")
	_, err := connect3(t, two, foreign)
	assert.ErrorIs(t, err, packets.ErrorRefusedNotAuthorised)
}

func TestRestart(t *testing.T) {
	d := launch(t, "posture_lost_on_restart")
	before := d.TCP()
	session := mustConnect(t, d, as(t, d, "app", "witness"))
	web := dialTLS(t, d, setupPort)
	require.NoError(t, d.Restart(t.Context()))
	require.NoError(t, readToEnd(web))
	require.Eventually(t, func() bool { return !session.IsConnectionOpen() }, patience, quiet/10)
	assert.Equal(t, before, d.TCP())
	assert.Contains(t, get(t, dialTLS(t, d, setupPort), "/", ""), "On for 0 s, start 2")
	got, _ := subscribe(t, mustConnect(t, d, as(t, d, "admin", "w")), "door/status")
	assert.Contains(t, <-got, `"start":2`)
	mustConnect(t, d, visitor{id: "stranger"})
}

func TestRestartKeepsThePosture(t *testing.T) {
	d := launch(t)
	require.NoError(t, d.Restart(t.Context()))
	_, err := connect3(t, d, visitor{id: "stranger"})
	assert.ErrorIs(t, err, packets.ErrorRefusedNotAuthorised)
	mustConnect(t, d, as(t, d, "app", "a"))
}

func TestRestartCancelled(t *testing.T) {
	d := launch(t)
	ctx, cancel := context.WithTimeout(t.Context(), away/3)
	defer cancel()
	require.ErrorContains(t, d.Restart(ctx), "stays off")
	assert.False(t, answers(t.Context(), d.At(mqttPort)))
	require.NoError(t, d.Restart(t.Context()))
	assert.True(t, answers(t.Context(), d.At(mqttPort)))
}

// Close ends every conversation and frees the ports, whatever clients do.
func TestCloseFreesPorts(t *testing.T) {
	d, err := Start(t.Context(), Spec{Name: "door-lock-insecure"})
	require.NoError(t, err)
	mustConnect(t, d, as(t, d, "app", "a"))
	idle := dial(t, d.At(mqttPort)) // no TLS handshake yet
	mute := dialTLS(t, d, mqttPort) // no CONNECT yet
	telnet := dial(t, d.At(telnetPort))
	began := time.Now()
	require.NoError(t, d.Close())
	assert.Less(t, time.Since(began), opening/2)
	require.NoError(t, readToEnd(idle))
	require.NoError(t, readToEnd(mute))
	require.NoError(t, readToEnd(telnet))
	for _, at := range d.TCP() {
		assert.False(t, answers(t.Context(), at), at)
		ln, err := listenTCP(t.Context(), at)
		require.NoError(t, err, "%s is not free", at)
		require.NoError(t, ln.Close())
	}
	require.NoError(t, d.Close(), "twice")
	require.Error(t, d.Restart(t.Context()))
}

func TestEndOfContextCloses(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d, err := Start(ctx, Spec{Name: "door-lock-hardened"})
	require.NoError(t, err)
	cancel()
	require.Eventually(t, func() bool { return !answers(t.Context(), d.At(mqttPort)) }, patience, quiet/10)
	require.NoError(t, d.Close())
}

func TestPortModes(t *testing.T) {
	d := run(t, Spec{Name: "door-lock-hardened", Ports: PortsOffset})
	assert.EqualValues(t, 18883, d.At(mqttPort).Port())
	mustConnect(t, d, as(t, d, "app", "a"))
	d = run(t, Spec{Name: "door-lock-hardened", Ports: PortsFree, Addr: netip.MustParseAddr("127.0.0.1")})
	assert.NotEqualValues(t, mqttPort, d.At(mqttPort).Port())
	mustConnect(t, d, as(t, d, "app", "a"))
}

func TestStartRefuses(t *testing.T) {
	_, err := Start(t.Context(), Spec{Name: "no-such-lock"})
	assert.ErrorContains(t, err, "no-such-lock")
	_, err = Start(t.Context(), Spec{Name: "door-lock-insecure", Addr: netip.MustParseAddr("0.0.0.0")})
	assert.ErrorContains(t, err, "no loopback address")
	_, err = Start(t.Context(), Spec{Name: "door-lock-insecure", Addr: netip.MustParseAddr("192.0.2.1")})
	assert.ErrorContains(t, err, "no loopback address")
}

// A plug that is pulled and put back.
func TestPower(t *testing.T) {
	d := launch(t)
	for range 2 {
		require.NoError(t, d.Power(t.Context(), false))
		assert.False(t, answers(t.Context(), d.At(mqttPort)))
	}
	for range 2 {
		require.NoError(t, d.Power(t.Context(), true))
		assert.True(t, answers(t.Context(), d.At(mqttPort)))
	}
	assert.Contains(t, get(t, dialTLS(t, d, setupPort), "/", ""), "start 2")
	require.NoError(t, d.Close())
	assert.ErrorContains(t, d.Power(t.Context(), true), "is closed")
}
