package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// claim is the hold of one process on the folder of a lab. The system lets go
// of it when the process ends, however it ends.
type claim struct{ file *os.File }

// claimName is the file that a running lab holds, with its process number in
// it.
const claimName = "lab.pid"

func claimLab(dir string) (*claim, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, claimName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(wrong(fmt.Errorf("a lab is running in %q", dir), "stop it with assay lab down, or use another --dir"), f.Close())
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := fmt.Fprintf(f, "%d\n", os.Getpid()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &claim{f}, nil
}

// release lets go of the folder.
func (c *claim) release() error {
	return errors.Join(os.Remove(c.file.Name()), c.file.Close())
}

const (
	// stopPatience is how long a lab may take to switch its devices off.
	stopPatience = 10 * time.Second
	// stopPoll is how often it is looked whether it has.
	stopPoll = 50 * time.Millisecond
	// maxClaim bounds what is read of a claim: a process number.
	maxClaim = 32
)

// stopLab asks the process that holds the folder to end, and waits until it
// has.
func stopLab(ctx context.Context, dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, claimName), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("no lab is running in %q", dir)
	}
	defer f.Close()
	if lockFile(f) == nil {
		return fmt.Errorf("no lab is running in %q any more", dir)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxClaim))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return fmt.Errorf("%q does not hold the number of a process", f.Name())
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := awaitLock(ctx, f); err != nil {
		return fmt.Errorf("the lab in %q (process %d) does not stop: %w", dir, pid, err)
	}
	return nil
}

// awaitLock waits until nobody holds a file any more.
func awaitLock(ctx context.Context, f *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	poll := time.NewTicker(stopPoll)
	defer poll.Stop()
	for lockFile(f) != nil {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
