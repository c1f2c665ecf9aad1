package profiles_test

import (
	"maps"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/answers"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/profiles"
)

// declaredFor returns a declaration that answers every feature with t and
// claims every provision.
func declaredFor(p *profile.Profile, t evidence.Tri) declaration.Evidence {
	d := declaration.Evidence{Given: evidence.Yes}
	for name := range p.Features {
		d.Features = append(d.Features, declaration.Answer{Name: declaration.Name(name), Supported: t})
	}
	for _, r := range p.Requirements {
		d.Provisions = append(d.Provisions, declaration.Provision{ID: declaration.Name(r.ID), Supported: evidence.Yes})
	}
	return d
}

// answerAll answers every question of p with yes, and the one of the named
// requirement with no.
func answerAll(p *profile.Profile, but string) (e answers.Evidence) {
	for _, r := range p.Requirements {
		a := answers.Answer{Question: answers.Question(r.Question()), Answer: evidence.Yes, Who: "A. Tester",
			When: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
		if r.ID == but {
			a.Answer = evidence.No
		}
		e.Answers = append(e.Answers, a)
	}
	return e
}

// decide makes the decisions of the given mappings on a declaration and answers
// alone: no probe saw anything.
func decide(t *testing.T, ms []profile.Mapping, d declaration.Evidence, a answers.Evidence) profile.Decisions {
	t.Helper()
	log := evidence.Log{checktest.Record(t, declaration.Probe, d), checktest.Record(t, answers.Probe, a)}
	ds := profile.Decisions{}
	for _, m := range ms {
		ds[m.Key()], _ = check.Judge(checks.ByID()[m.Check], m.With, log)
	}
	return ds
}

// judge judges p on a declaration and decisions, and fails the test on what no
// outcome may be.
func judge(t *testing.T, p *profile.Profile, d declaration.Evidence, ds profile.Decisions) (result.Profile, []result.Requirement) {
	t.Helper()
	rs, defects := p.Judge(profile.ICS{Features: d.Answers(), Provisions: d.Supported()}, ds)
	for _, defect := range defects {
		t.Errorf("defect in %s: %s", defect.Where, defect.What)
	}
	for _, r := range rs {
		if r.Verdict == verdict.Inconclusive && r.Next.Err() != nil {
			t.Errorf("%s: inconclusive, and next is %v", r.ID, r.Next.Err())
		}
	}
	return p.Summarise(rs, ds), rs
}

func TestNothingKnownIsInconclusive(t *testing.T) {
	for _, id := range profiles.IDs() {
		p := load(t, id)
		got, _ := judge(t, p, declaration.Evidence{}, decide(t, p.Mappings(), declaration.Evidence{}, answers.Evidence{}))
		if n := len(p.Requirements); got.Verdict != verdict.Inconclusive || got.Counts.Inconclusive != n || got.Coverage.Undecided != n {
			t.Errorf("%s: %+v", id, got)
		}
	}
}

// A declaration alone passes what no device can show, and nothing else.
func TestDeclarationAlonePassesOnlyProcesses(t *testing.T) {
	for _, id := range profiles.IDs() {
		p := load(t, id)
		d := declaredFor(p, evidence.Yes)
		_, rs := judge(t, p, d, decide(t, p.Mappings(), d, answers.Evidence{}))
		for i, r := range rs {
			may := len(p.Requirements[i].Accepts) == 2 && p.Requirements[i].Accepts[1] == verdict.Declared
			if passed := r.Verdict == verdict.Pass; passed && (!may || r.Basis != verdict.Declared) {
				t.Errorf("%s: %s passes on %q", id, r.ID, r.Basis)
			}
		}
	}
}

// Where no check decides, a person who looked does: one "no" fails the
// requirement, and the device if it is mandatory.
func TestAnswersDecideTheProfile(t *testing.T) {
	for _, id := range profiles.IDs() {
		p := load(t, id)
		d := declaredFor(p, evidence.Yes)
		ds := decide(t, p.Mappings(), d, answerAll(p, ""))
		for i, r := range p.Requirements {
			if r.Question() == "" {
				continue // a check decides it
			}
			changed := maps.Clone(ds)
			maps.Copy(changed, decide(t, r.Mappings(), d, answerAll(p, r.ID)))
			got, rs := judge(t, p, d, changed)
			if rs[i].Verdict != verdict.Fail || rs[i].Basis != verdict.Inspected || got.Counts.Fail != 1 {
				t.Errorf("%s: %s was answered with no: %s on %q, %+v", id, r.ID, rs[i].Verdict, rs[i].Basis, got.Counts)
			}
			if (got.Verdict == verdict.Fail) != (r.Level == profile.Mandatory) {
				t.Errorf("%s: %s, which is %s, fails, and the device is %s", id, r.ID, r.Level, got.Verdict)
			}
		}
		_, rs := judge(t, p, d, ds)
		for i, r := range rs {
			met := r.Verdict == verdict.Pass && r.Basis == verdict.Inspected
			if p.Requirements[i].Question() != "" && r.Applicable == evidence.Yes && !met {
				t.Errorf("%s: %s was answered with yes: %s on %q", id, r.ID, r.Verdict, r.Basis)
			}
		}
	}
}

// What depends on a feature that is declared absent does not apply, and what
// depends on nothing always does.
func TestFeaturesDeclaredAbsent(t *testing.T) {
	for _, id := range profiles.IDs() {
		p := load(t, id)
		d := declaredFor(p, evidence.No)
		_, rs := judge(t, p, d, decide(t, p.Mappings(), d, answers.Evidence{}))
		for i, r := range rs {
			absent := false
			for _, entry := range p.Requirements[i].AppliesIf {
				absent = absent || entry[:min(4, len(entry))] != "not "
			}
			if (r.Verdict == verdict.NotApplicable) != absent {
				t.Errorf("%s: %s, which asks for %q, is %s", id, r.ID, p.Requirements[i].AppliesIf, r.Verdict)
			}
		}
	}
}
