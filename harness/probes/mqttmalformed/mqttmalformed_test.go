package mqttmalformed

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
)

func TestASoundDoorLockTakesThemAll(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Start(t, "door-lock-hardened", "mqtt_plain_listener")
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	require.Len(t, e.Listeners, 2)
	for _, l := range e.Listeners {
		assert.Equal(t, LogIn, l.Control)
		assert.Len(t, l.Packets, packets)
		for _, p := range l.Packets {
			assert.Equal(t, Whole, p.Sent, "%+v", p)
			assert.NotEqual(t, None, p.Reaction)
		}
		assert.Empty(t, l.Looks)
		assert.Empty(t, l.Witness.Drops)
		assert.Equal(t, evidence.Yes, l.Witness.Held)
	}
	assert.Equal(t, 1, len(lab.Charged())-2, "%s", lab.Charged()) // the control once, and a packet at each listener
}

// A broker that is gone is seen to be gone in two looks, also from a second
// address.
func TestADoorLockThatDies(t *testing.T) {
	t.Parallel()
	lab := mqttlab.Start(t, "door-lock-hardened", "mqtt_dies_on_malformed")
	lab.Input.Target.Second = netip.MustParseAddr("127.0.0.2")
	e, err := run(t.Context(), lab.Input)
	require.NoError(t, err)
	require.Len(t, e.Listeners, 1)
	l := e.Listeners[0]
	require.Len(t, l.Looks, 2)
	for _, k := range l.Looks {
		assert.Equal(t, evidence.No, k.First)
		assert.Equal(t, evidence.No, k.Second)
		assert.GreaterOrEqual(t, k.Waited, recovery)
	}
	assert.Equal(t, evidence.No, l.Witness.Held)
	assert.Len(t, l.Witness.Drops, 1)
}
