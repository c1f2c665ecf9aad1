package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of "go test -json" (see "go doc test2json").
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

// test names a test. The empty Name stands for the package itself.
type test struct{ Package, Name string }

// summary counts tests, subtests included.
type summary struct {
	w      io.Writer
	noSkip bool

	passed, failed int
	skips          []string // "package test: reason", as they came
	output         map[test][]string
	broken         map[string]bool // packages with a failed test
}

func newSummary(w io.Writer, noSkip bool) *summary {
	return &summary{w: w, noSkip: noSkip, output: map[test][]string{}, broken: map[string]bool{}}
}

// line handles one line. What is no event is something that the go command or
// a test wrote past the protocol: it is shown.
func (s *summary) line(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		s.printf("%s", line)
		return
	}
	at := test{e.Package, e.Test}
	switch {
	case e.Action == "output":
		s.output[at] = append(s.output[at], e.Output)
	case e.Action == "build-output":
		s.printf("%s", e.Output)
	case e.Test == "":
		s.ofPackage(e)
	default:
		s.ofTest(at, e.Action)
	}
}

// ofTest counts a test that has ended.
func (s *summary) ofTest(at test, action string) {
	switch action {
	case "pass":
		s.passed++
	case "skip":
		s.skips = append(s.skips, fmt.Sprintf("%s %s: %s", at.Package, at.Name, reason(s.output[at])))
	case "fail":
		s.failed++
		s.broken[at.Package] = true
		s.printf("%s", strings.Join(s.output[at], ""))
	default: // run, pause, cont
		return
	}
	delete(s.output, at)
}

// ofPackage tells how a package ended. One that failed without a failed test
// did not build, or died: that counts as one failure, and what its unfinished
// tests said is shown.
func (s *summary) ofPackage(e event) {
	switch e.Action {
	case "pass":
		s.printf("ok   %s %.1fs\n", e.Package, e.Elapsed)
	case "fail":
		if !s.broken[e.Package] {
			s.failed++
		}
		s.unfinished(e.Package)
		s.printf("FAIL %s %.1fs\n", e.Package, e.Elapsed)
	}
}

// unfinished shows the output of a package and of its tests that have not
// ended.
func (s *summary) unfinished(name string) {
	order := func(a, b test) int { return strings.Compare(a.Name, b.Name) }
	for _, at := range slices.SortedFunc(maps.Keys(s.output), order) {
		if at.Package == name {
			s.printf("%s", strings.Join(s.output[at], ""))
		}
	}
}

// reason is what a skipped test said, without the marks of the test runner.
func reason(output []string) string {
	var said []string
	for _, line := range output {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	return strings.Join(said, " ")
}

// finish prints skips and counts, and says whether all is well.
func (s *summary) finish() bool {
	for _, skip := range s.skips {
		s.printf("skipped: %s\n", skip)
	}
	s.printf("%d passed, %d failed, %d skipped\n", s.passed, s.failed, len(s.skips))
	return s.failed == 0 && s.passed > 0 && (len(s.skips) == 0 || !s.noSkip)
}

// printf prints. Where nobody reads any more, the exit code still tells.
func (s *summary) printf(format string, args ...any) { _, _ = fmt.Fprintf(s.w, format, args...) }
