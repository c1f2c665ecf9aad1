//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package bundle

import (
	"errors"
	"fmt"
	"syscall"
)

// lock keeps every other process away from the journal until f is closed, which
// the system does when this one is killed.
func lock(f file) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("another process writes to it: %w", err)
	}
	return err
}
