// Command docs writes the reference of all checks and probes: what the code
// declares, and what its comments say.
//
//	go run ./scripts/docs > docs/reference.md
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/assay-iot/assay/harness/probe"
)

func main() {
	w := bufio.NewWriter(os.Stdout)
	err := write(w, ".")
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// write writes the whole page. The tree with the source lies at root.
func write(w io.Writer, root string) error {
	src := newSource(root)
	fmt.Fprint(w, "# Reference\n\nWritten by `make docs` from the declarations and comments in the code; do not edit.\n")
	if err := writeChecks(w, src); err != nil {
		return err
	}
	return writeProbes(w, src)
}

// cell makes a text fit for a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

// names lists probes.
func names(list []probe.Any) string {
	var all []string
	for _, p := range list {
		all = append(all, "`"+p.Info().Name+"`")
	}
	return strings.Join(all, ", ")
}

// anchor is what a heading that is a name in code can be linked by.
func anchor(name string) string { return strings.NewReplacer(".", "").Replace(name) }
