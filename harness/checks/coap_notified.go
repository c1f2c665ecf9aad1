package checks

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/coapobserve"
	"github.com/assay-iot/assay/harness/probes/coapread"
)

// notifiedInClear cites a resource of which a stranger was sent notifications at
// the door, in two exchanges. Some servers that refuse to be read can be
// observed.
func notifiedInClear(c coapVisit) (evidence.Bytes, []evidence.Ref) {
	e, _ := coapobserve.Probe.Get(c.view)
	for i, visit := range e.Visits {
		if visit.Reader != coapread.Stranger || visit.Door != c.Door || len(visit.Rounds) == 0 {
			continue
		}
		for j, r := range visit.Rounds[0].Resources {
			w := watched{visit, c.view, i, j}
			all, refs := w.rounds()
			n := 0
			for _, o := range all {
				if o.Notifications > 0 && o.First.OSCORE == evidence.No {
					n++
				}
			}
			if n >= 2 {
				return r.Path, refs
			}
		}
	}
	return nil, nil
}
