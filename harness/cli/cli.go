// Package cli is the command line of assay, one subcommand to a file. Data goes
// to standard output, everything else to standard error.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// A World is what a command may see of the machine that it runs on.
type World struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Now      func() time.Time
	// Terminal is the width of standard output in cells, 0 if it is no
	// terminal.
	Terminal int
	// Progress reports whether standard error is a terminal.
	Progress bool
}

// System is the machine itself.
func System() World {
	w := World{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Now: time.Now, Progress: term.IsTerminal(int(os.Stderr.Fd()))}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		w.Terminal = width
	}
	return w
}

// app is what all subcommands share.
type app struct {
	World
	ctx   context.Context
	flags globalFlags
	line  *progress // nil unless somebody watches
}

type globalFlags struct {
	quiet   bool
	verbose int
	colour  string // "auto", "always" or "never"
}

// Main runs one command and returns its exit code. The first interrupt lets the
// command come to an orderly end, a second one ends the program at once.
func Main(args []string, w World) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	a := &app{World: w, ctx: ctx}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(w.In)
	root.SetOut(w.Out)
	root.SetErr(w.Err)
	c, err := root.ExecuteContextC(ctx)
	return int(a.end(c, err))
}

// end says what went wrong, if anything, and with which code the program ends.
func (a *app) end(c *cobra.Command, err error) exitCode {
	if err == nil {
		return exitPassed
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return code
	}
	if a.ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(a.ctx))) {
		a.say("assay: interrupted")
		return exitInterrupted
	}
	a.complain(c, err)
	return exitCannot
}

// commands holds every subcommand, each made by the file that describes it.
var commands []func(*app) *cobra.Command

// command adds a subcommand. It is called only from variable declarations in
// this package, one to a file.
func command(make func(*app) *cobra.Command) func(*app) *cobra.Command {
	commands = append(commands, make)
	return make
}

func (a *app) root() *cobra.Command {
	root := group(&cobra.Command{
		Use:   "assay",
		Short: "Test an IoT device against baseline security requirements",
		Long: `assay tests an IoT device against the baseline security requirements that
regulators ask for, and says of each one, with evidence: pass, fail,
inconclusive or not applicable. An error is never a pass.`,
		Example: `  assay demo              test emulated devices, on this machine alone
  assay run 192.168.1.20  what can be said of a device without a device file
  assay run lock.yaml     with what its manufacturer declares
  assay judge lock.assay --profile uk-psti-2023`,
		SilenceErrors: true, SilenceUsage: true,
	})
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetUsageTemplate(a.usageTemplate(root))
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return wrong(err, "%s --help lists the flags", c.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.BoolVarP(&a.flags.quiet, "quiet", "q", false, "say nothing on standard error but errors")
	flags.CountVarP(&a.flags.verbose, "verbose", "v", "say more")
	colours := []string{"auto", "always", "never"}
	flags.Var(oneOf(&a.flags.colour, "auto", colours), "color", "colour the output: auto, always, never")
	complete(root, "color", colours)
	for _, make := range commands {
		root.AddCommand(make(a))
	}
	root.SetHelpCommand(helpCommand())
	return root
}

// colour reports whether standard output is to be coloured.
func (a *app) colour() bool {
	switch a.flags.colour {
	case "always":
		return true
	case "never":
		return false
	}
	return a.Terminal > 0 && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}

// defaultWidth is that of a terminal that does not say how wide it is.
const defaultWidth = 80

// width is how wide text may be.
func (a *app) width() int {
	if a.Terminal > 0 {
		return a.Terminal
	}
	return defaultWidth
}
