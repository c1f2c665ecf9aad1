// Package reports renders a finished run. A renderer changes no verdict, adds
// no facts and treats every string as hostile: a device may have written it.
package reports

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
)

// A Format turns a result into bytes.
type Format struct {
	Name string // as --format takes it
	Doc  string // what it is good for
	Ext  string // of a file that holds it, with its dot
	// Whole says that texts are not cut, however long: programs read the format.
	Whole  bool
	Render func(io.Writer, result.Result, Options) error
}

// Options say how a reader wants it. The zero value is plain English at 80
// columns.
type Options struct {
	Colour    bool          // the caller decides: a terminal, and no NO_COLOR
	Width     int           // in cells, where lines are broken; 0 is 80
	Catalogue msg.Catalogue // of another language than English
	Lang      string        // of Catalogue, as BCP 47 writes it; empty is en
	Verbose   bool          // everything, where a format shows a part first
}

// formats holds every format by name.
var formats = map[string]Format{}

// register adds f to formats. It is called only from variable declarations in
// this package, one to a file.
func register(f Format) Format {
	if _, taken := formats[f.Name]; taken {
		panic("two formats have the name " + f.Name)
	}
	formats[f.Name] = f
	return f
}

// Formats returns every format, by name.
func Formats() []Format {
	var all []Format
	for _, name := range names() {
		all = append(all, formats[name])
	}
	return all
}

// Lookup returns the format that has the name.
func Lookup(name string) (Format, error) {
	f, ok := formats[name]
	if !ok {
		return Format{}, fmt.Errorf("no report format %q; there are %s", name, strings.Join(names(), ", "))
	}
	return f, nil
}

func names() []string { return slices.Sorted(maps.Keys(formats)) }

// say renders t in the reader's language. Long values are cut first, so that
// the sentence around them stays whole.
func (o Options) say(t msg.Text) string {
	short := msg.Text{Template: cut(t.Template, maxShown), Args: make(map[string]string, len(t.Args))}
	for name, value := range t.Args {
		short.Args[name] = cut(value, maxValue)
	}
	return strings.TrimSpace(short.In(o.Catalogue))
}
