package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// tree is every command of the program.
func tree(t *testing.T) []*cobra.Command {
	t.Helper()
	var all []*cobra.Command
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		all = append(all, c)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	a := &app{World: newWorld(t.TempDir()).World, ctx: t.Context()}
	root := a.root()
	root.InitDefaultHelpCmd()
	walk(root)
	require.Greater(t, len(all), 20)
	return all
}

func TestEveryCommandIsDocumented(t *testing.T) {
	for _, c := range tree(t) {
		t.Run(strings.ReplaceAll(c.CommandPath(), " ", "_"), func(t *testing.T) {
			require.Regexp(t, `^[A-Z].*[^.]$`, c.Short)
			require.LessOrEqual(t, len(c.Short), 72)
			require.NotEmpty(t, c.Example)
			for _, flag := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)(.*)$`).FindAllStringSubmatch(c.LocalFlags().FlagUsagesWrapped(200), -1) {
				require.Regexp(t, `   \S`, flag[2], "--%s has no word about it", flag[1])
			}
			_, wide := widest(c.Long)
			require.LessOrEqual(t, wide, defaultWidth)
		})
	}
}

// What the examples show works as far as it goes without the files that they
// name: the commands and flags exist, and the number of arguments is right.
func TestEveryExampleParses(t *testing.T) {
	n := 0
	for _, c := range tree(t) {
		for line := range strings.Lines(c.Example) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
			command, _, _ = strings.Cut(command, " > ")
			args := split(command)
			require.Equal(t, "assay", args[0], "example of %q", c.CommandPath())
			named, rest, err := tree(t)[0].Find(args[1:])
			require.NoError(t, err, command)
			require.NoError(t, named.ParseFlags(rest), command)
			require.NoError(t, named.ValidateArgs(named.Flags().Args()), command)
			n++
		}
	}
	require.Greater(t, n, 40)
}

// split parts a line as a shell does, as far as double quotes are concerned.
func split(line string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
		words = append(words, m[1]+m[2])
	}
	return words
}

// Every help fits 80 columns, names its flags, and is the same in three ways.
func TestEveryHelp(t *testing.T) {
	for _, c := range tree(t) {
		t.Run(strings.ReplaceAll(c.CommandPath(), " ", "_"), func(t *testing.T) {
			w := newWorld(t.TempDir())
			path := strings.Fields(c.CommandPath())[1:]
			require.Zero(t, w.assay(append(path, "--help")...))
			require.Empty(t, w.err.String())
			help := w.out.String()
			line, wide := widest(help)
			require.LessOrEqual(t, wide, defaultWidth, line)
			require.Contains(t, help, "\nExamples:\n"+c.Example)
			require.Zero(t, w.assay(append([]string{"help"}, path...)...))
			require.Equal(t, help, w.out.String())
			require.Zero(t, w.assay(append(path, "-h")...))
			require.Equal(t, help, w.out.String())
		})
	}
}

// Every command is run by a script, its JSON is read there, and what it prints
// for people is measured.
func TestEveryCommandHasAScript(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	require.NoError(t, err)
	texts := map[string]string{}
	for _, path := range scripts {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		texts[path] = string(b)
	}
	in := func(c *cobra.Command, wanted string) bool {
		for _, text := range texts {
			if regexp.MustCompile(`(?m)^exec ` + c.CommandPath() + wanted + `|^exits [013] ` + c.CommandPath() + wanted + `|exec sh -c '` + c.CommandPath() + wanted).MatchString(text) {
				return true
			}
		}
		return false
	}
	for _, c := range tree(t) {
		require.True(t, in(c, `\b`), "no script runs %q", c.CommandPath())
		if format := c.Flags().Lookup("format"); format != nil {
			require.True(t, in(c, `.*--format json(?:(?s).{0,40})isjson`) || in(c, `.*--format json(?:(?s).{0,80})cmp`), "no script reads the JSON of %q", c.CommandPath())
		}
		if c.Runnable() && !strings.HasPrefix(c.CommandPath(), "assay completion") && !strings.HasPrefix(c.CommandPath(), "assay version") &&
			!strings.HasPrefix(c.CommandPath(), "assay lab up") && !strings.HasPrefix(c.CommandPath(), "assay lab down") {
			name := strings.Fields(c.CommandPath() + " help")[1]
			require.Contains(t, texts["testdata/script/"+name+".txtar"], "\nnarrow\n", "nothing measures what %q prints", c.CommandPath())
		}
	}
}
