package profile

import (
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// Summarise makes the headline of p from its judged requirements.
func (p *Profile) Summarise(requirements []result.Requirement, ds Decisions) result.Profile {
	out := result.Profile{Profile: p.ID, Title: p.Title, Consistency: consistency(ds)}
	var mandatory []verdict.Verdict
	for _, r := range requirements {
		count(&out.Counts, r.Verdict)
		cover(&out.Coverage, r)
		if r.Level == string(Mandatory) {
			count(&out.Mandatory, r.Verdict)
			mandatory = append(mandatory, r.Verdict)
		}
	}
	out.Verdict = verdict.OfDevice(mandatory...)
	return out
}

// consistency is inconclusive unless the check said something else.
func consistency(ds Decisions) verdict.Verdict {
	if v := ds[Consistency].Verdict; v.Valid() {
		return v
	}
	return verdict.Inconclusive
}

func count(c *result.Counts, v verdict.Verdict) {
	switch v {
	case verdict.Pass:
		c.Pass++
	case verdict.Fail:
		c.Fail++
	case verdict.NotApplicable:
		c.NotApplicable++
	default:
		c.Inconclusive++
	}
}

// cover counts r under what its verdict rests on. What does not apply rests on
// the declaration.
func cover(c *result.Coverage, r result.Requirement) {
	switch r.Basis {
	case verdict.Tested:
		c.Tested++
	case verdict.Inspected:
		c.Inspected++
	case verdict.Declared:
		c.Declared++
	default:
		c.Undecided++
	}
}
