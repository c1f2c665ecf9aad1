package peers

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Quiet sees to it that no peer listens on all addresses of this machine while
// a test runs: it would answer on those of emulated devices too. It waits for
// peers of other test binaries to end, and keeps them waiting.
func Quiet(t testing.TB) {
	t.Helper()
	lock(t, unix.LOCK_SH)
}

// Loud is for what listens on all addresses: it waits until no test needs quiet,
// and keeps such tests waiting.
func Loud(t testing.TB) {
	t.Helper()
	lock(t, unix.LOCK_EX)
}

// lock holds a lock that all test binaries of this user share, until the test
// ends.
func lock(t testing.TB, how int) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "assay-test-quiet.lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		t.Fatalf("peers: %v", err)
	}
	t.Cleanup(func() { f.Close() }) // which gives the lock back
	for {
		err = unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		t.Fatalf("peers: waiting for quiet: %v", err)
	}
}
