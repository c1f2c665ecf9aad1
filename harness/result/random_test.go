package result

import (
	"reflect"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/verdict"
)

// results draws results that keep the rules and are otherwise arbitrary. Fields
// are found by reflection: a new one is drawn without a change here.
var results = rapid.Map(rapid.MakeCustom[Result](rapid.MakeConfig{
	Types: map[reflect.Type]*rapid.Generator[any]{
		reflect.TypeFor[string]():          rapid.StringN(1, 12, -1).AsAny(),
		reflect.TypeFor[int]():             rapid.IntMin(1).AsAny(),
		reflect.TypeFor[int64]():           rapid.Int64Min(0).AsAny(),
		reflect.TypeFor[time.Duration]():   rapid.Just(time.Second).AsAny(),
		reflect.TypeFor[time.Time]():       rapid.Map(rapid.Int64Range(0, 1<<37), func(s int64) time.Time { return time.Unix(s, s).UTC() }).AsAny(),
		reflect.TypeFor[evidence.Digest](): rapid.Map(rapid.StringMatching("([0-9a-f]{64})?"), func(s string) evidence.Digest { return evidence.Digest(s) }).AsAny(),
		reflect.TypeFor[evidence.Tri]():    rapid.SampledFrom([]evidence.Tri{evidence.Unknown, evidence.Yes, evidence.No}).AsAny(),
		reflect.TypeFor[evidence.Status](): rapid.SampledFrom([]evidence.Status{evidence.Collected, evidence.Partial, evidence.Failed, evidence.NotPermitted, evidence.NotRun}).AsAny(),
		reflect.TypeFor[verdict.Verdict](): rapid.SampledFrom([]verdict.Verdict{verdict.Pass, verdict.Fail, verdict.Inconclusive, verdict.NotApplicable}).AsAny(),
		reflect.TypeFor[verdict.Basis]():   rapid.SampledFrom([]verdict.Basis{verdict.Tested, verdict.Inspected, verdict.Declared}).AsAny(),
		reflect.TypeFor[msg.Text]():        rapid.Map(rapid.String(), func(s string) msg.Text { return msg.T("it said {what}", "what", s) }).AsAny(),
	},
}), lawful)

// lawful repairs what draws of single fields cannot know of each other.
func lawful(r Result) Result {
	r.Schema = Schema
	for i := range r.Decisions {
		r.Decisions[i] = lawfulDecision(r.Decisions[i])
	}
	for i := range r.Records {
		if rec := &r.Records[i]; rec.Status == evidence.Partial {
			rec.Missing = []string{"tcp/1-1024"}
		}
	}
	return r
}

func lawfulDecision(d Decision) Decision {
	if len(d.Items) == 0 {
		d.Items = []Item{{Unit: evidence.DUT, Verdict: verdict.NotApplicable, Why: msg.T("nothing to look at")}}
	}
	var vs []verdict.Verdict
	for i := range d.Items {
		d.Items[i].Refs = append(d.Items[i].Refs, evidence.Ref{Unit: evidence.DUT, Probe: "q", Pointer: "/x"})
		vs = append(vs, d.Items[i].Verdict)
	}
	d.Verdict = verdict.OfItems(vs...)
	return d
}
