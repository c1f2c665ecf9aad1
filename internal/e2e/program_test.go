package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/result"
)

// An exited is a run of the program that has ended.
type exited struct {
	Code           int
	Stdout, Stderr string
	Peak           int64 // bytes of memory, at most
}

// program prepares a run of the program in dir, with keys of its own.
func program(t testing.TB, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Getenv(programEnv), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ASSAY_KEYS="+filepath.Join(dir, "keys"), "NO_COLOR=1")
	return cmd
}

// assay runs the program to its end.
func assay(t testing.TB, dir string, args ...string) exited {
	t.Helper()
	var peak int64
	ran := finish(t, program(t, dir, args...), func(cmd *exec.Cmd) error {
		if err := cmd.Start(); err != nil {
			return err
		}
		stop := watchPeak(cmd.Process.Pid)
		err := cmd.Wait()
		peak = stop()
		return err
	})
	require.Positive(t, peak, "its memory was never seen")
	ran.Peak = peak
	return ran
}

// glance is how often the memory of a process is looked at. Its peak never
// falls, so that what grows between the last two looks alone is missed.
const glance = 10 * time.Millisecond

// watchPeak follows the peak of a process's memory until stop. What the system
// reports of a process that has ended would count this test's own memory too,
// with which it was born.
func watchPeak(pid int) (stop func() int64) {
	var peak int64
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(glance); ; {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if _, after, ok := strings.Cut(string(b), "VmHWM:"); ok {
				var kib int64
				if _, err := fmt.Sscanf(after, "%d", &kib); err == nil {
					peak = kib << 10 // of the program: before it begins, the peak is another's
				}
			}
			select {
			case <-tick.C:
			case <-ended:
				tick.Stop()
				return
			}
		}
	}()
	return func() int64 {
		close(ended)
		<-done
		return peak
	}
}

// finish runs a prepared program as do says, and tells how it ended.
func finish(t testing.TB, cmd *exec.Cmd, do func(*exec.Cmd) error) exited {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := do(cmd)
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		require.NoError(t, err)
	}
	return exited{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

// result is what a run with --format json printed.
func (e exited) result(t testing.TB) result.Result {
	t.Helper()
	var r result.Result
	require.NoError(t, json.Unmarshal([]byte(e.Stdout), &r), "exit code %d, standard error:\n%s", e.Code, e.Stderr)
	require.Empty(t, r.Defects, "standard error:\n%s", e.Stderr)
	return r
}
