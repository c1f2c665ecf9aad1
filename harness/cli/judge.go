package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/result"
)

var _ = command(func(a *app) *cobra.Command {
	var f judgeFlags
	c := &cobra.Command{
		Use:   "judge BUNDLE",
		Short: "Judge stored evidence again, without the device",
		Long: `Judge stored evidence again, without the device and without a network: under the
profiles that it was collected for, as they stood then, or under others. The
same bundle, profile and version of assay give the same bytes.`,
		Example: `  assay judge lock.assay
  assay judge lock.assay --profile uk-psti-2023
  assay judge lock.assay --at 2027-01-01 --format json`,
		Args: exactly(1, "a bundle"),
		RunE: func(_ *cobra.Command, args []string) error { return a.judge(args[0], &f) },
	}
	profileFlag(c, &f.profiles, "those of the run")
	f.add(c, "the reports (default: one report goes to standard output)")
	c.Flags().StringVar(&f.at, "at", "", "the `DAY` to judge for, YYYY-MM-DD, instead of that of the run")
	failOn(c, &f.failOn)
	return c
})

type judgeFlags struct {
	outputFlags
	profiles []string
	at       string
	failOn   string
}

func (a *app) judge(path string, f *judgeFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	r, err := judged(path, f.profiles, f.at)
	if err != nil {
		return err
	}
	if err := a.reported(r, &f.outputFlags, baseName(path)); err != nil {
		return err
	}
	return asExit(codeOf(r, f.failOn == "fail"))
}

// judged opens a bundle and judges it.
func judged(path string, ids []string, at string) (result.Result, error) {
	b, err := openBundle(path)
	if err != nil {
		return result.Result{}, err
	}
	defer b.Close() //nolint:errcheck // it was only read
	return judgeBundle(b, ids, at)
}

// judgeBundle judges a bundle under the profiles that it was sealed with unless
// others are named, and for the day of the run unless another is.
func judgeBundle(b *bundle.Bundle, ids []string, at string) (result.Result, error) {
	in, err := harness.ReadCase(b)
	if err != nil {
		return result.Result{}, wrong(err, "judge it with the version of assay that has written it: %s", b.Head().Tool)
	}
	if at != "" {
		day, err := time.Parse(time.DateOnly, at)
		if err != nil {
			return result.Result{}, wrong(fmt.Errorf("--at %q is no day", at), "write it as YYYY-MM-DD")
		}
		in = in.At(day)
	}
	list, err := judgedBy(b, ids)
	if err != nil {
		return result.Result{}, err
	}
	in.Run.JudgedBy = program()
	return harness.Judge(in, list, checks.ByID()), nil
}

func judgedBy(b *bundle.Bundle, ids []string) ([]*profile.Profile, error) {
	if len(ids) > 0 {
		return loadProfiles(ids)
	}
	list, err := harness.StoredProfiles(b, checks.ByID())
	if err != nil {
		return nil, wrong(fmt.Errorf("the profiles in the bundle: %w", err), "name one of those that this version of assay knows with --profile")
	}
	return list, nil
}

// openBundle opens a bundle. One that does not hold together is refused.
func openBundle(path string) (*bundle.Bundle, error) {
	b, err := bundle.Open(path, bundle.Limits{})
	if _, broken := errors.AsType[*bundle.Broken](err); broken {
		return nil, wrong(err, "it is no bundle, or was changed or cut after it was sealed: nothing in it can be believed")
	}
	if err != nil {
		return nil, wrong(err, "name a bundle that assay run has written")
	}
	return b, nil
}
