package mqtttakeover

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
)

func TestAgainstADoorLock(t *testing.T) {
	t.Parallel()
	const yes, no = evidence.Yes, evidence.No
	tests := []struct {
		name                 string
		faults               []string
		b, random, anonymous evidence.Tri
	}{
		{"hardened", nil, yes, yes, yes},
		{"strangers_are_let_in", []string{"mqtt_anonymous"}, yes, yes, yes},
		{"b_takes_over", []string{"mqtt_id_takeover"}, no, yes, yes},
		{"everybody_takes_over", []string{"mqtt_id_takeover", "mqtt_anonymous", "mqtt_any_password"}, no, no, no},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Start(t, "door-lock-hardened", tt.faults...)
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.Len(t, e.Doors, 2)
			for _, d := range e.Doors {
				require.Len(t, d.Rounds, 2, "%+v", d)
				for _, r := range d.Rounds {
					assert.Equal(t, mqttdoor.Accepted, r.BElsewhere.Outcome)
					assert.Equal(t, tt.b, r.B.Held, "%+v", r)
					assert.Equal(t, tt.random, r.Random.Held, "%+v", r)
					assert.Equal(t, tt.anonymous, r.Anonymous.Held, "%+v", r)
					assert.Equal(t, no, r.Own.Held, "%+v", r)
				}
			}
			assert.Len(t, lab.Charged(), 2+4) // a random user in each round
		})
	}
}
