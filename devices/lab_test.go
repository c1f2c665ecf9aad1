package devices

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/verdict"
)

// quoted is what a lesson sets in code type.
var quoted = regexp.MustCompile("`([a-z0-9_.-]+)`")

// A lesson speaks of every fault of its device, and of no fault or check that
// does not exist.
func TestLabsNameWhatExists(t *testing.T) {
	folders := all(t)
	var checks, names []string
	for _, f := range folders {
		names = append(names, f.Name)
		for id := range f.Expected.Checks {
			checks = append(checks, id)
		}
	}
	for _, f := range folders {
		for _, name := range FaultNames() {
			if f.Faults.Has(name) {
				assert.Contains(t, f.Lab, "`"+name+"`", f.Name)
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(f.Lab, -1) {
			word := m[1]
			switch {
			case strings.HasSuffix(word, ".yaml"), word == "faults", word == "next", word == "admin", slices.Contains(FaultNames(), word), slices.Contains(names, word):
			case strings.Contains(word, "."):
				assert.Contains(t, checks, word, f.Name)
			default:
				t.Errorf("%s: the lesson speaks of %q", f.Name, word)
			}
		}
	}
}

// Every member is told something about the same checks and requirements.
func TestEveryMemberIsToldTheSameList(t *testing.T) {
	folders := all(t)
	first := folders[0].Expected
	for _, f := range folders[1:] {
		assert.ElementsMatch(t, keys(first.Checks), keys(f.Expected.Checks), f.Name)
		for profile, all := range first.Requirements {
			assert.ElementsMatch(t, keys(all), keys(f.Expected.Requirements[profile]), "%s %s", f.Name, profile)
		}
	}
}

func keys(v Verdicts) []string {
	var ids []string
	for id := range v {
		ids = append(ids, id)
	}
	return ids
}

// What a fault turns on the hardened member of a family, another that has it is
// told, unless something hides it: then the lesson of that member says so.
func TestMembersAgreeWithTheWalk(t *testing.T) {
	hardened := map[string]Folder{}
	for _, f := range all(t) {
		if f.Expected.Member == "hardened" {
			hardened[f.Expected.Family] = f
		}
	}
	require.Len(t, hardened, 3)
	for _, f := range all(t) {
		if sound, ok := hardened[f.Expected.Family]; ok && f.Expected.Member != "hardened" {
			agrees(t, f, sound)
		}
	}
}

func agrees(t *testing.T, f, sound Folder) {
	t.Helper()
	walk := sound.Expected.Faults
	for fault, turns := range walk {
		if _, masked := f.Expected.Masked[fault]; !f.Faults.Has(fault) || masked {
			continue
		}
		for check, v := range turns {
			if v == verdict.Fail { // what is left open, another fault may decide
				assert.Equal(t, v, f.Expected.Checks[check], "%s: %s by %s", f.Name, check, fault)
			}
		}
	}
	for check, v := range f.Expected.Checks {
		explained := v == sound.Expected.Checks[check]
		for fault, turns := range walk {
			explained = explained || f.Faults.Has(fault) && turns[check] == v
		}
		assert.True(t, explained, "%s: no fault explains that %s is %s", f.Name, check, v)
	}
}
