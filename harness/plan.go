package harness

import (
	"cmp"
	"maps"
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/anchors"
	"github.com/assay-iot/assay/harness/probes/answers"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/identity"
)

// always are the probes of every run: what every judgement asks for, and the
// watch over which device it is.
var always = []probe.Any{declaration.Probe, answers.Probe, anchors.Probe, clock.Probe, identity.Probe}

// Plan returns the probes that checks read, those that these need, those of
// every run and the extra ones, each once, in the order in which they begin:
// watches, runs, procedures; then the gentlest first, counting the effect of
// what a probe needs; then what may spoil the others last; then what others
// need; then by name.
func Plan(checks []check.Check, extra ...probe.Any) []probe.Any {
	p := plan{}
	for _, needed := range slices.Concat(always, extra) {
		p.add(needed)
	}
	for _, c := range checks {
		for _, needed := range slices.Concat(c.Needs, c.OneOf, c.Uses) {
			p.add(needed)
		}
	}
	return slices.SortedFunc(maps.Keys(p), func(a, b probe.Any) int {
		return cmp.Or(
			cmp.Compare(a.Info().Kind, b.Info().Kind),
			cmp.Compare(p[a].effect, p[b].effect),
			cmp.Compare(last(a), last(b)),
			cmp.Compare(p[a].depth, p[b].depth),
			cmp.Compare(a.Info().Name, b.Info().Name),
		)
	})
}

// last is 1 for a probe that comes after the others of its effect.
func last(p probe.Any) int {
	if p.Info().Last {
		return 1
	}
	return 0
}

type plan map[probe.Any]place

// place is where a probe stands in the plan.
type place struct {
	effect probe.Effect // its own or, if greater, that of what it needs
	depth  int          // length of the longest chain of needs below it
}

func (p plan) add(a probe.Any) place {
	if at, ok := p[a]; ok {
		return at
	}
	at := place{effect: a.Info().Effect}
	for _, n := range a.Info().Needs {
		below := p.add(n)
		at.effect = max(at.effect, below.effect)
		at.depth = max(at.depth, below.depth+1)
	}
	p[a] = at
	return at
}
