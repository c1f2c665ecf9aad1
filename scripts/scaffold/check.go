package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// checkID is what package check takes for one; no longer than a file name may
// be.
var checkID = regexp.MustCompile(`^[a-z][a-z0-9]{0,30}\.[a-z0-9]+(-[a-z0-9]+){0,7}$`)

// newCheck begins a check. Every emulated device must say what it is to be told
// by it, so it gets a line in each expected.yaml as well.
func newCheck(root, id string) (plan, error) {
	if !checkID.MatchString(id) || len(id) > maxName {
		return plan{}, fmt.Errorf("%q is no ID of a check: area.assertion-that-holds-on-a-good-device, in small letters and digits", id)
	}
	n := namesOf(id)
	file := "harness/checks/" + strings.NewReplacer(".", "_", "-", "_").Replace(id)
	p := plan{left: []string{
		"Write the assertion into " + file + ".go: as it stands, it is that a TCP port is closed, 19 unless the parameter says another.",
		"Read the line `" + id + "` in devices/*/expected.yaml: what must each device be told? Then: go test ./harness/lab",
		"Map it in profiles/*.yaml where it bears on a requirement: can it decide, refute or support?",
		"make docs",
	}}
	if err := p.fill(n, map[string]string{file + ".go": "check.go.tmpl", file + "_test.go": "check_test.go.tmpl"}); err != nil {
		return p, err
	}
	return p, p.expect(root, id)
}

// checksKey begins the verdicts of checks in an expected.yaml.
const checksKey = "\nchecks:\n"

// expect adds a check to what each emulated device is to be told.
func (p *plan) expect(root, id string) error {
	files, err := filepath.Glob(filepath.Join(root, "devices", "*", "expected.yaml"))
	if err != nil {
		return err
	}
	p.change = map[string]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		before, after, ok := strings.Cut(string(b), checksKey)
		switch {
		case !ok:
			return fmt.Errorf("%s has no list of checks", file)
		case strings.Contains(string(b), "\n  "+id+": "):
			return fmt.Errorf("%s expects something of %q already; choose another ID", file, id)
		}
		name := path.Join("devices", filepath.Base(filepath.Dir(file)), "expected.yaml")
		p.change[name] = before + checksKey + "  " + id + ": pass\n" + after
	}
	return nil
}
