package profiles_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/profiles"
)

const edition2020 = "etsi-en-303-645-v2.1.1"

// Numbers, levels and conditions are those of the standard's Table B.1, which
// the golden file holds as it was transcribed apart from the profile.
func TestETSI2020(t *testing.T) {
	p, declared := load(t, edition2020), 0
	var got strings.Builder
	for _, r := range p.Requirements {
		got.WriteString(strings.TrimSpace(r.ID+" "+string(r.Level)+" "+strings.Join(r.AppliesIf, ", ")) + "\n")
		if r.Verified.Status != profile.IsVerified || r.Question() == "" && !decidedByTests(r) {
			t.Errorf("%s: %s, question %q", r.ID, r.Verified, r.Question())
		}
		if slices.Contains(r.Accepts, verdict.Declared) {
			declared++
		}
	}
	want, err := os.ReadFile("testdata/" + edition2020 + ".golden")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", &got, want)
	}
	if len(p.Requirements) != 68 || len(p.Features) != 12 || declared != 7 {
		t.Errorf("%d requirements, %d features, %d accept a declaration", len(p.Requirements), len(p.Features), declared)
	}
}

// became says which provisions of V3.1.3 came of one of V2.1.1 that has another
// number; the others kept theirs.
var became = map[string][]string{
	"4-1": {"5.0-1"}, "5.3-4": {"5.3-4A", "5.3-4B"}, "5.3-6": {"5.3-6A", "5.3-6B"}, "5.3-15": {"5.3-15A", "5.3-15B"},
	"5.6-4": {"5.6-4A", "5.6-4B"}, "5.13-1": {"5.13-1A", "5.13-1B"}, "6-3": {"6-3A", "6-3B"},
}

// narrower are provisions of V2.1.1 that ask for less than their successors.
// What refutes those cannot refute these, whatever else it can do.
var narrower = map[string]string{
	"5.1-3": "only how users are authenticated, not machines",
	"5.6-4": "only debug interfaces that can be reached by hand, not those of a network",
}

// Where two editions ask for the same, the same checks speak of it: what is
// mapped in one is mapped in the other, with the same power.
func TestEditionsMapTheSame(t *testing.T) {
	later := map[string]profile.Requirement{}
	for _, r := range load(t, profiles.Default).Requirements {
		later[r.ID] = r
	}
	for _, r := range load(t, edition2020).Requirements {
		successors := became[r.ID]
		if successors == nil {
			successors = []string{r.ID}
		}
		want := map[string]verdict.Power{}
		for _, id := range successors {
			for _, m := range later[id].Checks {
				want[m.Key()] = m.Can
			}
		}
		got := map[string]verdict.Power{}
		for _, m := range r.Checks {
			got[m.Key()] = m.Can
		}
		for key, can := range want {
			if narrower[r.ID] == "" && got[key] != can || narrower[r.ID] != "" && got[key] == verdict.Refute {
				t.Errorf("%s, %s: {check: %s, can: %s} of %s stands as %q", edition2020, r.ID, key, can, successors, got[key])
			}
		}
		for key := range got {
			if want[key] == "" {
				t.Errorf("%s, %s: %s is mapped, and in %s it is not", edition2020, r.ID, key, successors)
			}
		}
	}
}
