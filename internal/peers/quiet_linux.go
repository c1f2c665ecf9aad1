package peers

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Quiet sees to it that no peer listens on all addresses of this machine while
// a test runs: it would answer on those of emulated devices too. It waits for
// peers of other test binaries to end, and keeps them waiting.
func Quiet(t testing.TB) {
	t.Helper()
	side(t, "quiet", "loud")
}

// Loud is for what listens on all addresses: it waits until no test needs quiet,
// and keeps such tests waiting.
func Loud(t testing.TB) {
	t.Helper()
	side(t, "loud", "quiet")
}

// side takes a side until the test ends. All test binaries of this user may be
// on one side together, and a test may take its side more than once; nobody is
// on both. So nobody waits with the gate in hand.
func side(t testing.TB, mine, others string) {
	t.Helper()
	own := lockFile(t, mine)
	t.Cleanup(func() { own.Close() }) // which gives the lock back
	gate, other := lockFile(t, "gate"), lockFile(t, others)
	defer gate.Close()
	defer other.Close()
	for {
		took, err := enter(gate, own, other)
		if err != nil {
			t.Fatalf("peers: waiting for the %s ones: %v", others, err)
		}
		if took {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("peers: waiting for the %s ones: %v", others, t.Context().Err())
		case <-time.After(pollEvery):
		}
	}
}

// enter takes the own side if nobody is on the other one.
func enter(gate, own, other *os.File) (bool, error) {
	if err := flock(gate, unix.LOCK_EX); err != nil {
		return false, err
	}
	err := flock(other, unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		err = errors.Join(flock(own, unix.LOCK_SH), flock(other, unix.LOCK_UN))
	}
	if open := flock(gate, unix.LOCK_UN); errors.Is(err, unix.EWOULDBLOCK) {
		return false, open
	}
	return true, err
}

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

func lockFile(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "assay-test-side-"+name+".lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		t.Fatalf("peers: %v", err)
	}
	return f
}
