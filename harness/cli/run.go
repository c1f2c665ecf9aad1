package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/result"
)

var _ = command(func(a *app) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run DEVICE.yaml|ADDRESS",
		Short: "Test a device and judge it",
		Long: `Test a device and judge it. Everything that is seen is kept in a bundle, which
is sealed and signed; "assay judge" judges it again without the device.

Exit code 0: every mandatory requirement passed or does not apply. 1: one
failed. 3: none failed, at least one is inconclusive. 2: the run could not
begin. 4: a mistake in assay itself. 130: interrupted; it can be carried on.`,
		Example: `  assay run lock.yaml
  assay run lock.yaml --effect intrusive --consent "J. Doe, bench 3"
  assay run 192.168.1.20 --quick --only "mqtt.*"
  assay run 127.0.0.1 --ports 1883,8883
  assay run lock.yaml --profile uk-psti-2023 --format json`,
		Args: exactly(1, "a device file or an address"),
		RunE: func(_ *cobra.Command, args []string) error { return a.run(args[0], &f) },
	}
	f.add(c)
	return c
})

// runFlags are those of run alone.
type runFlags struct {
	orderFlags
	outputFlags
	bundle string
	resume string
	failOn string
}

func (f *runFlags) add(c *cobra.Command) {
	f.orderFlags.add(c)
	f.outputFlags.add(c, "the bundle and the reports (default: this one; one report goes to standard output)")
	c.Flags().StringVar(&f.bundle, "bundle", "", "`FILE` for the bundle (default DEVICE-ID_UTC.assay)")
	c.Flags().StringVar(&f.resume, "resume", "", "carry on the interrupted run whose journal is in `DIR`, with the same arguments")
	failOn(c, &f.failOn)
}

func (a *app) run(what string, f *runFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	s, err := a.session(what, &f.orderFlags)
	if err != nil {
		return err
	}
	r, path, err := a.test(s, f)
	if err != nil {
		return err
	}
	a.say("assay: bundle: %s", path)
	if err := a.reported(r, &f.outputFlags, r.Run.ID); err != nil {
		return err
	}
	return asExit(codeOf(r, f.failOn == "fail"))
}

// check refuses what could not be written at the end, before anything is done.
func (f *runFlags) check() error {
	if err := f.outputFlags.check(); err != nil {
		return err
	}
	if f.bundle == "" {
		return nil
	}
	if _, err := os.Lstat(f.bundle); err == nil && f.resume == "" {
		return wrong(fmt.Errorf("--bundle %q: it exists, and evidence is never written over", f.bundle), "give another name")
	}
	return writable(filepath.Dir(f.bundle))
}

// writable tries whether a file can be made in a folder.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".assay")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return wrong(fmt.Errorf("--bundle: nothing can be written to %q: %w", dir, err), "name a file in a folder that you may write to")
	}
	return nil
}

// test collects, seals and judges.
func (a *app) test(s *harness.Session, f *runFlags) (result.Result, string, error) {
	var none result.Result
	j, keys, err := a.journal(s, f)
	if err != nil {
		return none, "", err
	}
	defer j.Close() //nolint:errcheck // what it took is on disk since then
	if f.resume == "" {
		a.announce(s)
	}
	in, err := a.collect(s, j, f)
	if err != nil {
		return none, "", errors.Join(err, f.discard(j))
	}
	if a.ctx.Err() != nil {
		a.say("assay: interrupted; what was seen is kept in %s", j.Dir())
		a.say("assay: hint: carry on with the same arguments and --resume %s", j.Dir())
		return none, "", exitInterrupted
	}
	return seal(s, in, j, keys, f)
}

// collect runs the probes, in sight of who watches.
func (a *app) collect(s *harness.Session, j *bundle.Journal, f *runFlags) (harness.Case, error) {
	defer a.watch()()
	s.Plan = a.show(s.Plan)
	in, err := s.Collect(a.ctx, j, a.tell)
	switch {
	case err != nil && f.resume != "":
		err = wrong(err, "carry on with the arguments, the files and the version of assay that the run was begun with")
	case err != nil && len(j.Log()) > 0:
		err = wrong(err, "what was seen is kept: carry on with the same arguments and --resume %s", j.Dir())
	}
	return in, err
}

// announce says how long the longest part will take, if it is long.
func (a *app) announce(s *harness.Session) {
	if took := s.PortTime(); took > 0 {
		a.say("assay: looking at %d TCP ports at pace %q takes about %s", len(s.Ports.List), s.Pace, seconds(took))
	}
}

// seal packs a journal, and judges what was packed.
func seal(s *harness.Session, in harness.Case, j *bundle.Journal, keys bundle.KeySet, f *runFlags) (result.Result, string, error) {
	path := f.bundle
	if path == "" {
		path = filepath.Join(f.dir(), in.Run.ID+".assay")
	}
	digest, err := bundle.Pack(j, path, keys.Signer)
	if err != nil {
		return result.Result{}, "", wrong(err, "what was seen is kept in %s; carry on with --resume %s, and another --bundle", j.Dir(), j.Dir())
	}
	if err := j.Remove(); err != nil {
		return result.Result{}, "", err
	}
	in.Run.BundleSHA256 = digest
	return harness.Judge(in, s.Profiles, s.Checks), path, nil
}
