package powercycle

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
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
