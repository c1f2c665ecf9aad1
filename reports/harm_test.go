package reports

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine bounds a line of a format that is not Whole, in bytes: ten columns
// of the longest text, every character of which is escaped.
const maxLine = 10 * 2048 * 5

// ourColours are the only escape sequences that a terminal may get.
var ourColours = regexp.MustCompile("\x1b\\[(0|1|2|32|33|1;31|1;97;41)m")

// harm lists what of out could mislead or attack who reads it. It knows formats
// only by the kind of file, and shares nothing with the escaping that it tests.
func harm(f Format, text string, o Options) []string {
	found := unseen(text)
	for _, line := range strings.Split(text, "\n") {
		if !f.Whole && len(line) > maxLine {
			found = append(found, fmt.Sprintf("a line of %d bytes", len(line)))
		}
		if width := cmp.Or(o.Width, 80); f.Ext == ".txt" && bases(line) > width {
			found = append(found, fmt.Sprintf("a line of more than %d cells", width))
		}
	}
	if f.Ext != ".txt" {
		found = append(found, live(text, "<script", "<img")...)
	}
	switch f.Ext {
	case ".md":
		found = append(found, brokenMarkdown(text)...)
	case ".html":
		found = append(found, brokenHTML(text)...)
	case ".csv":
		found = append(found, formulas(text)...)
	case ".json", ".sarif":
		if !json.Valid([]byte(text)) {
			found = append(found, "no JSON")
		}
	}
	return found
}

// bases counts the characters of a line, each of which takes a cell at least.
func bases(line string) int {
	n := 0
	for _, r := range line {
		if !unicode.In(r, unicode.Mn, unicode.Me) {
			n++
		}
	}
	return n
}

// unseen finds what is there and cannot be seen, or moves what can.
func unseen(text string) []string {
	var found []string
	if !utf8.ValidString(text) {
		found = append(found, "no UTF-8")
	}
	hidden := []*unicode.RangeTable{
		unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp,
		unicode.Bidi_Control, unicode.Variation_Selector, unicode.Noncharacter_Code_Point,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Join_Control,
	}
	marks, before := 0, ' '
	for _, r := range text {
		switch {
		case r == '\n', ' ' <= r && r <= '~':
			marks, before = 0, r
			continue
		case unicode.In(r, hidden...), r == '\u2800', unicode.Is(unicode.Zs, r) && r != ' ':
			found = append(found, fmt.Sprintf("%U", r))
		}
		if marks++; !unicode.In(r, unicode.Mn, unicode.Me) {
			marks = 0
		}
		if marks > 4 || marks > 0 && before == ' ' {
			found = append(found, fmt.Sprintf("%U on what it does not belong to", r))
		}
		before = r
	}
	return found
}

func live(text string, parts ...string) []string {
	var found []string
	for _, p := range parts {
		if strings.Contains(strings.ToLower(text), p) {
			found = append(found, p)
		}
	}
	return found
}

// brokenMarkdown finds links, code, HTML and tables whose rows have not the
// columns of their head.
func brokenMarkdown(text string) []string {
	found := live(text, "<", "://", "www.")
	columns := 0
	for _, line := range strings.Split(text, "\n") {
		bars, open := 0, 0
		for i := 0; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++ // CommonMark 2.4: the next one is itself
			case '|':
				bars++
			case '`', '[', ']':
				open++
			}
		}
		if open > 0 {
			found = append(found, "code or a link in "+line[:min(len(line), 80)])
		}
		if columns > 0 && bars > 0 && bars != columns {
			found = append(found, fmt.Sprintf("%d bars under %d", bars, columns))
		}
		if bars > 0 && !strings.HasPrefix(line, "| ") {
			found = append(found, "a bar outside of a table")
		}
		columns = bars
	}
	return found
}

func formulas(text string) []string {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	rows, err := r.ReadAll()
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				found = append(found, "a formula: "+cell[:min(len(cell), 20)])
			}
		}
	}
	return found
}
