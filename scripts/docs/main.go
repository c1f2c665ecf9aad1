// Command docs writes the reference of all checks and probes, as the code
// declares them.
//
//	go run ./scripts/docs > docs/reference.md
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/capture"
	"github.com/assay-iot/assay/harness/probes/health"
)

func main() {
	w := bufio.NewWriter(os.Stdout)
	write(w)
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// write writes the whole page.
func write(w io.Writer) {
	fmt.Fprint(w, "# Reference\n\nWritten by `make docs` from the declarations in the code; do not edit.\n")
	fmt.Fprint(w, "\n## Checks\n\nThe ID names the assertion that holds on a good device. *Effect* is the least `--effect` that brings all the evidence that the check needs.\n\n")
	fmt.Fprint(w, "| check | asserts | probes | effect |\n| --- | --- | --- | --- |\n")
	for _, c := range checks.All() {
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", c.ID, c.Title, names(c.Needs, c.OneOf, c.Uses), effect(c))
	}
	fmt.Fprint(w, "\n## What to do about a fail\n\n| check | remedy |\n| --- | --- |\n")
	for _, c := range checks.All() {
		fmt.Fprintf(w, "| `%s` | %s |\n", c.ID, c.Remedy)
	}
	fmt.Fprint(w, "\n## Probes\n\nA probe observes and never judges. *Basis* is what a verdict on its evidence alone rests on.\n\n")
	fmt.Fprint(w, "| probe | version | kind | effect | basis | finds out | needs |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, p := range harness.Plan(checks.All(), capture.Probe, health.Probe) {
		i := p.Info()
		fmt.Fprintf(w, "| `%s` | %d | %s | %s | %s | %s | %s |\n", i.Name, i.Version, kinds[i.Kind], i.Effect, i.Basis, i.Doc, names(i.Needs))
	}
}

var kinds = map[probe.Kind]string{probe.Watch: "watch", probe.Run: "run", probe.Procedure: "procedure"}

func names(lists ...[]probe.Any) string {
	var all []string
	for _, list := range lists {
		for _, p := range list {
			all = append(all, "`"+p.Info().Name+"`")
		}
	}
	return strings.Join(all, ", ")
}

// effect is the strongest of the probes that a check needs. The watch over the
// device's identity runs always and does not count.
func effect(c check.Check) probe.Effect {
	most := probe.Passive
	for _, p := range harness.Plan([]check.Check{{Needs: c.Needs, OneOf: c.OneOf}}) {
		if p.Info().Kind != probe.Watch {
			most = max(most, p.Info().Effect)
		}
	}
	return most
}
