package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	passing = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"pass","Package":"p","Elapsed":1.24}
`
	skipping = `{"Action":"output","Package":"q","Test":"TestB/root","Output":"=== RUN   TestB/root\n"}
{"Action":"output","Package":"q","Test":"TestB/root","Output":"    b_test.go:3: it needs root\n"}
{"Action":"output","Package":"q","Test":"TestB/root","Output":"--- SKIP: TestB/root (0.00s)\n"}
{"Action":"skip","Package":"q","Test":"TestB/root","Elapsed":0}
{"Action":"pass","Package":"q","Test":"TestB","Elapsed":0}
{"Action":"skip","Package":"empty","Elapsed":0}
`
	failing = `{"Action":"output","Package":"r","Test":"TestC","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"r","Test":"TestC","Elapsed":0}
{"Action":"output","Package":"r","Output":"FAIL\n"}
{"Action":"fail","Package":"r","Elapsed":0.5}
`
	dying = `{"Action":"output","Package":"s","Test":"TestD","Output":"panic: test timed out\n"}
{"Action":"output","Package":"s","Output":"FAIL\n"}
{"Action":"fail","Package":"s","Elapsed":9}
`
	notBuilt = `{"ImportPath":"u","Action":"build-output","Output":"u.go:1:1: undefined: x\n"}
{"ImportPath":"u","Action":"build-fail"}
{"Action":"fail","Package":"u","Elapsed":0,"FailedBuild":"u"}
`
)

func TestSummary(t *testing.T) {
	tests := []struct {
		name, in string
		noSkip   bool
		well     bool
		want     []string // in this order
	}{
		{"pass", passing, true, true, []string{"ok   p 1.2s\n", "1 passed, 0 failed, 0 skipped\n"}},
		{"skip", passing + skipping, false, true, []string{
			"skipped: q TestB/root: b_test.go:3: it needs root\n", "2 passed, 0 failed, 1 skipped\n",
		}},
		{"skip_in_ci", passing + skipping, true, false, []string{"2 passed, 0 failed, 1 skipped\n"}},
		{"fail", passing + failing, false, false, []string{
			"got 1, want 2\n", "FAIL r 0.5s\n", "1 passed, 1 failed, 0 skipped\n",
		}},
		{"died", passing + dying, false, false, []string{"panic: test timed out\n", "FAIL s", "1 passed, 1 failed, 0 skipped\n"}},
		{"not_built", passing + notBuilt, false, false, []string{"undefined: x\n", "FAIL u", "1 passed, 1 failed, 0 skipped\n"}},
		{"nothing_ran", "", false, false, []string{"0 passed, 0 failed, 0 skipped\n"}},
		{"no_event", "go: warning\n" + passing, false, true, []string{"go: warning\n", "1 passed"}},
		{"no_newline_at_the_end", strings.TrimSpace(passing), false, true, []string{"ok   p"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			s := newSummary(&out, tt.noSkip)
			if err := s.read(strings.NewReader(tt.in)); err != nil {
				t.Fatal(err)
			}
			if well := s.finish(); well != tt.well {
				t.Errorf("all is well: %t, want %t", well, tt.well)
			}
			rest := out.String()
			for _, want := range tt.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("printed\n%s\nwant %q there, in order", out.String(), want)
				}
				rest = after
			}
			if strings.Contains(out.String(), "chatter") {
				t.Errorf("printed the output of a test that passed:\n%s", out.String())
			}
		})
	}
}

// Output that is printed once: of the test that failed, not of those beside
// it, and nothing again at the end of the package.
func TestSummaryPrintsAFailureOnce(t *testing.T) {
	var out strings.Builder
	s := newSummary(&out, false)
	if err := s.read(strings.NewReader(passing + failing + skipping)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "got 1, want 2"); n != 1 {
		t.Errorf("printed the failure %d times, want once:\n%s", n, out.String())
	}
	if strings.Contains(out.String(), "b_test.go") {
		t.Errorf("printed a skip before the end:\n%s", out.String())
	}
}

func TestSummaryReadFails(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(passing), iotest.ErrReader(errors.New("pipe is gone")))
	s := newSummary(io.Discard, false)
	if err := s.read(broken); err == nil || !strings.Contains(err.Error(), "pipe is gone") {
		t.Errorf("reading ended with %v, want the cause", err)
	}
}

func TestReason(t *testing.T) {
	tests := []struct {
		name string
		in   []string
		want string
	}{
		{"one_line", []string{"=== RUN   TestA\n", "    a_test.go:1: it needs root\n", "--- SKIP: TestA (0.00s)\n"}, "a_test.go:1: it needs root"},
		{"two_lines", []string{"    a_test.go:1: it needs\n", "        a browser\n"}, "a_test.go:1: it needs a browser"},
		{"nothing_said", []string{"=== RUN   TestA\n", "    --- SKIP: TestA/b (0.00s)\n"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := reason(tt.in); got != tt.want {
				t.Errorf("reason is %q, want %q", got, tt.want)
			}
		})
	}
}
