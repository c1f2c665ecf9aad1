package clock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestClock(t *testing.T) {
	east := time.FixedZone("", 9*60*60)
	now := time.Date(2026, 3, 1, 8, 0, 0, 123456789, east)
	tests := []struct {
		name  string
		given *probe.Given
		want  Evidence
		fails bool
	}{
		{"synchronised", &probe.Given{Now: now, Clock: probe.ClockSource{Name: "synchronised", Error: 3 * time.Millisecond}},
			Evidence{now.UTC(), Synchronised, 3_000_000}, false},
		{"unsynchronised", &probe.Given{Now: now, Clock: probe.ClockSource{Name: "unsynchronised"}}, Evidence{now.UTC(), Unsynchronised, 0}, false},
		{"stated", &probe.Given{Now: now, Clock: probe.ClockSource{Name: "stated"}}, Evidence{now.UTC(), Stated, 0}, false},
		{"unknown", &probe.Given{Now: now, Clock: probe.ClockSource{Name: "unknown"}}, Evidence{now.UTC(), Unknown, 0}, false},
		{"a_reading_with_a_monotonic_part", &probe.Given{Now: time.Now(), Clock: probe.ClockSource{Name: "unknown"}}, Evidence{}, false},
		{"another_source", &probe.Given{Now: now, Clock: probe.ClockSource{Name: "sundial"}}, Evidence{}, true},
		{"no_source", &probe.Given{Now: now}, Evidence{}, true},
		{"no_time", &probe.Given{Clock: probe.ClockSource{Name: "unknown"}}, Evidence{}, true},
		{"nothing", nil, Evidence{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			end, err := Probe.Begin(t.Context(), probe.Input{Given: tt.given})
			require.NoError(t, err)
			data, err := end(t.Context())
			if tt.fails {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			page, err := Probe.Open(evidence.Record{Version: Probe.Version, Data: data})
			require.NoError(t, err)
			got := page.Value.(Evidence)
			if !tt.want.Time.IsZero() {
				assert.Equal(t, tt.want, got)
			}
			assert.True(t, got.Time.Equal(tt.given.Now))
			assert.Equal(t, time.UTC, got.Time.Location())
		})
	}
}

// A clock looks at no device: it must make no declared date a tested one.
func TestClockAddsNothingToTheBasis(t *testing.T) {
	assert.Equal(t, verdict.Declared, Probe.Info().Basis)
	assert.NoError(t, evidence.CheckType(Probe.Info().Evidence))
	assert.Equal(t, probe.Passive, Probe.Info().Effect)
	assert.Positive(t, Probe.Info().Bound(probe.Target{}).Time)
}
