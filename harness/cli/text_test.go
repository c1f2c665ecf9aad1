package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestLines(t *testing.T) {
	tests := []struct {
		name                string
		width               int
		first, indent, text string
		want                string
	}{
		{"short", 40, "", "", "a b", "a b\n"},
		{"empty", 40, "label: ", "", "", "label:\n"},
		{"broken", 20, "- ", "  ", "one two three four five six", "- one two three four\n  five six\n"},
		{"long_word", 20, "", "", "123456789012345678901234 x", "12345678901234567890\n1234 x\n"},
		{"hostile", 40, "", "", "a\x1b[2J\nb\u202ec", "a\ufffd[2J b\ufffdc\n"},
		{"not_ascii", 22, "", "", "ééééé ééééé ééééé ééééé", "ééééé ééééé ééééé\nééééé\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld("")
			w.Terminal = tt.width
			a := &app{World: w.World}
			a.lines(tt.first, tt.indent, tt.text)
			require.Equal(t, tt.want, w.out.String())
		})
	}
}

// Whatever the text, no line is wider than the terminal, nothing is lost, and
// nothing reaches the terminal that it would act on.
func TestLinesFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld("")
		w.Terminal = rapid.IntRange(30, 120).Draw(t, "width")
		a := &app{World: w.World}
		text := rapid.String().Draw(t, "text")
		a.lines("- ", "  ", text)
		line, wide := widest(w.out.String())
		require.LessOrEqual(t, wide, w.Terminal, "%q", line)
		bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
		require.Equal(t, "-"+bare(oneLine(text)), bare(w.out.String()))
	})
}

func TestTable(t *testing.T) {
	w := newWorld("")
	w.Terminal = 40
	a := &app{World: w.World}
	a.table([][]string{{"ID", "N", "TITLE"}, {"a", "1", "something that is longer than the line"}, {"longer", "22", ""}})
	require.Equal(t, `ID      N   TITLE
a       1   something that is longer
            than the line
longer  22
`, w.out.String())
}

func TestSizesAndTimes(t *testing.T) {
	require.Equal(t, []string{"0 B", "1023 B", "1 KiB", "1 MiB"}, []string{size(0), size(1023), size(1024), size(1 << 20)})
	require.Equal(t, []string{"0.3 s", "1m5s"}, []string{seconds(321 * time.Millisecond), seconds(65 * time.Second)})
}
