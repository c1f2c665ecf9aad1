// Package peers starts real programs for tests to talk to, and hostile ones.
//
// The real ones are Debian packages that "make peers" unpacks into
// .cache/peers; they run from there, on loopback, in a process group of their
// own, until the test ends. The hostile ones live in the test process.
//
// Everything starts in the caller's goroutine, so a test that has locked its
// thread and entered a network namespace gets its peers in that namespace.
package peers

import (
	"os"
	"testing"
)

// noSkip is the environment variable under which a test that cannot run
// fails; CI sets it to 1, so that nothing is left out unseen.
const noSkip = "ASSAY_NO_SKIP"

// Need skips the test unless ok, and says what it lacks. Under ASSAY_NO_SKIP=1
// the test fails instead.
func Need(t testing.TB, ok bool, lacks string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv(noSkip) == "1":
		t.Fatalf("%s cannot run and %s=1 forbids to skip it: %s", t.Name(), noSkip, lacks)
	default:
		t.Skipf("%s is skipped: %s", t.Name(), lacks)
	}
}

// NeedRoot skips the test, or fails it under ASSAY_NO_SKIP=1, unless it runs
// as root.
func NeedRoot(t testing.TB) {
	t.Helper()
	Need(t, os.Geteuid() == 0, "it needs root")
}
