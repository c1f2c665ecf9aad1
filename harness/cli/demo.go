package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/lab"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/profiles"
	"github.com/assay-iot/assay/reports"
)

var _ = command(func(a *app) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Test every emulated device, on this machine alone",
		Long: `Start every emulated device on the loopback interface, test it, judge it, and
compare the verdicts with what is expected of it. No root, no network. Exit code
0: every verdict is as expected. 1: one is not. 4: a mistake in assay itself.`,
		Example: "  assay demo\n  assay demo --out /tmp/assay-demo",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := devices.All()
			if err != nil {
				return err
			}
			return a.demo(all, out)
		},
	}
	outFlag(c, &out, demoDir, "bundles and reports")
	return c
})

// demoDir is where bundles and reports of emulated devices go unless told
// otherwise.
const demoDir = "assay-demo"

// demo tests the devices and reports where verdicts are not as expected.
func (a *app) demo(folders []devices.Folder, out string) error {
	began := time.Now()
	list, err := loadProfiles(profiles.IDs())
	if err != nil {
		return err
	}
	outcomes, err := a.testDevices(folders, list, out)
	if err != nil {
		return err
	}
	rows := make([]reports.MatrixRow, len(outcomes))
	for i, o := range outcomes {
		rows[i] = matrixRow(o)
		if _, err := a.report(o.Result, &outputFlags{formats: formatNames(), out: out}, o.Folder.Name); err != nil {
			return err
		}
	}
	if err := reports.Matrix(a.Out, rows, a.options()); err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "\n%d devices tested in %s; bundles and reports are in %s\n", len(outcomes), seconds(time.Since(began)), out)
	return a.settle(outcomes, list)
}

// settle says whether everything was as expected. The matrix has named the
// checks that were not.
func (a *app) settle(outcomes []lab.Outcome, list []*profile.Profile) error {
	differences, defects := 0, 0
	for _, o := range outcomes {
		for _, d := range o.Result.Defects {
			a.say("assay: %s: defect in %s: %s", o.Folder.Name, d.Where, oneLine(d.What))
			defects++
		}
		differences += len(lab.Checks(o.Result, o.Folder.Expected.Checks, mappedBy(list)))
		for _, d := range lab.Requirements(o.Result, o.Folder.Expected.Requirements) {
			a.say("assay: %s: %s: got %s, expected %s", o.Folder.Name, d.What, seen(d.Seen), spoken(string(d.Expected)))
			differences++
		}
	}
	switch {
	case defects > 0:
		fmt.Fprintf(a.Out, "Defects of assay: %d. Verdicts that are not as expected: %d.\n", defects, differences)
		return exitDefect
	case differences > 0:
		fmt.Fprintf(a.Out, "Verdicts that are not as expected: %d.\n", differences)
		return exitFailed
	}
	fmt.Fprintln(a.Out, "Every verdict is as expected.")
	return nil
}

// mappedBy reports whether a profile maps a check: only then is it decided.
func mappedBy(list []*profile.Profile) func(id string) bool {
	mapped := map[string]bool{}
	for _, c := range harness.Checks(list, harness.Selection{}, checks.ByID()) {
		mapped[c.ID] = true
	}
	return func(id string) bool { return mapped[id] }
}

// seen writes a verdict, or that there is none.
func seen(v verdict.Verdict) string {
	if v == "" {
		return "no verdict"
	}
	return spoken(string(v))
}

// atOnce is how many devices are tested side by side. Most of the time a test
// waits for its device, so that it pays beyond the number of cores.
const atOnce = 16

// testDevices tests each device, several side by side.
func (a *app) testDevices(folders []devices.Folder, list []*profile.Profile, out string) ([]lab.Outcome, error) {
	folder := outputFlags{out: out}
	if err := folder.room(); err != nil {
		return nil, err
	}
	keys, err := a.keys()
	if err == nil {
		err = folder.make()
	}
	if err != nil {
		return nil, err
	}
	job := lab.Job{Profiles: list, Dir: out, Keys: keys, Program: program(), Clock: harness.SystemClock(), Now: a.Now().UTC()}
	outcomes, errs := make([]lab.Outcome, len(folders)), make([]error, len(folders))
	each(a.ctx, len(folders), atOnce, func(ctx context.Context, i int) {
		own := job
		own.Spec = devices.Spec{Name: folders[i].Name}
		own.Dir = filepath.Join(out, "lab")
		if outcomes[i], errs[i] = lab.Test(ctx, own); errs[i] == nil {
			a.say("assay: %s tested in %s", folders[i].Name, seconds(outcomes[i].Took))
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// each calls do for every number below n, at most width at a time, and waits.
func each(ctx context.Context, n, width int, do func(context.Context, int)) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, width)
	for i := range n {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			do(ctx, i)
		})
	}
	wg.Wait()
}

// matrixRow lines up the checks of one device.
func matrixRow(o lab.Outcome) reports.MatrixRow {
	row := reports.MatrixRow{Device: o.Folder.Name}
	want := o.Folder.Expected.Checks
	for _, d := range o.Result.Decisions {
		if _, expected := want[d.Check]; expected && d.With == "" {
			row.Cells = append(row.Cells, reports.MatrixCell{Column: d.Check, Seen: d.Verdict, Expected: want[d.Check]})
		}
	}
	return row
}
