package device

import (
	"fmt"
	"strings"
)

// An Error says what is wrong with a device file, where, and what to do.
type Error struct {
	File  string // as it was named
	Line  int    // from 1, 0 if no single line is at fault
	What  string // what is wrong, with what was expected
	Hint  string // what to do, or empty
	Cause error  // nil if What says it all
}

// Error returns all but the hint.
func (e *Error) Error() string {
	where := fmt.Sprintf("device file %q", e.File)
	if e.Line > 0 {
		where += fmt.Sprintf(", line %d", e.Line)
	}
	what := e.What
	if e.Cause != nil {
		what = fmt.Sprintf("%s: %v", e.What, e.Cause)
	}
	return where + ": " + abridged(what)
}

// headShown and tailShown are how much of a long message is shown, in bytes. A
// value of the file stands in the middle of it.
const headShown, tailShown = 160, 120

func abridged(s string) string {
	if len(s) <= headShown+tailShown {
		return s
	}
	return strings.ToValidUTF8(s[:headShown], "") + " ... " + strings.ToValidUTF8(s[len(s)-tailShown:], "")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// fault returns an Error at the place in the file that path names.
func (f *File) fault(path, hint, format string, args ...any) *Error {
	return &Error{File: f.name, Line: f.line(path), What: fmt.Sprintf(format, args...), Hint: hint}
}

// because adds the cause to e.
func (e *Error) because(err error) *Error {
	e.Cause = err
	return e
}

// Line returns where in the file path stands, as "ics.features", or what it
// would be a part of; 0 for a File that was not read from a file.
func (f *File) Line(path string) int { return f.line(path) }

// line returns the line of path or, if the file does not hold it, of what it
// would be a part of. It is 0 for a File that was not read from a file.
func (f *File) line(path string) int {
	for {
		if line, ok := f.lines[path]; ok || path == "" {
			return line
		}
		path = parent(path)
	}
}

// parent cuts the last name or index off a path.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
