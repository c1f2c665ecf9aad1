package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

// programEnv is the environment variable that names the built program.
const programEnv = "ASSAY_E2E_PROGRAM"

// width is how many tests go on side by side: most of the time they wait.
const width = 8

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		os.Exit(childMain(job))
	}
	os.Exit(withProgram(func() int {
		flag.Parse()
		if err := flag.Set("test.parallel", strconv.Itoa(max(width, runtime.GOMAXPROCS(0)))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}))
}

// withProgram builds the program once for all tests.
func withProgram(run func() int) int {
	dir, err := os.MkdirTemp("", "assay-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "assay")
	if out, err := buildProgram(path, "github.com/assay-iot/assay"); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv(programEnv, path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

// buildProgram builds a package or a file as it is shipped: static, without
// paths of the machine.
func buildProgram(path, what string) ([]byte, error) {
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", path, what)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	return build.CombinedOutput()
}
