package draft

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxShown is how much of a text a comment holds, in bytes: the device file
// bounds its lines, and people read no longer ones.
const maxShown = 1000

// shown makes a text fit for a comment: printable ASCII in one line. What a
// device sent may be anywhere in it.
func shown(text string) string {
	var b strings.Builder
	for _, r := range text {
		if b.Len() > maxShown {
			b.WriteString("...")
			break
		}
		if r < ' ' || r > '~' {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plainKey is what needs no quotes as a key of YAML.
var plainKey = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// key writes a name of a profile as a key.
func key(name string) string {
	if plainKey.MatchString(name) {
		return name
	}
	return strconv.QuoteToASCII(name)
}

// A page is a device file in the making.
type page struct{ bytes.Buffer }

// line writes a line as it is.
func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// remark writes a comment, whatever stands in it.
func (p *page) remark(indent, kind, text string) {
	p.line("%s# %s: %s", indent, kind, shown(text))
}

// The kinds of remarks, which the head of the file explains.
const (
	seen    = "seen"
	unseen  = "not seen"
	theirs  = "only the manufacturer knows"
	testers = "only the tester knows"
)

// asleep writes lines that say nothing yet: each is behind a "#".
func (p *page) asleep(write func(*page)) {
	var inner page
	write(&inner)
	for line := range strings.Lines(inner.String()) {
		p.WriteString("# " + line)
	}
}
