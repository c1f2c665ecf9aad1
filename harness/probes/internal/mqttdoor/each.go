package mqttdoor

import (
	"context"

	"github.com/assay-iot/assay/harness/probe"
)

// Each looks at one door after the other, as probe.Each does at endpoints:
// where look fails, the door is missing from a *probe.Partial.
func Each[T any](ctx context.Context, doors []Door, look func(Door) (T, error)) ([]T, error) {
	return probe.EachOf(ctx, 1, doors, func(d Door) string { return d.Endpoint().Name }, look)
}
