//go:build !unix

package cli

import (
	"errors"
	"os"
)

// lockFile cannot tell on this system who runs a lab.
func lockFile(*os.File) error { return errors.New("labs cannot be told apart on this system") }
