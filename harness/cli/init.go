package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/draft"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/profile"
)

var _ = command(func(a *app) *cobra.Command {
	var f initFlags
	c := &cobra.Command{
		Use:   "init ADDRESS",
		Short: "Draft a device file from what is seen of a device",
		Long: `Draft a device file from what is seen of a device. What was seen is filled in,
what only the manufacturer knows is asked for, line by line. Nothing is done to
the device that any client could not do. Nothing that was seen counts as meant
until somebody says so: services are drafted without a status, certificates as
comments.`,
		Example: `  assay init 192.168.1.20
  assay init 192.168.1.20 --quick --out lock.yaml
  assay init 127.0.0.1 --ports 1883,8883 --force`,
		Args: exactly(1, "the address of a device"),
		RunE: func(_ *cobra.Command, args []string) error { return a.init(args[0], &f) },
	}
	f.add(c)
	return c
})

// initFlags are those of init.
type initFlags struct {
	order orderFlags
	out   string
	force bool
}

func (f *initFlags) add(c *cobra.Command) {
	f.order.effect = probe.Active.String()
	flags := c.Flags()
	profilesAskFlag(c, &f.order.profiles)
	choose(c, &f.order.pace, "pace", "how hard the device is pressed, bench on loopback and else normal", "", "gentle", "normal", "bench")
	flags.StringVar(&f.order.ports, "ports", "", "TCP `PORTS`: a list such as \"22,80,8000-8100\", \"all\" or \"quick\"")
	flags.BoolVar(&f.order.quick, "quick", false, "look at about a thousand ports only, as --ports quick does")
	flags.StringVarP(&f.out, "out", "o", "device.yaml", "`FILE` for the draft")
	flags.BoolVar(&f.force, "force", false, "write over a file that is there")
}

// init looks at a device and writes what it saw.
func (a *app) init(what string, f *initFlags) error {
	if err := f.check(what); err != nil {
		return err
	}
	list, err := loadProfiles(f.order.profiles)
	if err != nil {
		return err
	}
	o, err := a.order(what, &f.order)
	if err != nil {
		return err
	}
	o.Profiles = nil // nothing is judged
	s, err := o.Prepare()
	if err != nil {
		return err
	}
	in, err := a.look(s)
	if err != nil {
		return err
	}
	return a.drafted(s, in, list, f)
}

// check refuses what could not be written at the end, before anything is sent.
func (f *initFlags) check(what string) error {
	if _, err := netip.ParseAddr(what); err != nil {
		return wrong(fmt.Errorf("%q is no IP address", what), "name the device by its address, such as 192.168.1.20")
	}
	if _, err := os.Lstat(f.out); err == nil && !f.force {
		return wrong(fmt.Errorf("--out %q: it exists, and what somebody wrote is not written over", f.out), "give another name, or --force")
	}
	dir := filepath.Dir(f.out)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return wrong(fmt.Errorf("--out %q: %q is no folder", f.out, dir), "name a file in a folder that exists")
	}
	if info, err := os.Stat(f.out); err == nil && !info.Mode().IsRegular() {
		return wrong(fmt.Errorf("--out %q is no file", f.out), "give another name")
	}
	return nil
}

// look runs the probes that a draft rests on. What they saw is needed only
// until it is written: journal and keys are thrown away with it.
func (a *app) look(s *harness.Session) (in harness.Case, err error) {
	dir, err := os.MkdirTemp("", "assay-init-")
	if err != nil {
		return in, wrong(err, "set TMPDIR to a folder that you may write to")
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	keys, err := bundle.Keys(filepath.Join(dir, "keys"))
	if err != nil {
		return in, err
	}
	j, err := bundle.Create(filepath.Join(dir, "journal"), bundle.Head{Run: s.RunID(), Tool: program()}, keys.Recipients())
	if err != nil {
		return in, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	a.announce(s)
	defer a.watch()()
	s.Plan = a.show(harness.Plan(nil, draft.Probes()...))
	return s.Collect(a.ctx, j, a.tell)
}

// drafted writes the draft, if there is something to write.
func (a *app) drafted(s *harness.Session, in harness.Case, list []*profile.Profile, f *initFlags) error {
	if a.ctx.Err() != nil {
		a.say("assay: interrupted; no draft was written")
		return exitInterrupted
	}
	seen, err := draft.Read(in.Log)
	if err != nil {
		return wrong(err, "see whether the device is on and its address is right")
	}
	d := draft.Draft{Tool: program(), Day: s.Now, Addr: s.Address.Unmap(), Profiles: list, Seen: seen}
	text := d.YAML()
	file, err := device.Parse(f.out, text, filepath.Dir(f.out))
	if err != nil {
		a.say("assay: a mistake in assay itself: the draft is no device file: %v", err)
		return exitDefect
	}
	if err := f.write(text); err != nil {
		return err
	}
	open, err := openQuestions(file, list)
	if err != nil {
		return err
	}
	a.say("assay: draft: %s", f.out)
	a.say("assay: services that answered: %d; still open: %d points", len(seen.Services), len(open))
	a.say("assay: fill it in; what is open says assay device lint %s", f.out)
	return a.broken(in)
}

// broken names what broke in assay while it looked.
func (a *app) broken(in harness.Case) error {
	for _, d := range in.Defects {
		a.say("assay: a mistake in assay itself: %s: %s", d.Where, oneLine(d.What))
	}
	if len(in.Defects) > 0 {
		return exitDefect
	}
	return nil
}

// write writes the whole file or nothing. Without --force the file is made
// anew, whatever came into its place since the first look.
func (f *initFlags) write(text []byte) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	path := f.out
	if f.force {
		path += ".new"
	}
	w, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return wrong(err, "name another file with --out")
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err == nil && f.force {
		err = os.Rename(path, f.out)
	}
	if err != nil {
		return errors.Join(wrong(err, "name another file with --out"), os.Remove(path))
	}
	return nil
}
