package peers

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module makes a folder with a go.mod, a stamp if there is one to write, and a
// package folder inside, which it returns.
func module(t *testing.T, stamp string) string {
	t.Helper()
	root := t.TempDir()
	inside := filepath.Join(root, "a", "b")
	cache := filepath.Join(root, ".cache", "peers")
	for _, dir := range []string{inside, cache} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]string{filepath.Join(root, "go.mod"): "module x\n"}
	if stamp != "" {
		files[filepath.Join(cache, stampFile)] = stamp
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return inside
}

func TestTree(t *testing.T) {
	sum := sha256.Sum256(packages)
	inside := module(t, hex.EncodeToString(sum[:])+"\n")
	got, err := tree(inside)
	want := filepath.Join(filepath.Dir(filepath.Dir(inside)), ".cache", "peers")
	if err != nil || got != want {
		t.Errorf("tree is %q, %v, want %q", got, err, want)
	}
}

func TestTreeNotThere(t *testing.T) {
	tests := []struct {
		name, dir, want string
	}{
		{"not_fetched", module(t, ""), "not fetched; run 'make peers'"},
		{"other_list", module(t, "0123\n"), "has changed; run 'make peers'"},
		{"no_module", t.TempDir(), "no go.mod above"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := tree(tt.dir); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("tree is %q, %v, want an error with %q", got, err, tt.want)
			}
		})
	}
}

func TestCommandWithoutTree(t *testing.T) {
	t.Chdir(module(t, ""))
	for env, how := range map[string]string{"": "skip", "1": "fatal"} {
		t.Setenv(noSkip, env)
		s := watch(t, func(tb testing.TB) { Command(tb, "bin/busybox") })
		if s.how != how || !strings.Contains(s.why, "make peers") {
			t.Errorf("with %q=%q it ended with %q, %q, want %q", noSkip, env, s.how, s.why, how)
		}
	}
}

func TestCommandNotInTree(t *testing.T) {
	unpacked(t)
	s := watch(t, func(tb testing.TB) { Command(tb, "usr/bin/nonesuch") })
	if s.how != "fatal" || !strings.Contains(s.why, `"usr/bin/nonesuch"`) {
		t.Errorf("it ended with %q, %q, want it to name the program", s.how, s.why)
	}
}

// The libraries of the tree come before the machine's, and no setting of the
// developer's reaches a peer.
func TestCommandEnvironment(t *testing.T) {
	t.Setenv("OPENSSL_CONF", "/nonexistent")
	cmd := Command(t, "usr/bin/openssl", "version")
	joined := strings.Join(cmd.Env, "\n")
	if !strings.Contains(joined, "LD_LIBRARY_PATH=") || !strings.Contains(joined, ".cache/peers/usr/lib/") {
		t.Errorf("environment %q lacks the libraries of the tree", cmd.Env)
	}
	if strings.Contains(joined, "OPENSSL_CONF") {
		t.Errorf("environment %q holds a setting of the caller", cmd.Env)
	}
	if got := output(t, "", "usr/bin/openssl", "version"); !strings.HasPrefix(got, "OpenSSL 3") {
		t.Errorf("version is %q", got)
	}
}
