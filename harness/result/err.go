package result

import (
	"fmt"

	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/verdict"
)

// Err reports the first place at which r is not what a judgement gives: another
// schema, a verdict that is none of the four, a pass or fail without a
// reference, an inconclusive that does not say what next.
func (r Result) Err() error {
	if r.Schema != Schema {
		return fmt.Errorf("its schema is %q, and only %q is read", r.Schema, Schema)
	}
	for _, p := range r.Verdicts {
		if !p.Verdict.Valid() || !p.Consistency.Valid() {
			return fmt.Errorf("profile %q has verdict %q and consistency %q", p.Profile, p.Verdict, p.Consistency)
		}
	}
	for _, d := range r.Decisions {
		if err := d.err(); err != nil {
			return fmt.Errorf("check %q: %w", d.Key(), err)
		}
	}
	for _, q := range r.Requirements {
		if err := told(q.Verdict, q.Why, q.Next); err != nil {
			return fmt.Errorf("requirement %q of profile %q: %w", q.ID, q.Profile, err)
		}
	}
	return nil
}

func (d Decision) err() error {
	vs := make([]verdict.Verdict, len(d.Items))
	for i, item := range d.Items {
		vs[i] = item.Verdict
		if err := told(item.Verdict, item.Why, item.Next); err != nil {
			return fmt.Errorf("item %q: %w", item.Endpoint, err)
		}
		if decided := item.Verdict == verdict.Pass || item.Verdict == verdict.Fail; decided && len(item.Refs) == 0 {
			return fmt.Errorf("item %q: %s without a reference", item.Endpoint, item.Verdict)
		}
	}
	if want := verdict.OfItems(vs...); d.Verdict != want {
		return fmt.Errorf("its verdict is %q, and that of its items %q", d.Verdict, want)
	}
	return nil
}

// told reports a verdict that is none, or that is not explained.
func told(v verdict.Verdict, why, next msg.Text) error {
	switch {
	case !v.Valid():
		return fmt.Errorf("%q is no verdict", v)
	case why.Err() != nil:
		return fmt.Errorf("why: %w", why.Err())
	case v == verdict.Inconclusive && next.Err() != nil:
		return fmt.Errorf("next: %w", next.Err())
	}
	return nil
}
