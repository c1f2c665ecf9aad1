package mqttdoor

import (
	"context"
	"fmt"

	"github.com/assay-iot/assay/harness/probe"
)

// Each looks at one door after the other, as probe.Each does at endpoints:
// where look fails, the door is missing from a *probe.Partial.
func Each[T any](ctx context.Context, doors []Door, look func(Door) (T, error)) ([]T, error) {
	var found []T
	var p probe.Partial
	for i, d := range doors {
		if err := ctx.Err(); err != nil {
			p.Missing = append(p.Missing, fmt.Sprintf("%s and %d after it", d.Endpoint().Name, len(doors)-i-1))
			p.Cause = err
			break
		}
		t, err := look(d)
		if err != nil {
			p.Missing = append(p.Missing, d.Endpoint().Name)
			p.Cause = fmt.Errorf("%s: %w", d.Endpoint().Name, err)
			continue
		}
		found = append(found, t)
	}
	if p.Cause != nil {
		return found, &p
	}
	return found, nil
}
