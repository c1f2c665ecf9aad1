package harness

import (
	"context"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/probe"
)

// Who interrupts a run does not wait until a watch has had all its time.
func TestInterruptedWatchEndsSoon(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	watch := watching("watch", func(ctx context.Context) (seen, error) {
		<-ctx.Done()
		return seen{}, ctx.Err()
	})
	watch.Bound = func(probe.Target) probe.Bound { return probe.Bound{Time: time.Hour} }
	run := fake("run", probe.Active, nil)
	run.Run = func(ctx context.Context, _ probe.Input) (seen, error) {
		interrupt()
		return seen{}, ctx.Err()
	}
	sink := &memory{}
	began := time.Now()
	_, _, err := Collect(ctx, []probe.Any{watch, run}, sink, dut(probe.Active))
	if took := time.Since(began); err != nil || took > 10*putAway || took < putAway/2 {
		t.Errorf("ended after %s, %v; want about %s", took, err, putAway)
	}
	if len(sink.kept) > 0 {
		t.Errorf("kept = %+v, want nothing: it was interrupted", sink.kept)
	}
}
