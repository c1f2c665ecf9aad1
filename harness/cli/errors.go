package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-iot/assay/harness/device"
)

// A hinted error says what to do about it.
type hinted struct {
	error
	hint string
}

// Unwrap returns the error without its hint.
func (h hinted) Unwrap() error { return h.error }

// wrong is an error of the user's with a hint how to put it right.
func wrong(err error, hint string, args ...any) error {
	return hinted{err, fmt.Sprintf(hint, args...)}
}

// complain shows an error of a command, and on a line of its own what to do
// about it.
func (a *app) complain(c *cobra.Command, err error) {
	what, hint := advice(err)
	if hint == "" {
		hint = "see " + c.CommandPath() + " --help"
	}
	fmt.Fprintf(a.notes(), "assay: error: %s\nassay: hint: %s\n", oneLine(what), oneLine(hint))
}

// noFile begins an error about a device that was named by its address alone.
const noFile = `device file "": `

// advice parts what is wrong from what to do about it. Errors of the packages
// below say both in one sentence, with a semicolon between.
func advice(err error) (what, hint string) {
	what = strings.TrimPrefix(err.Error(), noFile)
	if h, ok := errors.AsType[hinted](err); ok {
		return what, h.hint
	}
	if d, ok := errors.AsType[*device.Error](err); ok && d.Hint != "" {
		return what, d.Hint
	}
	if i := lastSemicolon(what); i >= 0 {
		return what[:i], what[i+len("; "):]
	}
	return what, ""
}

// lastSemicolon returns where the last "; " is that is in no quotes, -1 if there
// is none.
func lastSemicolon(s string) int {
	last, quoted := -1, false
	for i := range len(s) {
		switch {
		case s[i] == '"' && (i == 0 || s[i-1] != '\\'):
			quoted = !quoted
		case !quoted && strings.HasPrefix(s[i:], "; "):
			last = i
		}
	}
	return last
}
