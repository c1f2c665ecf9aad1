package cli

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// requests are all that pages ask of man.
var requests = regexp.MustCompile(`^\.(TH "[A-Z\\-]+" 1 "" "[^"]*" "User Commands"|SH [A-Z ]+|TP|PP|nf|fi|BR [a-z\\-]+ \(1\),?)$`)

// Every page says all that --help says, and nothing that man would act on but
// our own requests.
func TestEveryManualPage(t *testing.T) {
	for _, c := range tree(t) {
		t.Run(strings.ReplaceAll(c.CommandPath(), " ", "_"), func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, manual(&b, c))
			page := b.String()
			for line := range strings.Lines(page) {
				line = strings.TrimSuffix(line, "\n")
				require.NotEmpty(t, line)
				if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
					require.Regexp(t, requests, line)
				}
				require.Regexp(t, `^([^\\]|\\[-e&]|\\f[BIR]|\\\(dq)*$`, line)
			}
			for _, title := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "SEE ALSO"} {
				require.Equal(t, 1, strings.Count(page, "\n.SH "+title+"\n"), title)
			}
			c.Flags().VisitAll(func(f *pflag.Flag) { require.Contains(t, page, `\fB`+roff("--"+f.Name)+`\fR`) })
			for line := range strings.Lines(c.Example) {
				require.Contains(t, page, "\n"+roff(strings.TrimSpace(line))+"\n")
			}
			require.Contains(t, strings.Join(strings.Fields(strings.ReplaceAll(page, ".PP\n", "")), " "), strings.Join(strings.Fields(roff(description(c))), " "))
			for _, sub := range c.Commands() {
				require.Contains(t, page, "\n.BR "+roff(manName(sub))+" (1)")
			}
		})
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		".TH x": `\&.TH x`, "'x": `\&'x`, `a\fBb`: `a\efBb`, "--out": `\-\-out`, `"x"`: `\(dqx\(dq`, "a\n.TH": "a .TH", "": "",
	} {
		require.Equal(t, want, roff(text))
	}
	var b bytes.Buffer
	p := &manPage{w: &b}
	p.fill(strings.Repeat("x", sourceWidth) + " .SH NAME")
	require.Equal(t, strings.Repeat("x", sourceWidth)+"\n\\&.SH NAME\n", b.String())
}

// A page that cannot be written is an error, wherever the writer breaks.
func TestManualErrors(t *testing.T) {
	var whole bytes.Buffer
	root := tree(t)[0]
	require.NoError(t, manual(&whole, root))
	for room := 0; room < whole.Len(); room += 100 {
		require.ErrorIs(t, manual(&full{room}, root), errFull, "%d", room)
	}
}

var errFull = errors.New("full")

// full takes so many bytes and no more.
type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}
