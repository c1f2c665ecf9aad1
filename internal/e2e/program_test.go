package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

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
	return finish(t, program(t, dir, args...), func(cmd *exec.Cmd) error { return cmd.Run() })
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
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	require.True(t, ok)
	return exited{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), usage.Maxrss << 10}
}

// result is what a run with --format json printed.
func (e exited) result(t testing.TB) result.Result {
	t.Helper()
	var r result.Result
	require.NoError(t, json.Unmarshal([]byte(e.Stdout), &r), "exit code %d, standard error:\n%s", e.Code, e.Stderr)
	require.Empty(t, r.Defects, "standard error:\n%s", e.Stderr)
	return r
}
