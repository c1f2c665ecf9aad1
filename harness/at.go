package harness

import (
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/clock"
)

// At returns the case as it would be had the run's clock shown another time. A
// bundle can so be judged for a day that is past or yet to come; the result
// says that the clock was stated.
func (c Case) At(t time.Time) Case {
	data, err := evidence.Encode(clock.Evidence{Time: t.UTC(), Source: clock.Stated})
	if err != nil {
		panic(err) // a time and a word: what could be encoded once always can
	}
	stated := evidence.Record{
		Seq: len(c.Log) + 1, Unit: evidence.DUT, Probe: clock.Probe.Name, Version: clock.Probe.Version,
		Status: evidence.Collected, Effect: clock.Probe.Effect.String(), Started: t.UTC(), Data: data,
	}
	c.Log = slices.Clone(c.Log)
	for i, r := range c.Log {
		if r.Unit == stated.Unit && r.Probe == stated.Probe {
			stated.Seq = r.Seq
			c.Log[i] = stated
			return c
		}
	}
	c.Log = append(c.Log, stated)
	return c
}
