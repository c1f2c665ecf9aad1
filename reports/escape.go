package reports

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Each sink has one function here that makes any string harmless for it:
// plain for terminals, markup for Markdown, encoded for JSON. What is not
// shown as it is is shown escaped, never dropped: a reader sees that it was
// there.

// maxShown bounds a text that a person reads and maxValue one value in it, in
// bytes: a device can send any number of them.
const (
	maxShown = 2048
	maxValue = 512
)

// maxMarks bounds the combining marks on one letter. No living language needs
// more; more of them draw over the lines above and below.
const maxMarks = 3

// eye reads a text rune by rune and says which of them it can show.
type eye struct{ marks int }

// atStart is an eye on the first rune of a text, where a mark would sit on what
// comes before it.
func atStart() eye { return eye{maxMarks} }

// sees reports whether r can stand as it is. After what cannot, no mark can.
func (e *eye) sees(r rune) bool {
	switch {
	case !shown(r), isMark(r) && e.marks >= maxMarks:
		e.marks = maxMarks
		return false
	case isMark(r):
		e.marks++
	case r == ' ': // may be the end of a line
		*e = atStart()
	default:
		e.marks = 0
	}
	return true
}

// plain makes s safe for a terminal: one line, nothing invisible, nothing that
// moves the cursor or the order of reading, of bounded length. Applied again,
// it changes nothing.
func plain(s string) string {
	var b strings.Builder
	fits, upTo := 0, 0 // the longest part of b, and of s, that leaves room for a word on the rest
	e, within := atStart(), s[:min(len(s), maxShown)]
	for i, r := range within {
		if b.Len() <= maxShown-roomForRest {
			fits, upTo = b.Len(), i
		}
		switch {
		case r == utf8.RuneError && badAt(s, i):
			fmt.Fprintf(&b, `\x%02x`, s[i])
			e = atStart()
		case e.sees(r):
			b.WriteRune(r)
		default:
			b.WriteString(escaped(r))
		}
	}
	if len(within) < len(s) || b.Len() > maxShown {
		return b.String()[:fits] + rest(len(s)-upTo)
	}
	return b.String()
}

// badAt reports whether s has a byte at i that is no UTF-8.
func badAt(s string, i int) bool {
	_, n := utf8.DecodeRuneInString(s[i:])
	return n == 1
}

// escaped writes r as Go does in source: \n, \x1b, \u202e, \U000e0041.
func escaped(r rune) string {
	quoted := strconv.QuoteRuneToASCII(r)
	return quoted[1 : len(quoted)-1]
}

// shown reports whether r is seen where it stands. Controls, all kinds of
// direction marks, tags, joiners, selectors, fillers and blanks are not.
func shown(r rune) bool {
	const blankBraille = '\u2800'
	if ' ' <= r && r <= '~' { // nearly all of them
		return true
	}
	return unicode.IsPrint(r) && r != blankBraille &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func isMark(r rune) bool { return r > unicode.MaxLatin1 && unicode.In(r, unicode.Mn, unicode.Me) }

// roomForRest is what rest takes at most, in bytes.
const roomForRest = 40

// rest says how much is left out. It is the same in every language.
func rest(bytes int) string { return fmt.Sprintf("... (+%d bytes)", bytes) }

// cut returns s, or what fits of it in limit bytes with a word on the rest.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit - roomForRest
	for i := range utf8.UTFMax { // back to where a character begins
		if utf8.RuneStart(s[end-i]) {
			end -= i
			break
		}
	}
	return s[:end] + rest(len(s)-end)
}

// marked are the characters that mean something in Markdown where we write
// texts, which is never at the start of a line.
var marked = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "$", `\$`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "://", `:\//`, "www.", `www\.`, "@", `\@`, "#", `\#`,
)

// markup makes s safe inside a Markdown table or list item: as plain does, and
// without links, HTML or anything else that a reader would render.
func markup(s string) string { return marked.Replace(plain(s)) }

// encoded writes the JSON text b with everything escaped that a reader could
// not see or would be misled by. The value stays the same.
func encoded(b []byte) []byte {
	out, e := make([]byte, 0, len(b)), atStart()
	for _, r := range string(b) {
		switch high, low := utf16.EncodeRune(r); {
		case r == '\n', e.sees(r):
			out = utf8.AppendRune(out, r)
			if r == '"' {
				e = atStart()
			}
		case high != unicode.ReplacementChar:
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
