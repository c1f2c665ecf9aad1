package credentials

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/defaults"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/mqttdoor"
	"github.com/assay-iot/assay/harness/probes/internal/mqttlab"
)

// listed are log-ins with a list of default pairs.
type listed struct {
	probe.Logins
	pairs []probe.Login
}

// List returns the pairs.
func (l listed) List(service string) []probe.Login {
	if service != "mqtt" {
		return nil
	}
	return l.pairs
}

// shipped is the list that comes with the program.
func shipped(t *testing.T) []probe.Login {
	t.Helper()
	all, err := defaults.For("mqtt", "")
	require.NoError(t, err)
	var pairs []probe.Login
	for _, p := range all {
		pairs = append(pairs, probe.Login{User: p.User, Password: p.Password})
	}
	return pairs
}

func TestAgainstADoorLock(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		faults   []string
		stopped  map[mqttdoor.Version]Stop
		accepted bool // admin, at both doors
		least    int  // pairs that were answered at each door
	}{
		{"hardened", nil, nil, false, 4},
		{"default_pair", []string{"mqtt_default_password"}, nil, true, 4},
		{"strangers_are_let_in", []string{"mqtt_anonymous"}, both(LetsAllIn), false, 0},
		{"every_pair_is_let_in", []string{"mqtt_any_password"}, both(TakesAnyPair), false, 0},
		{"version_5_forgotten", []string{"mqtt_v5_unprotected"}, map[mqttdoor.Version]Stop{mqttdoor.V5: LetsAllIn}, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			lab := mqttlab.Start(t, "door-lock-hardened", tt.faults...)
			lab.Input.Logins = listed{lab.Input.Logins, shipped(t)}
			e, err := run(t.Context(), lab.Input)
			require.NoError(t, err)
			require.Len(t, e.Doors, 2)
			assert.Equal(t, 12, e.Listed)
			for _, d := range e.Doors {
				assert.Equal(t, tt.stopped[d.Way.Version], d.Stopped)
				assert.Equal(t, mqttdoor.Accepted, d.Before.Outcome)
				assert.Equal(t, mqttdoor.Accepted, d.After.Outcome)
				answered := 0
				for _, try := range d.Tries {
					if try.First.Outcome != mqttdoor.NotTried {
						answered++
					}
					if try.User == "admin" && tt.accepted && try.First.Outcome != mqttdoor.NotTried && try.Place == 2 {
						assert.Equal(t, mqttdoor.Accepted, try.First.Outcome)
						assert.Equal(t, mqttdoor.Accepted, try.Again.Outcome)
					}
				}
				assert.GreaterOrEqual(t, answered, tt.least)
			}
			for _, user := range lab.Charged() {
				assert.LessOrEqual(t, count(lab.Charged(), user), 3, "%s", user)
			}
			for _, pair := range shipped(t) {
				if len(pair.Password) > 8 {
					assert.NotContains(t, lab.Transcript(), pair.User+pair.Password)
				}
			}
		})
	}
}

func both(s Stop) map[mqttdoor.Version]Stop {
	return map[mqttdoor.Version]Stop{mqttdoor.V311: s, mqttdoor.V5: s}
}

func count(list []string, s string) int {
	return len(slices.DeleteFunc(slices.Clone(list), func(other string) bool { return other != s }))
}
