//go:build unix

package cli

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// enoughFiles is what a scan at full width and its transcript need.
const enoughFiles = 512

func manyFiles() finding {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return finding{What: "open files", Seen: err.Error()}
	}
	return finding{What: "open files", Good: l.Cur >= enoughFiles, Seen: fmt.Sprintf("%d at a time", l.Cur), Fix: "ulimit -n 4096"}
}
