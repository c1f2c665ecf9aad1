package comeback

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

const yes, no, unknown = evidence.Yes, evidence.No, evidence.Unknown

// serving answers from some question on, each address counted by itself: the
// questions of the second address come after those of the first.
func serving(from int) func(context.Context) (bool, Word, error) {
	n := 0
	return func(context.Context) (bool, Word, error) {
		n++
		if n >= from {
			return true, "answered", nil
		}
		return false, "silent", nil
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	second := netip.MustParseAddr("127.0.0.2")
	tests := []struct {
		name   string
		w      Watcher
		want   Look
		waited time.Duration
	}{
		{"at_once", Watcher{Serves: serving(1)}, Look{Asked: 1, First: yes, Last: "answered"}, 0},
		{"after_a_moment", Watcher{Serves: serving(2)}, Look{Asked: 2, First: yes, Last: "answered"}, soon},
		{"never", Watcher{Serves: serving(100)}, Look{Asked: 4, First: no, Last: "silent"}, 500 * time.Millisecond},
		{"never_to_both", Watcher{Serves: serving(100), Second: second}, Look{Asked: 4, First: no, Second: no, Last: "silent"}, 500 * time.Millisecond},
		{"the_second_only", Watcher{Serves: serving(3), Second: second}, Look{Asked: 3, First: yes, Second: yes, Last: "answered"}, 2 * soon},
		{"asked_too_often", Watcher{Serves: serving(100), polls: MostPolls - 1}, Look{Asked: 1, First: unknown, Last: "silent"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.w.Look(t.Context(), 500*time.Millisecond)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, got.Waited, tt.waited)
			assert.Less(t, got.Waited, tt.waited+300*time.Millisecond)
			got.Waited = 0
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestErrorsOfOurs(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	w := Watcher{Serves: func(context.Context) (bool, Word, error) { return false, "", boom }}
	_, err := w.Look(t.Context(), time.Second)
	assert.ErrorIs(t, err, boom)
	// From the second address they say nothing.
	n := 0
	w = Watcher{Second: netip.MustParseAddr("127.0.0.2"), Serves: func(context.Context) (bool, Word, error) {
		if n++; n == 3 {
			return false, "", boom
		}
		return n > 3, "", nil
	}}
	l, err := w.Look(t.Context(), time.Second)
	require.NoError(t, err)
	assert.Equal(t, yes, l.First)
	assert.Equal(t, unknown, l.Second)
	// The end of the run is none of the device's doing.
	ctx, cancel := context.WithCancel(t.Context())
	w = Watcher{Serves: func(context.Context) (bool, Word, error) { cancel(); return false, "", nil }}
	_, err = w.Look(ctx, time.Minute)
	assert.ErrorIs(t, err, context.Canceled)
}
