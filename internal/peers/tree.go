package peers

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// packages is the list that "make peers" fetches. Its hash is what the
// unpacked tree is stamped with.
//
//go:embed packages.txt
var packages []byte

// stampFile lies in the unpacked tree and says which list it was made from.
const stampFile = ".stamp"

// Command prepares a program of the unpacked tree, such as usr/bin/openssl, to
// run with the libraries that came with it. It ends with the test. Without the
// tree the test is skipped, or fails under ASSAY_NO_SKIP=1.
func Command(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	root := unpacked(t)
	path := filepath.Join(root, program)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no package of packages.txt holds %q: %v", program, err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = environ(root)
	return cmd
}

// output runs a program of the tree to its end and returns what it printed,
// without the last newline.
func output(t testing.TB, stdin, program string, args ...string) string {
	t.Helper()
	cmd := Command(t, program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", program, err, out)
	}
	return strings.TrimSpace(string(out))
}

// unpacked returns the unpacked tree, or skips the test.
func unpacked(t testing.TB) string {
	t.Helper()
	root, err := tree(".")
	Need(t, err == nil, fmt.Sprint(err))
	return root
}

// tree finds the unpacked tree of the module that dir lies in.
func tree(dir string) (string, error) {
	root, err := moduleRoot(dir)
	if err != nil {
		return "", err
	}
	at := filepath.Join(root, ".cache", "peers")
	stamp, err := os.ReadFile(filepath.Join(at, stampFile))
	if err != nil {
		return "", errors.New("real peers are not fetched; run 'make peers'")
	}
	if sum := sha256.Sum256(packages); strings.TrimSpace(string(stamp)) != hex.EncodeToString(sum[:]) {
		return "", errors.New("the list of real peers has changed; run 'make peers'")
	}
	return at, nil
}

// moduleRoot walks up from dir to the folder that holds go.mod.
func moduleRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("module root: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no go.mod above %q", dir)
		}
	}
}

// environ is the environment of a program in the tree: its libraries first,
// then those of the machine. Of the caller's own only the search path is kept,
// so that no setting of a developer's changes what a peer does.
func environ(root string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "LD_LIBRARY_PATH=" + strings.Join(libraries(root), ":")}
}

// libraries are the folders of the tree that hold shared libraries. That of BLAS
// stands apart: installed, a link would lead to it.
func libraries(root string) []string {
	var dirs []string
	for _, pattern := range []string{"lib/*-linux-gnu*", "usr/lib/*-linux-gnu*", "usr/lib/*-linux-gnu*/blas"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern)) // its only error is a bad pattern
		dirs = append(dirs, found...)
	}
	return dirs
}
