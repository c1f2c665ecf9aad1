package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/devices"
)

var _ = command(func(a *app) *cobra.Command {
	c := group(&cobra.Command{
		Use:   "lab",
		Short: "Run emulated devices to learn and to practise on",
		Long: `Run emulated devices on this machine, without root and without a network:
insecure ones, their hardened twins, and steps in between. Each has a lesson.`,
		Example: `  assay lab list
  assay lab up door-lock-insecure        then, in another terminal:
  assay run assay-lab/door-lock-insecure/device.yaml --effect intrusive
  assay lab down
  assay lab check`,
	})
	c.AddCommand(a.labList(), a.labUp(), a.labDown(), a.labCheck())
	return c
})

// labDir is where a lab keeps its device files unless told otherwise.
const labDir = "assay-lab"

func (a *app) labList() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "list", Short: "List the emulated devices", Args: noArgs,
		Example: "  assay lab list\n  assay lab list --format json",
		RunE: func(*cobra.Command, []string) error {
			all, err := devices.All()
			if err != nil {
				return err
			}
			return a.showDevices(all, format)
		},
	}
	textOrJSON(c, &format)
	return c
}

// listed is a device as lab list prints it.
type listed struct {
	Name   string   `json:"name"`
	Family string   `json:"family"`
	Member string   `json:"member"`
	Model  string   `json:"model"`
	Faults []string `json:"faults"`
	Lesson string   `json:"lesson"`
}

func (a *app) showDevices(all []devices.Folder, format string) error {
	var list []listed
	rows := [][]string{{"DEVICE", "MEMBER", "FAULTS"}}
	for _, f := range all {
		faults := slices.DeleteFunc(devices.FaultNames(), func(name string) bool { return !f.Faults.Has(name) })
		list = append(list, listed{f.Name, f.Expected.Family, f.Expected.Member, f.File.Device.Model, faults, f.Lab})
		shown := strings.Join(faults, ", ")
		if len(faults) == 0 {
			shown = "none"
		}
		rows = append(rows, []string{f.Name, f.Expected.Member, shown})
	}
	if format == "json" {
		return a.json(list)
	}
	a.table(rows)
	return nil
}

// pick returns the devices that were named, all if none was.
func pick(names []string) ([]devices.Folder, error) {
	all, err := devices.All()
	if err != nil || len(names) == 0 {
		return all, err
	}
	var picked []devices.Folder
	for _, name := range names {
		i := slices.IndexFunc(all, func(f devices.Folder) bool { return f.Name == name })
		if i < 0 {
			return nil, wrong(fmt.Errorf("no emulated device has the name %q", name), "assay lab list names them")
		}
		picked = append(picked, all[i])
	}
	return picked, nil
}

func (a *app) labUp() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "up [DEVICE...]",
		Short: "Start emulated devices",
		Long: `Start emulated devices, all unless some are named, and keep them running until
Ctrl-C or assay lab down. For each the command that tests it is printed.`,
		Example: "  assay lab up\n  assay lab up door-lock-insecure door-lock-hardened",
		RunE: func(_ *cobra.Command, names []string) error {
			folders, err := pick(names)
			if err != nil {
				return err
			}
			return a.labRun(folders, dir)
		},
	}
	c.Flags().StringVar(&dir, "dir", labDir, "`DIR` for the device files")
	return c
}

func (a *app) labRun(folders []devices.Folder, dir string) (err error) {
	claim, err := claimLab(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, claim.release()) }()
	for _, f := range folders {
		d, startErr := devices.Start(a.ctx, devices.Spec{Name: f.Name})
		if startErr != nil {
			return startErr
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		path, writeErr := d.Write(filepath.Join(dir, f.Name))
		if writeErr != nil {
			return writeErr
		}
		a.showUp(d, path)
	}
	a.say("assay: the lab is up; stop it with Ctrl-C, or from elsewhere with assay lab down --dir %s", dir)
	<-a.ctx.Done()
	return nil
}

// showUp says where a device is and how to test it.
func (a *app) showUp(d *devices.Device, path string) {
	fmt.Fprintf(a.Out, "%s at %s:\n  assay run %s --effect intrusive\n", d.Folder.Name, d.Addr, path)
	for _, other := range d.Host {
		a.say("assay: %s belongs to this machine, and a run will take it for the device's", other)
	}
}

func (a *app) labDown() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use: "down", Short: "Stop a running lab", Args: noArgs, Example: "  assay lab down",
		RunE: func(*cobra.Command, []string) error {
			if err := stopLab(a.ctx, dir); err != nil {
				return wrong(err, "start one with assay lab up")
			}
			a.say("assay: the lab is down")
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", labDir, "`DIR` of the lab")
	return c
}

func (a *app) labCheck() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "check [DEVICE...]",
		Short: "Test emulated devices and compare the verdicts with those expected",
		Long: `Test emulated devices and compare the verdicts with those expected. Exit code 0:
every verdict is as expected. 1: one is not. 4: a mistake in assay itself.`,
		Example: "  assay lab check\n  assay lab check door-lock-hardened",
		RunE: func(_ *cobra.Command, names []string) error {
			folders, err := pick(names)
			if err != nil {
				return err
			}
			return a.demo(folders, out)
		},
	}
	outFlag(c, &out, demoDir, "bundles and reports")
	return c
}
