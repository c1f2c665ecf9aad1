package cli

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the time zones that a result must not depend on

	"github.com/rogpeppe/go-internal/testscript"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	remake = flag.Bool("remake", false, "make the stored bundles anew: only if their format has to change")
)

// TestMain lets scripts and tests run this program as assay.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"assay": func() { os.Exit(Main(os.Args[1:], System())) }})
}

// world is a machine with nobody at the terminal, at a fixed time.
type world struct {
	World
	out, err bytes.Buffer
}

func newWorld(keys string) *world {
	w := &world{}
	w.World = World{
		In: strings.NewReader(""), Out: &w.out, Err: &w.err,
		Now: func() time.Time { return time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC) },
		Getenv: func(name string) string {
			if name == "ASSAY_KEYS" {
				return keys
			}
			return ""
		},
	}
	return w
}

// assay runs a command in this process and returns its exit code.
func (w *world) assay(args ...string) int {
	w.out.Reset()
	w.err.Reset()
	return Main(args, w.World)
}
