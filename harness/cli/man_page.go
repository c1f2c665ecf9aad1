package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manual writes the page of a command in the language of man(7). It is made of
// what --help says, so that the two cannot differ; and it bears no date, so that
// one version always gives the same bytes.
func manual(w io.Writer, c *cobra.Command) error {
	p := &manPage{w: w}
	c.InitDefaultHelpFlag()
	p.line(`.TH "%s" 1 "" "%s" "User Commands"`, roff(strings.ToUpper(manName(c))), roff(program()))
	p.section("NAME", func() { p.line(`%s \- %s`, roff(manName(c)), roff(c.Short)) })
	p.section("SYNOPSIS", func() { p.synopsis(c) })
	p.section("DESCRIPTION", func() { p.prose(description(c)) })
	p.commands(c)
	p.options("OPTIONS", c.NonInheritedFlags())
	p.options("GLOBAL OPTIONS", c.InheritedFlags())
	p.section("EXAMPLES", func() { p.verbatim(c.Example) })
	p.standing(c)
	p.section("SEE ALSO", func() { p.related(c) })
	return p.err
}

// description is the long text, or the short one as a sentence.
func description(c *cobra.Command) string {
	if c.Long == "" {
		return c.Short + "."
	}
	return c.Long
}

// manPage keeps the first error of its writer.
type manPage struct {
	w   io.Writer
	err error
}

func (p *manPage) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *manPage) section(title string, body func()) {
	p.line(".SH %s", title)
	body()
}

func (p *manPage) synopsis(c *cobra.Command) {
	rest := strings.TrimPrefix(strings.TrimSuffix(c.UseLine(), " [flags]"), c.CommandPath())
	if c.HasAvailableSubCommands() {
		rest += " COMMAND"
	}
	p.line(`\fB%s\fR%s [OPTIONS]`, roff(c.CommandPath()), roff(rest))
}

// fill writes text that man breaks as it likes. Its source is broken as well, for
// those who read that.
func (p *manPage) fill(text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+len(word) >= sourceWidth {
			p.line("%s", roff(line))
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	p.line("%s", roff(line))
}

// sourceWidth leaves room in 80 columns for what escapes add.
const sourceWidth = 66

// prose writes paragraphs, which man breaks as it likes.
func (p *manPage) prose(text string) {
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		p.line(".PP")
		p.fill(paragraph)
	}
}

// verbatim writes lines as they are.
func (p *manPage) verbatim(text string) {
	p.line(".nf")
	for line := range strings.Lines(text) {
		p.line("%s", roff(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "  ")))
	}
	p.line(".fi")
}

// entry writes a word with what is said about it below.
func (p *manPage) entry(word, text string) {
	p.line(".TP")
	p.line("%s", word)
	p.fill(text)
}

func (p *manPage) commands(c *cobra.Command) {
	if !c.HasAvailableSubCommands() {
		return
	}
	p.section("COMMANDS", func() {
		for _, sub := range c.Commands() {
			p.entry(`\fB`+roff(sub.Name())+`\fR`, sub.Short+".")
		}
	})
}

func (p *manPage) options(title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	p.section(title, func() {
		flags.VisitAll(func(f *pflag.Flag) { p.option(f) })
	})
}

func (p *manPage) option(f *pflag.Flag) {
	value, usage := pflag.UnquoteUsage(f)
	name := `\fB` + roff("--"+f.Name) + `\fR`
	if f.Shorthand != "" {
		name = `\fB` + roff("-"+f.Shorthand) + `\fR, ` + name
	}
	if value != "" && f.Value.Type() != "count" {
		name += ` \fI` + roff(value) + `\fR`
	}
	if !slices.Contains([]string{"", "false", "0", "[]"}, f.DefValue) {
		usage += " (default " + strings.Trim(f.DefValue, "[]") + ")"
	}
	p.entry(name, usage)
}

// standing writes what holds for every command. The pages of commands leave it
// to that of the program.
func (p *manPage) standing(c *cobra.Command) {
	if c.HasParent() {
		return
	}
	p.section("EXIT STATUS", func() {
		for _, code := range []struct {
			code exitCode
			what string
		}{
			{exitPassed, "every mandatory requirement passed or does not apply"}, {exitFailed, "one failed"},
			{exitCannot, "the command could not run"}, {exitInconclusive, "none failed, at least one is inconclusive"},
			{exitDefect, "a mistake in assay itself came to light"}, {exitInterrupted, "interrupted; what was collected is kept"},
		} {
			p.entry(fmt.Sprintf(`\fB%d\fR`, int(code.code)), code.what)
		}
	})
	p.section("ENVIRONMENT", func() {
		p.entry(`\fBASSAY_KEYS\fR`, "the folder of the keys that sign and seal bundles; otherwise assay in the user's folder for configuration")
		p.entry(`\fBNO_COLOR\fR`, "if not empty, output is not coloured")
	})
}

func (p *manPage) related(c *cobra.Command) {
	var names []string
	if c.HasParent() {
		names = append(names, manName(c.Parent()))
	}
	for _, sub := range c.Commands() {
		names = append(names, manName(sub))
	}
	for i, name := range names {
		end := ","
		if i == len(names)-1 {
			end = ""
		}
		p.line(`.BR %s (1)%s`, roff(name), end)
	}
}

// roff writes a text so that nothing in it is an instruction: no escape, no
// request at the beginning of a line, no hyphen that is not the character.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`, "\n", " ").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
