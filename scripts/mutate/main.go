// Command mutate changes one thing at a time in the files of a package and runs
// its tests: a change that no test notices is printed. It writes nothing into
// the tree.
//
//	go run ./scripts/mutate [-tests PKG,…] PKG-DIR…
//
// The tests are those of the package itself unless others are named. What does
// not compile is no mutant. Exit code 0: every mutant was noticed.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience bounds the tests of one mutant, which may never end. The test binary
// keeps to it by itself: killing "go test" alone would leave it running.
const patience = time.Minute

// compiling is what building the packages of one mutant may take besides.
const compiling = 2 * time.Minute

// tally counts mutants by what became of them.
type tally struct{ noticed, survived, invalid int }

func main() {
	tests := flag.String("tests", "", "packages whose tests are run, by commas")
	flag.Parse()
	survived := false
	for _, dir := range flag.Args() {
		packages := []string{"./" + filepath.ToSlash(filepath.Clean(dir))}
		if *tests != "" {
			packages = strings.Split(*tests, ",")
		}
		t, err := mutate(dir, packages)
		if err != nil {
			fmt.Fprintln(os.Stderr, "mutate:", err)
			os.Exit(2)
		}
		fmt.Printf("%s: %d noticed, %d survived, %d did not compile\n", dir, t.noticed, t.survived, t.invalid)
		survived = survived || t.survived > 0
	}
	if survived {
		os.Exit(1)
	}
}

// mutate tries every mutant of the files in dir.
func mutate(dir string, packages []string) (tally, error) {
	var t tally
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return t, err
	}
	if out, err := run(packages, ""); err != nil {
		return t, fmt.Errorf("the tests fail without a mutant: %w\n%s", err, out)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return t, err
		}
		mutants, err := mutantsOf(file, source)
		if err != nil {
			return t, err
		}
		for _, m := range mutants {
			if err := t.try(m, file, source, packages); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

// try runs the tests with one mutant in place.
func (t *tally) try(m mutant, file string, source []byte, packages []string) error {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	changed, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	absolute, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {absolute: changed}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(changed, m.apply(source), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		return err
	}
	out, err := run(packages, overlay)
	switch {
	case err == nil:
		t.survived++
		fmt.Printf("survived: %s\n", m)
	case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
		t.invalid++
	default:
		t.noticed++
	}
	return nil
}

// run runs the tests and returns what they print. An error says that they fail.
func run(packages []string, overlay string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience+compiling)
	defer cancel()
	args := []string{"test", "-vet=off", "-failfast", "-count=1", "-timeout", patience.String()}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	out, err := exec.CommandContext(ctx, "go", append(args, packages...)...).CombinedOutput()
	return string(out), err
}
