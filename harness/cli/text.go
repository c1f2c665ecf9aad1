package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// oneLine makes s safe to show on a terminal: one line, nothing in it that the
// terminal would act on.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// join lists words.
func join(words []string) string { return oneLine(strings.Join(words, ", ")) }

// size writes a number of bytes for people.
func size(n int64) string {
	const kibi = 1 << 10
	switch {
	case n < kibi:
		return fmt.Sprintf("%d B", n)
	case n < kibi*kibi:
		return fmt.Sprintf("%d KiB", n/kibi)
	}
	return fmt.Sprintf("%d MiB", n/(kibi*kibi))
}

// seconds writes a duration for people.
func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// lines writes text, broken at the width of the terminal. All lines but the
// first begin with indent. A word that is longer than a line is broken too.
func (a *app) lines(first, indent, text string) {
	line, begun := first, false
	for _, word := range a.words(oneLine(text), indent) {
		switch {
		case !begun:
			line, begun = line+word, true
		case utf8.RuneCountInString(line+" "+word) > a.width():
			fmt.Fprintln(a.Out, line)
			line = indent + word
		default:
			line += " " + word
		}
	}
	fmt.Fprintln(a.Out, strings.TrimRight(line, " "))
}

// minColumn is how narrow broken text may get, in cells.
const minColumn = 20

// words splits text into what fits on a line after indent.
func (a *app) words(text, indent string) []string {
	room := max(minColumn, a.width()-utf8.RuneCountInString(indent))
	var words []string
	for _, word := range strings.Fields(text) {
		for part := range slices.Chunk([]rune(word), room) {
			words = append(words, string(part))
		}
	}
	return words
}

// table writes rows of cells one below the other. The last cell of a row is
// broken into lines.
func (a *app) table(rows [][]string) {
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			widths[i] = max(widths[i], utf8.RuneCountInString(oneLine(cell)))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row[:len(row)-1] {
			cell = oneLine(cell)
			b.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		a.lines(b.String(), strings.Repeat(" ", utf8.RuneCountInString(b.String())), row[len(row)-1])
	}
}

// json writes data for programs.
func (a *app) json(v any) error {
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
