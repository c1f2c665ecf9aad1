package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tree copies this tree, without what is made in it.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(root, strings.TrimPrefix(path, "../.."))
		switch {
		case d.IsDir() && (d.Name() == ".git" || d.Name() == ".cache"):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(to, 0o755)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o644)
	}))
	return root
}

// A bench builds in the tree itself, with the scaffolded files laid over it: so
// only what they change is compiled anew. What it builds runs in the copy.
type bench struct{ tree, copy, overlay string }

// lay lists the files of plans for the go command.
func lay(t *testing.T, copied string, paths []string) bench {
	t.Helper()
	tree, err := filepath.Abs("../..")
	require.NoError(t, err)
	b := bench{tree, copied, filepath.Join(t.TempDir(), "overlay.json")}
	replace := map[string]string{}
	for _, path := range paths {
		replace[filepath.Join(tree, path)] = filepath.Join(copied, path)
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(b.overlay, text, 0o600))
	return b
}

func run(t *testing.T, dir string, words ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), words[0], words[1:]...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%q:\n%s", words, out)
	return string(out)
}

// test builds the tests of a package once, and runs them in the copy, each time
// with other arguments.
func (b bench) test(t *testing.T, pkg string, runs ...string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "tests")
	vet := "-vet=all"
	if _, err := os.Stat(filepath.Join(b.tree, pkg)); err != nil {
		vet = "-vet=off" // vet wants to work in the folder, which is in the copy alone
	}
	run(t, b.tree, "go", "test", "-c", vet, "-overlay", b.overlay, "-o", binary, "./"+pkg)
	for _, args := range runs {
		out := run(t, filepath.Join(b.copy, pkg), append([]string{binary}, strings.Fields(args)...)...)
		require.NotContains(t, out, "no tests to run", "%s %s", pkg, args)
	}
}

// What is scaffolded compiles and passes its tests as it stands, and those tests
// of the tree that look at every addition.
func TestScaffoldsWork(t *testing.T) {
	root := tree(t)
	var paths []string
	for _, args := range [][]string{
		{"check", "exposure.scaffold-port-closed"}, {"probe", "scaffold-greeting"}, {"device", "scaffold-lamp"}, {"report", "scaffold-lines"},
	} {
		var said strings.Builder
		require.NoError(t, scaffold(root, args, said.WriteString))
		require.Contains(t, said.String(), "\nWhat is left:\n- ")
		for line := range strings.Lines(said.String()) {
			if path, ok := strings.CutPrefix(strings.TrimSpace(line), "wrote "); ok {
				paths = append(paths, path)
			}
		}
	}
	b := lay(t, root, paths)
	require.Empty(t, strings.TrimSpace(run(t, root, append([]string{"gofmt", "-l"}, slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return filepath.Ext(p) != ".go" })...)...)))
	b.test(t, "harness/probes/scaffoldgreeting", "")
	b.test(t, "harness/checks", "-test.run ScaffoldPortClosed|Pure")
	b.test(t, "reports", "-test.run TestFormats/^scaffold-lines$ -update", "-test.run ScaffoldLines|TestFormats|TestRender|TestLookup|TestHostileTexts|TestNoText")
	b.test(t, "devices", "-test.run TestFolders|TestEveryFaultIsWalked|TestFamilyDeclaresTheSame|TestSoundMembers")
	b.test(t, "harness/lab", "-test.run TestMembers/^scaffold-lamp$|TestFamilies|TestEveryFaultIsWalked")
	b.test(t, "harness", "-test.run TestImportDirection|TestRule1")
	b.documented(t)
}

// documented makes the reference of the copy.
func (b bench) documented(t *testing.T) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "docs")
	run(t, b.tree, "go", "build", "-overlay", b.overlay, "-o", binary, "./scripts/docs")
	docs := run(t, b.copy, binary)
	_, section, ok := strings.Cut(docs, "\n### `exposure.scaffold-port-closed`\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n### ")
	require.Contains(t, section, "- **Passes:**\n  - TCP port {port} refused connections in two looks\n")
	require.Contains(t, section, "- `port`, by default `19`: Port is the TCP port that is to be closed.")
	require.NotContains(t, section, "Mapped by")
}

// What is refused leaves the tree as it was.
func TestScaffoldRefuses(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"harness/checks/area_taken.go": "package checks\n", "harness/probes/taken/x": "", "reports/taken.go": "", "devices/taken/lab.md": "",
		"harness/probes/taken/taken.go": "", "devices/door-lock-hardened/device.yaml": "device:\n  id: door-lock-hardened\n",
		"devices/door-lock-hardened/expected.yaml": "family: door-lock\nchecks:\n  area.expected: pass\nfaults:\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(text), 0o644))
	}
	before := list(t, root)
	for _, tt := range []struct{ kind, name, says string }{
		{"check", "", "has no name"}, {"check", "telnet", "no ID of a check"}, {"check", "Area.x", "no ID of a check"}, {"check", "area.x_y", "no ID of a check"},
		{"check", "area.x-", "no ID of a check"}, {"check", "../area.x", "no ID of a check"}, {"check", "a.b.c", "no ID of a check"},
		{"check", "area." + strings.Repeat("x", 80), "no ID of a check"}, {"check", "area.taken", "area_taken.go exists"},
		{"check", "area.expected", "choose another ID"},
		{"probe", "Taken", "no name of a probe"}, {"probe", "taken", "taken.go exists"}, {"probe", "a/b", "no name of a probe"}, {"probe", "1a", "no name of a probe"},
		{"probe", "my-test", "choose another name"}, {"probe", "-root", "no name of a probe"},
		{"device", "a b", "no name of a device"}, {"device", "taken", "lab.md exists"}, {"report", "a.b", "no name of a report format"}, {"report", "taken", "taken.go exists"},
		{"shelf", "x", "want one of check"},
	} {
		err := scaffold(root, []string{tt.kind, tt.name}, func(string) (int, error) { t.Errorf("%s %s: it went on", tt.kind, tt.name); return 0, nil })
		require.ErrorContains(t, err, tt.says, "%s %q", tt.kind, tt.name)
		require.Equal(t, before, list(t, root), "%s %q", tt.kind, tt.name)
	}
	require.Error(t, scaffold(root, nil, nil))
	require.Error(t, scaffold(t.TempDir(), []string{"device", "lamp"}, nil), "there is nothing to copy")
}

func list(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = string(b)
		return err
	}))
	return all
}

func TestNames(t *testing.T) {
	n := namesOf("exposure.http-1-closed")
	require.Equal(t, names{ID: "exposure.http-1-closed", Camel: "exposureHttp1Closed", Package: "exposurehttp1closed", Words: "exposure http 1 closed"}, n)
	require.Equal(t, "ExposureHttp1Closed", n.Pascal())
}

func TestTwin(t *testing.T) {
	text, err := twin("expected.yaml", "# Single faults are switched on.\nfamily: door-lock\nmember: hardened\nchecks:\n  a.b: pass\nfaults:\n  x: {a.b: fail}\n", "lamp")
	require.NoError(t, err)
	require.Equal(t, "family: lamp\nmember: hardened\nchecks:\n  a.b: pass\n", text)
	_, err = twin("device.yaml", "device:\n  id: another\n", "lamp")
	require.ErrorContains(t, err, "does not stand there once")
}
