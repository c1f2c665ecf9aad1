package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/reports"
)

// outputFlags are those of the commands that end in a report.
type outputFlags struct {
	formats []string
	out     string
}

func (f *outputFlags) add(c *cobra.Command, out string) {
	names := formatNames()
	c.Flags().StringSliceVarP(&f.formats, "format", "f", []string{"terminal"}, "`FORMATS` of the report, by commas: "+strings.Join(names, ", "))
	outFlag(c, &f.out, "", out)
	complete(c, "format", names)
}

func outFlag(c *cobra.Command, out *string, unset, usage string) {
	c.Flags().StringVarP(out, "out", "o", unset, "`DIR` for "+usage)
}

// formatNames are the names of all report formats.
func formatNames() []string {
	var names []string
	for _, format := range reports.Formats() {
		names = append(names, format.Name)
	}
	return names
}

// dir is the folder for what a command writes.
func (f *outputFlags) dir() string {
	if f.out == "" {
		return "."
	}
	return f.out
}

// check refuses what could not be reported, before anything is done.
func (f *outputFlags) check() error {
	for _, name := range f.formats {
		if _, err := reports.Lookup(name); err != nil {
			return wrong(fmt.Errorf("no report format has the name %q", name), "there are %s", strings.Join(formatNames(), ", "))
		}
	}
	if len(f.formats) > 1 && f.out == "" {
		return wrong(errors.New("several formats need a folder"), "name it with --out")
	}
	if len(f.formats) == 0 {
		return wrong(errors.New("--format names no format"), "there are %s", strings.Join(formatNames(), ", "))
	}
	return f.room()
}

// room reports whether the folder is there or can be made, as far as that can
// be told without making it.
func (f *outputFlags) room() error {
	for at := filepath.Clean(f.dir()); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return wrong(fmt.Errorf("--out %q: %q is no folder", f.out, at), outHint)
		case err == nil || at == filepath.Dir(at):
			return nil
		}
	}
}

const outHint = "name a folder that you may write to"

// make makes the folder for what a command writes.
func (f *outputFlags) make() error {
	if f.out == "" {
		return nil
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return wrong(fmt.Errorf("--out %q: %w", f.out, err), outHint)
	}
	return nil
}

// report writes a result in each format: one to standard output, or all of them
// into a folder. It returns the names of the files that it wrote.
func (a *app) report(r result.Result, f *outputFlags, name string) (paths []string, err error) {
	if err := f.make(); err != nil {
		return nil, err
	}
	for _, wanted := range f.formats {
		format, err := reports.Lookup(wanted)
		if err != nil {
			return paths, err
		}
		if f.out == "" || len(f.formats) == 1 && wanted == "terminal" {
			return nil, format.Render(a.Out, r, a.options())
		}
		path := filepath.Join(f.out, name+format.Ext)
		if err := writeWhole(path, func(w io.Writer) error { return format.Render(w, r, reports.Options{}) }); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// reported writes a result and says where.
func (a *app) reported(r result.Result, f *outputFlags, name string) error {
	paths, err := a.report(r, f, name)
	for _, path := range paths {
		a.say("assay: report: %s", path)
	}
	return err
}

// writeWhole writes a file, or nothing.
func writeWhole(path string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return wrong(err, "name another folder with --out")
	}
	return nil
}

func (a *app) options() reports.Options {
	return reports.Options{Colour: a.colour(), Width: a.width(), Verbose: a.flags.verbose > 0}
}
