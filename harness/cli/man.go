package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

var _ = command(func(a *app) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "man [COMMAND...]",
		Short: "Write the manual page of a command",
		Long: `Write the manual page of a command, or of assay itself, as man reads it. With
--dir the pages of all commands are written, one file to each.`,
		Example: `  assay man run > assay-run.1
  assay man lab up > assay-lab-up.1
  assay man --dir man1`,
		RunE: func(c *cobra.Command, args []string) error {
			if dir != "" && len(args) > 0 {
				return wrong(fmt.Errorf("--dir writes all pages, and %q names one", strings.Join(args, " ")), "give one of the two")
			}
			if dir != "" {
				return a.manAll(c.Root(), dir)
			}
			named, rest, err := c.Root().Find(args)
			switch {
			case err != nil:
				return err
			case len(rest) > 0:
				return unknownCommand(named, rest[0])
			}
			return manual(a.Out, named)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "`DIR` for the pages of all commands")
	return c
})

// manAll writes the page of every command.
func (a *app) manAll(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return wrong(fmt.Errorf("--dir %q: %w", dir, err), outHint)
	}
	n := 0
	for c := range everyCommand(root) {
		var page bytes.Buffer
		if err := manual(&page, c); err != nil {
			return err
		}
		path := filepath.Join(dir, manName(c)+".1")
		if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
			return wrong(fmt.Errorf("--dir %q: %w", dir, err), outHint)
		}
		n++
	}
	a.say("assay: pages written to %s: %d", dir, n)
	return nil
}

// everyCommand yields c and what is below it.
func everyCommand(c *cobra.Command) func(func(*cobra.Command) bool) {
	var walk func(*cobra.Command, func(*cobra.Command) bool) bool
	walk = func(c *cobra.Command, yield func(*cobra.Command) bool) bool {
		if !yield(c) {
			return false
		}
		for _, sub := range c.Commands() {
			if !walk(sub, yield) {
				return false
			}
		}
		return true
	}
	return func(yield func(*cobra.Command) bool) { walk(c, yield) }
}

// manName is what man calls the page of a command.
func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }
