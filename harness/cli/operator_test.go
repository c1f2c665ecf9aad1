package cli

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPersonSwitchesThePower(t *testing.T) {
	w := newWorld("")
	w.In = strings.NewReader("\n\n")
	w.Progress = true
	a := &app{World: w.World}
	a.line = &progress{out: &w.err, now: time.Now}
	p := a.operator()
	require.NoError(t, p.Power(t.Context(), false))
	require.NoError(t, p.Power(t.Context(), true))
	require.Equal(t, "Cut the power of the device, then press Enter: Give the device its power back, then press Enter: ", w.err.String())
	require.Error(t, p.Power(t.Context(), false), "nobody is there any more")
	require.Zero(t, a.line.held)
}

// Who does not answer does not hold up a run that is cut short.
func TestPersonIsNotWaitedFor(t *testing.T) {
	w := newWorld("")
	silent, end := io.Pipe()
	t.Cleanup(func() { end.Close() })
	w.In, w.Progress = silent, true
	a := &app{World: w.World}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, a.operator().Power(ctx, true), context.Canceled)
}

func TestNobodyIsThere(t *testing.T) {
	a := &app{World: newWorld("").World}
	require.Nil(t, a.operator())
}
