package check

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// LeftOut is the decision about a check that the operator left out of the run:
// inconclusive, with the operator's reason.
func LeftOut(c Check, with With, reason, next msg.Text) result.Decision {
	return result.Decision{
		Check: c.ID, With: with.String(), Title: msg.T(c.Title), Verdict: verdict.Inconclusive,
		Items: []Item{{Unit: evidence.DUT, Verdict: verdict.Inconclusive, Why: reason, Next: next, Refs: []evidence.Ref{}}},
	}
}
