package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/checks"
)

const root = "../.."

func page(t *testing.T) string {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got, root); err != nil {
		t.Fatal(err)
	}
	return got.String()
}

// The reference in the tree is the one that the code gives.
func TestReferenceIsUpToDate(t *testing.T) {
	got := page(t)
	want, err := os.ReadFile(root + "/docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("docs/reference.md is not up to date; run make docs and read the diff")
	}
}

// Everything has its section, every link leads somewhere, and of every check it
// is said when it passes and when it fails.
func TestReferenceIsWhole(t *testing.T) {
	got := page(t)
	sections := map[string]string{}
	for _, part := range strings.Split(got, "\n### ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		sections[strings.Trim(name, "`")] = text
	}
	for _, c := range checks.All() {
		text, ok := sections[c.ID]
		if !ok || !strings.Contains(text, c.Remedy) {
			t.Errorf("%s has no section", c.ID)
		}
		for _, label := range []string{"- **Needs", "- **Passes:**\n  - ", "- **Fails:**\n  - "} {
			if !strings.Contains(text, label) && !strings.Contains(text, "- **Says besides:**\n  - ") {
				t.Errorf("%s: nothing stands under %q", c.ID, label)
			}
		}
	}
	for _, p := range harness.Plan(checks.All()) {
		text := sections[p.Info().Name]
		if !strings.Contains(text, "- **At most:** ") || !strings.Contains(text, "\n`"+p.Info().Evidence.Name()+"`: ") {
			t.Errorf("probe %s: bound or evidence is missing", p.Info().Name)
		}
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(got, -1) {
		found := false
		for name := range sections {
			found = found || anchor(name) == link[1]
		}
		if !found {
			t.Errorf("a link to %q leads nowhere", link[1])
		}
	}
}

func TestSourceErrors(t *testing.T) {
	if err := write(&bytes.Buffer{}, t.TempDir()); err == nil {
		t.Error("a tree without source gives a page")
	}
}
