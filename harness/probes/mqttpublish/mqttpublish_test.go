package mqttpublish

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
)

func TestAgainstADoorLock(t *testing.T) {
	t.Parallel()
	const yes, no, unknown = evidence.Yes, evidence.No, evidence.Unknown
	tests := []struct {
		name                                  string
		faults                                []string
		aToB, strangerToB, readerA, strangers evidence.Tri
	}{
		{"hardened", nil, no, unknown, no, unknown},
		{"strangers_are_let_in", []string{"mqtt_anonymous"}, no, no, no, no},
		{"a_writes_to_b", []string{"mqtt_cross_publish"}, yes, unknown, no, unknown},
		{"a_reads_b", []string{"mqtt_wildcard_readable"}, no, unknown, yes, unknown},
		{"everybody_does_everything", []string{"mqtt_anonymous", "mqtt_cross_publish", "mqtt_wildcard_readable"}, yes, yes, yes, yes},
		{"plain_listener_that_nobody_declared", []string{"mqtt_plain_listener"}, no, unknown, no, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Start(t, "door-lock-hardened", tt.faults...)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(e.Doors), 2)
			for _, d := range e.Doors {
				assert.EqualValues(t, "app", d.A)
				assert.EqualValues(t, "lock", d.B)
				require.Len(t, d.Exchanges, 2, "%+v", d)
				for _, x := range d.Exchanges {
					assert.True(t, x.Held(), "%+v", x)
					assert.Equal(t, tt.aToB, x.AToB.Arrived)
					assert.Equal(t, tt.strangerToB, x.StrangerToB.Arrived)
					assert.Equal(t, tt.readerA, x.ReaderA.HeardB)
					assert.Equal(t, tt.strangers, x.Stranger.HeardB)
					assert.Equal(t, yes, x.ReaderA.Alive)
				}
			}
			assert.Equal(t, []string{"lock", "app"}, lab.Charged())
		})
	}
}
