package profiles_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/profiles"
)

func facts(t *testing.T) profile.Facts {
	t.Helper()
	f, err := profile.ParseFacts(profiles.EvidenceCodes(), profiles.CheckPowers())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func load(t *testing.T, id string) *profile.Profile {
	t.Helper()
	p, err := profile.Load(profiles.FS(), profiles.File(id), checks.ByID())
	if err != nil {
		t.Fatalf("%v\nchecks there are: %q", err, slices.Sorted(maps.Keys(checks.ByID())))
	}
	return p
}

func TestShippedProfiles(t *testing.T) {
	for _, id := range []string{profile.Inspection, profile.Consistency} {
		if _, ok := checks.ByID()[id]; !ok {
			t.Errorf("no check has the ID %q, which every profile uses", id)
		}
	}
	for _, id := range profiles.IDs() {
		t.Run(id, func(t *testing.T) {
			p := load(t, id)
			if p.ID != id {
				t.Errorf("file %q holds the profile %q", profiles.File(id), p.ID)
			}
			for _, f := range profile.Lint(p, checks.ByID(), facts(t)) {
				t.Error(f)
			}
			for _, r := range p.Requirements {
				if len(r.Topics) == 0 || strings.HasSuffix(r.Manual, ".") {
					t.Errorf("%s: topics %q, manual line %q", r.ID, r.Topics, r.Manual)
				}
			}
		})
	}
}

// Counts are those of the standard's Table B.1.
func TestETSI(t *testing.T) {
	p := load(t, profiles.Default)
	levels, conditional, declared := map[profile.Level]int{}, 0, 0
	for _, r := range p.Requirements {
		levels[r.Level]++
		if len(r.AppliesIf) > 0 {
			conditional++
		}
		if slices.Contains(r.Accepts, verdict.Declared) {
			declared++
		}
		if r.Verified.Status != profile.IsVerified || r.Question() == "" && !decidedByTests(r) {
			t.Errorf("%s: %s, question %q", r.ID, r.Verified, r.Question())
		}
	}
	if levels[profile.Mandatory] != 36 || levels[profile.Recommended] != 42 || len(p.Features) != 32 {
		t.Errorf("levels = %v, %d features", levels, len(p.Features))
	}
	if conditional != 46 || declared != 7 {
		t.Errorf("%d depend on the device, %d accept a declaration", conditional, declared)
	}
}

// Numbers are those of Schedule 1 of the Regulations, and of Schedule 4 for the
// statement of compliance.
func TestPSTI(t *testing.T) {
	p := load(t, "uk-psti-2023")
	var ids []string
	for _, r := range p.Requirements {
		ids = append(ids, r.ID)
		if r.Level != profile.Mandatory || r.Verified.Status != profile.IsVerified || len(r.Alternatives) == 0 {
			t.Errorf("%s: %s, %s, alternatives %q", r.ID, r.Level, r.Verified, r.Alternatives)
		}
	}
	if got := strings.Join(ids, " "); got != "S1.1(2) S1.1(3) S1.2(2) S1.2(3) S1.3 S4" {
		t.Errorf("requirements = %s", got)
	}
	if p.InForce != "2024-04-29" || !strings.Contains(p.Version, "as amended to") {
		t.Errorf("in force %s, version %q", p.InForce, p.Version)
	}
}

// The features that two profiles share are asked in the same words: one answer
// in the device file serves both.
func TestSharedFeaturesAskTheSame(t *testing.T) {
	asked := map[string]string{}
	for _, id := range profiles.IDs() {
		for name, question := range load(t, id).Features {
			if before, ok := asked[name]; ok && before != question {
				t.Errorf("%s asks for %q: %q, and another profile %q", id, name, question, before)
			}
			asked[name] = question
		}
	}
}

// decidedByTests reports whether nobody has to be asked.
func decidedByTests(r profile.Requirement) bool {
	return slices.ContainsFunc(r.Checks, func(m profile.Mapping) bool { return m.Can == verdict.Decide })
}

// No port scan of one protocol shows that every unused interface is off: the one
// of TCP decides together with that of UDP, and so not alone.
func TestTCPAloneDoesNotDecideUnusedInterfaces(t *testing.T) {
	for _, id := range []string{profiles.Default, edition2020} {
		decides := map[string]bool{}
		for _, r := range load(t, id).Requirements {
			for _, m := range r.Checks {
				if r.ID == "5.6-1" && m.Can == verdict.Decide {
					decides[m.Check] = true
				}
			}
		}
		if !decides["exposure.tcp-ports-declared"] || !decides["exposure.udp-ports-declared"] || len(decides) != 2 {
			t.Errorf("%s: 5.6-1 is decided by %v", id, decides)
		}
	}
}

var weak = regexp.MustCompile(`\{check: ([a-z.-]+), can: (refute|support)\}`)

// Whichever refuting or supporting mapping somebody turns into a deciding one,
// the linter refuses it with its line.
func TestNoMappingCanBeMadeToDecide(t *testing.T) {
	known, tried := checks.ByID(), 0
	for _, id := range profiles.IDs() {
		text := string(load(t, id).Raw())
		for _, at := range weak.FindAllStringSubmatchIndex(text, -1) {
			tried++
			changed := text[:at[4]] + "decide" + text[at[5]:]
			line := 1 + strings.Count(text[:at[0]], "\n")
			if !refuses(t, id, changed, known, line) {
				t.Errorf("%s, line %d: %q may decide", id, line, text[at[2]:at[3]])
			}
		}
	}
	if tried < 15 {
		t.Errorf("tried %d mappings", tried)
	}
}

func refuses(t *testing.T, id, text string, known map[string]check.Check, line int) bool {
	t.Helper()
	p, err := profile.Parse(profiles.File(id), []byte(text), known)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(profile.Lint(p, known, facts(t)), func(f profile.Finding) bool {
		return f.Line == line && (strings.Contains(f.What, "decide") || strings.Contains(f.What, "at most"))
	})
}

// Every requirement of a shipped profile has a row in the table, and none is
// left over.
func TestEvidenceCodesCoverTheProfiles(t *testing.T) {
	rows := strings.Count(string(profiles.EvidenceCodes()), "\n") - 1
	for _, id := range profiles.IDs() {
		for _, r := range load(t, id).Requirements {
			if !strings.Contains(string(profiles.EvidenceCodes()), "\n"+id+","+r.ID+",") {
				t.Errorf("%s: no evidence codes for %s", id, r.ID)
			}
			rows--
		}
	}
	if rows != 0 {
		t.Errorf("%d rows too many", rows)
	}
}

func TestCoverageOfShippedProfiles(t *testing.T) {
	for _, id := range profiles.IDs() {
		c := profile.Coverage(load(t, id), checks.ByID())
		if c.Total.Nobody+c.Total.OnlyRefuted > 0 || len(c.Requirements) == 0 {
			t.Errorf("%s: %+v", id, c.Total)
		}
	}
}
