package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// noArgs refuses arguments of a command that takes none.
func noArgs(c *cobra.Command, args []string) error { return exactly(0, "no arguments")(c, args) }

// exactly refuses any other number of arguments than n.
func exactly(n int, what string) cobra.PositionalArgs {
	return arguments(what, func(got int) bool { return got == n })
}

// atLeast refuses fewer arguments than n.
func atLeast(n int, what string) cobra.PositionalArgs {
	return arguments(what, func(got int) bool { return got >= n })
}

func arguments(what string, right func(n int) bool) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if right(len(args)) {
			return nil
		}
		err := fmt.Errorf("%q takes %s", c.CommandPath(), what)
		if len(args) > 0 {
			err = fmt.Errorf("%w, and got %q", err, args)
		}
		return wrong(err, "for example: %s", firstExample(c))
	}
}

// firstExample is the first line of a command's examples, without what is said
// about it beside it.
func firstExample(c *cobra.Command) string {
	line, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n")
	line, _, _ = strings.Cut(line, "  ")
	return line
}

// choice is a flag that takes one of a few words.
type choice struct {
	value *string
	words []string
}

// String returns the word that was chosen.
func (c choice) String() string { return *c.value }

// Type is how help names the value.
func (c choice) Type() string { return "WORD" }

// Set refuses a word that is not to be chosen from.
func (c choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("want one of %s", strings.Join(c.words, ", "))
	}
	*c.value = s
	return nil
}

// choose adds a flag that takes one of words, unless set the default, which may
// be none of them.
func choose(c *cobra.Command, value *string, name, usage, unset string, words ...string) {
	c.Flags().Var(oneOf(value, unset, words), name, usage+": "+strings.Join(words, ", "))
	complete(c, name, words)
}

func oneOf(value *string, unset string, words []string) choice {
	*value = unset
	return choice{value, words}
}

// complete lets shells complete a flag.
func complete(c *cobra.Command, flag string, words []string) {
	err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag is not there: a mistake in the program
	}
}

// textOrJSON adds --format to a command that prints data.
func textOrJSON(c *cobra.Command, format *string) {
	choose(c, format, "format", "how the data is printed", "text", "text", "json")
}

// failOn adds --fail-on to a command that ends with a verdict.
func failOn(c *cobra.Command, value *string) {
	choose(c, value, "fail-on", "from which verdict on the exit code is not 0", "inconclusive", "fail", "inconclusive")
}
