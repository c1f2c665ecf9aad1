package main

import (
	"fmt"
	"regexp"
	"strings"
)

// wordsForm is how probes, devices and formats are named.
var wordsForm = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// maxName keeps names short and fit for file names, in bytes.
const maxName = 60

// named returns the names that come of words joined by hyphens.
func named(what, name string) (names, error) {
	if !wordsForm.MatchString(name) || len(name) > maxName {
		return names{}, fmt.Errorf("%q is no name of a %s: words of small letters and digits, joined by hyphens, %d characters at most", name, what, maxName)
	}
	return namesOf(name), nil
}

// newProbe begins a probe in a folder of its own.
func newProbe(_, name string) (plan, error) {
	n, err := named("probe", name)
	if err != nil {
		return plan{}, err
	}
	dir := "harness/probes/" + n.Package + "/"
	p := plan{left: []string{
		"Write what it looks at into " + dir + ": as it stands, it takes down what each open TCP port says unasked.",
		"Once it takes apart what a device sends, add a fuzz target for that.",
		"Name it in Needs, OneOf or Uses of a check: the plan follows from that. Then: make docs",
	}}
	if strings.HasSuffix(n.Package, "test") {
		return p, fmt.Errorf("%q: Go takes a folder that ends in \"test\" for something else; choose another name", name)
	}
	return p, p.fill(n, map[string]string{
		dir + "evidence.go": "probe_evidence.go.tmpl", dir + n.Package + ".go": "probe.go.tmpl", dir + n.Package + "_test.go": "probe_test.go.tmpl",
	})
}
