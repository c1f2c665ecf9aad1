package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageTemplate breaks what is said about flags at the width of the terminal,
// and does not call a group a command.
func (a *app) usageTemplate(c *cobra.Command) string {
	return strings.NewReplacer(
		".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", a.width()),
		"Usage:{{if .Runnable}}", "Usage:{{if and .Runnable (not .HasAvailableSubCommands)}}",
	).Replace(c.UsageTemplate())
}

// helpCommand is cobra's, but for a name that is no command it is an error.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show the help of a command",
		Example: "  assay help run\n  assay help lab up",
		ValidArgsFunction: func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, sub := range c.Root().Commands() {
				names = append(names, sub.Name())
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			named, rest, err := c.Root().Find(args)
			switch {
			case err != nil:
				return err
			case len(rest) > 0:
				return unknownCommand(named, rest[0])
			}
			named.InitDefaultHelpFlag()
			return named.Help()
		},
	}
}

// group makes a command that has subcommands: alone it shows its help, and a
// name that is none of theirs is an error.
func group(c *cobra.Command) *cobra.Command {
	c.SuggestionsMinimumDistance = 2 // letters: what a slip of the hand changes
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return unknownCommand(c, args[0])
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return c
}

func unknownCommand(c *cobra.Command, name string) error {
	err := fmt.Errorf("%q has no command %q", c.CommandPath(), name)
	if near := c.SuggestionsFor(name); len(near) > 0 {
		return wrong(err, "did you mean %s?", strings.Join(near, " or "))
	}
	return wrong(err, "%s --help lists them", c.CommandPath())
}
