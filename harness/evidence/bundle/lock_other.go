//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package bundle

import (
	"errors"
	"fmt"
)

// lock refuses: without a lock that dies with its process, two runs could write
// into one journal.
func lock(file) error {
	return fmt.Errorf("lock the journal on this system: %w", errors.ErrUnsupported)
}
