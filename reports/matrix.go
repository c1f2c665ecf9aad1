package reports

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/verdict"
)

// A MatrixRow is what was seen of one device.
type MatrixRow struct {
	Device string
	Cells  []MatrixCell // in any order; a column that is missing stays blank
}

// A MatrixCell is one verdict.
type MatrixCell struct {
	Column   string          // a check or a profile
	Seen     verdict.Verdict // empty: there is none
	Expected verdict.Verdict // empty: nothing was expected
}

// Differs reports whether another verdict was expected.
func (c MatrixCell) Differs() bool { return c.Expected != "" && c.Seen != c.Expected }

// Matrix writes devices against checks or profiles: in words if the width has
// room for them, else in letters with a legend, in as many bands as it takes.
// What is not as expected is marked, and said again in words below.
func Matrix(w io.Writer, rows []MatrixRow, o Options) error {
	m := newMatrix(rows, o)
	for band := range slices.Chunk(m.columns, m.perBand) {
		m.band(band)
	}
	if !m.words {
		m.blank()
		m.text(0, m.say(msg.T("P = pass, F = fail, ? = inconclusive, - = not applicable, 0 = no verdict, ! = not as expected")))
	}
	m.differences()
	return m.writeTo(w)
}

type matrix struct {
	*page
	rows    []MatrixRow
	columns []string // in the order in which rows name them first
	words   bool     // cells are words, else letters
	device  int      // cells of the first column
	cell    int      // cells of each other column, with its gap
	perBand int      // columns beside each other
}

const (
	maxDevice = 28 // cells; leaves room for three verdicts in words
	gap       = 2  // between columns
	letter    = 3  // a letter, its mark and a gap; a number of two digits fits above
)

func newMatrix(rows []MatrixRow, o Options) *matrix {
	m := &matrix{page: newPage(o), rows: rows}
	word := 0
	for _, r := range rows {
		m.device = max(m.device, min(maxDevice, cells(plain(r.Device))))
		for _, c := range r.Cells {
			if !slices.Contains(m.columns, c.Column) {
				m.columns = append(m.columns, c.Column)
			}
			word = max(word, cells(plain(m.word(c)))+gap)
		}
	}
	m.device += gap
	if m.words = m.device+word*len(m.columns) <= m.Width; m.words {
		m.cell = max(letter, word)
	} else if m.cell = letter; len(m.columns) > 99 {
		m.cell++ // the numbers above have three digits
	}
	m.perBand = evenly(len(m.columns), max(1, (m.Width-m.device)/m.cell))
	return m
}

// evenly returns how many of n things go into each of as few bands as hold at
// most limit.
func evenly(n, limit int) int {
	bands := max(1, (n+limit-1)/limit)
	return max(1, (n+bands-1)/bands)
}

// mark is put on what is not as expected.
const mark = "!"

func (m *matrix) word(c MatrixCell) string {
	word := m.say(verdictWord(c.Seen))
	if c.Differs() {
		word += " " + mark
	}
	return word
}

func code(c MatrixCell) string {
	codes := map[verdict.Verdict]string{
		verdict.Pass: "P", verdict.Fail: "F", verdict.Inconclusive: "?", verdict.NotApplicable: "-",
	}
	code, known := codes[c.Seen]
	if !known {
		code = "0"
	}
	if c.Differs() {
		code += mark
	}
	return code
}

// band writes some of the columns for all rows.
func (m *matrix) band(columns []string) {
	m.blank()
	named := m.words && !slices.ContainsFunc(columns, func(c string) bool { return cells(plain(c))+gap > m.cell })
	head := pad("", m.device)
	for _, c := range columns {
		name := plain(c)
		if !named {
			name = m.numberOf(c)
		}
		head += pad(name, m.cell)
	}
	m.line(0, m.paint(strings.TrimRight(head, " "), bold))
	for _, r := range m.rows {
		m.line(0, m.verdictsOf(r, columns))
	}
	if named {
		return
	}
	m.blank()
	m.legend(columns)
}

// legend names the columns that have numbers, as many on a line as fit.
func (m *matrix) legend(columns []string) {
	const beside = 5 // cells of a number and the blanks around it
	longest := 0
	for _, c := range columns {
		longest = max(longest, cells(plain(c)))
	}
	perLine := max(1, (m.Width+gap)/(beside+longest+gap))
	for some := range slices.Chunk(columns, perLine) {
		if perLine == 1 {
			m.row(row{1, m.numberOf(some[0]), bold, beside}, some[0])
			continue
		}
		line := ""
		for _, c := range some {
			line += " " + m.paint(m.numberOf(c), bold) + pad("", beside-1-cells(m.numberOf(c))) + pad(plain(c), longest+gap)
		}
		m.line(0, strings.TrimRight(line, " "))
	}
}

func (m *matrix) numberOf(column string) string {
	return strconv.Itoa(slices.Index(m.columns, column) + 1)
}

func (m *matrix) verdictsOf(r MatrixRow, columns []string) string {
	line := pad(shorten(plain(r.Device), m.device-gap), m.device)
	blank := 0 // cells owed before the next verdict, so that no line ends in blanks
	for _, name := range columns {
		i := slices.IndexFunc(r.Cells, func(c MatrixCell) bool { return c.Column == name })
		if i < 0 {
			blank += m.cell
			continue
		}
		text, st := code(r.Cells[i]), verdictStyle(r.Cells[i].Seen)
		if m.words {
			text = plain(m.word(r.Cells[i]))
		}
		if r.Cells[i].Differs() {
			st = loud
		}
		line += strings.Repeat(" ", blank) + m.paint(text, st)
		blank = m.cell - cells(text)
	}
	return line
}

// shorten cuts s to width cells and says so.
func shorten(s string, width int) string {
	if cells(s) <= width {
		return s
	}
	return split(s, width-2)[0] + ".."
}

// differences says in words what is not as expected, and counts.
func (m *matrix) differences() {
	expected, free := 0, 0
	var wrong []msg.Text
	for _, r := range m.rows {
		for _, c := range r.Cells {
			switch {
			case c.Differs():
				wrong = append(wrong, msg.T("{device}, {column}: expected {expected}, seen {seen}",
					"device", r.Device, "column", c.Column, "expected", m.say(verdictWord(c.Expected)), "seen", m.say(verdictWord(c.Seen))))
			case c.Expected == "":
				free++
			default:
				expected++
			}
		}
	}
	if len(wrong) > 0 {
		m.heading(msg.T("NOT AS EXPECTED: {n}", "n", len(wrong)), red)
		for _, t := range wrong {
			m.row(row{column: 1, label: mark, style: red, hang: 3}, m.say(t))
		}
	}
	m.heading(msg.T("devices {devices}, verdicts as expected {expected}, not as expected {wrong}, without expectation {free}",
		"devices", len(m.rows), "expected", expected, "wrong", len(wrong), "free", free), bold)
}
