package reports

import (
	"cmp"
	"io"
	"strings"

	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/verdict"
)

// page is text for a terminal in the making. Whatever is put on it goes through
// plain; only page itself writes line ends and colours.
type page struct {
	Options
	b    strings.Builder
	told map[string]bool // requirements that were written out
}

// The narrowest page has room for its labels and a word beside them.
const (
	defaultWidth = 80
	minWidth     = 40
)

func newPage(o Options) *page {
	o.Width = max(minWidth, cmp.Or(o.Width, defaultWidth))
	return &page{Options: o, told: map[string]bool{}}
}

// writeTo writes the page once it is whole.
func (p *page) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, p.b.String())
	return err
}

// style is a colour, as the parameters of SGR (ECMA-48, 8.3.117). It repeats
// what words say.
type style string

const (
	normal style = ""
	bold   style = "1"
	red    style = "1;31"
	green  style = "32"
	yellow style = "33"
	faint  style = "2"
	loud   style = "1;97;41"
)

func verdictStyle(v verdict.Verdict) style {
	switch v {
	case verdict.Pass:
		return green
	case verdict.Fail:
		return red
	case verdict.NotApplicable:
		return faint
	}
	return yellow
}

func (p *page) paint(s string, st style) string {
	if !p.Colour || st == normal || s == "" {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

// blank parts what follows from what is there.
func (p *page) blank() {
	if p.b.Len() > 0 {
		p.b.WriteByte('\n')
	}
}

// heading begins a section.
func (p *page) heading(t msg.Text, st style) {
	p.blank()
	for _, line := range wrap(plain(p.say(t)), p.Width) {
		p.b.WriteString(p.paint(line, st) + "\n")
	}
}

// text writes s in lines that begin at a column.
func (p *page) text(column int, s string) { p.row(row{column: column, hang: column}, s) }

// row says where a line begins, what stands before its text and where the text
// goes on.
type row struct {
	column int // of the label
	label  string
	style  style // of the label
	hang   int   // column of the text
}

// row writes a label and, beside it, s. If the label leaves no room, s begins
// below it.
func (p *page) row(r row, s string) {
	hang := min(r.hang, p.Width/2)
	s = plain(s)
	if r.label != "" {
		label := wrap(plain(r.label), p.Width-r.column)
		for _, line := range label[:len(label)-1] {
			p.line(r.column, p.paint(line, r.style))
		}
		last := label[len(label)-1]
		if r.column+cells(last) >= hang && s != "" {
			p.line(r.column, p.paint(last, r.style))
			r.label = ""
		} else {
			s = p.beside(r, last, hang, s)
		}
	}
	if s == "" {
		return
	}
	for _, line := range wrap(s, p.Width-hang) {
		p.line(hang, line)
	}
}

// beside writes a label with the first line of s and returns what is left of s.
func (p *page) beside(r row, label string, hang int, s string) string {
	lines := wrap(s, p.Width-hang)
	painted := p.paint(label, r.style)
	if lines[0] != "" {
		painted += strings.Repeat(" ", hang-r.column-cells(label)) + lines[0]
	}
	p.line(r.column, painted)
	return strings.Join(lines[1:], " ")
}

func (p *page) line(column int, s string) {
	p.b.WriteString(strings.Repeat(" ", column) + s + "\n")
}
