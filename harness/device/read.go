package device

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxBytes = 1 << 20  // of a device file: the largest that people write are a few KiB
	maxDepth = 32       // of its tree: the format itself needs seven levels
	maxLine  = 16 << 10 // bytes: the YAML reader tries every long value for a number
)

// Read reads the device file at path, and sees to it that the files that it
// names are there.
func Read(path string) (*File, error) {
	b, err := readCapped(path)
	if err != nil {
		return nil, fmt.Errorf("reading device file: %w", err)
	}
	f, err := Parse(path, b, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := f.checkFiles(); err != nil {
		return nil, err
	}
	return f, nil
}

// readCapped reads at most one byte more than a device file may have.
func readCapped(path string) ([]byte, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxBytes+1))
}

// Parse reads a device file that lies in dir. Name stands for it in messages.
// It touches no other file.
func Parse(name string, b []byte, dir string) (*File, error) {
	f := &File{name: name, dir: dir, lines: map[string]int{"": 1}}
	root, err := f.tree(b)
	if err != nil {
		return nil, err
	}
	if err := f.vet(root, 1); err != nil {
		return nil, err
	}
	if err := f.bind(root, reflect.ValueOf(f).Elem(), ""); err != nil {
		return nil, err
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	return f, nil
}

// tree reads the one YAML document that b holds.
func (f *File) tree(b []byte) (*yaml.Node, error) {
	if len(b) > maxBytes {
		return nil, f.fault("", "", "it is larger than %d bytes", maxBytes)
	}
	if err := f.vetText(b); err != nil {
		return nil, err
	}
	var doc, second yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(b))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, f.fault("", "assay init ADDRESS writes a draft", "it is empty")
	case err != nil:
		return nil, f.syntax(err)
	}
	switch err := d.Decode(&second); {
	case err == nil:
		return nil, &Error{File: f.name, Line: second.Line, What: "a second document begins", Hint: "one device file holds one device"}
	case !errors.Is(err, io.EOF):
		return nil, f.syntax(err)
	}
	return doc.Content[0], nil
}

// vetText refuses what is no text, with its line: the YAML reader takes UTF-16
// as well, and names no line for a control character. It also refuses what YAML
// takes for the end of a line and editors do not, because then no line number
// would be right.
func (f *File) vetText(b []byte) error {
	line, start := 1, 0
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return &Error{File: f.name, Line: line, What: "it is not UTF-8 text"}
		case r == '\r' && bytes.HasPrefix(b[i:], []byte("\r\n")):
		case unicode.IsControl(r) && r != '\n' && r != '\t', r == '\u2028', r == '\u2029':
			return &Error{File: f.name, Line: line, What: fmt.Sprintf("control character %U", r)}
		case i-start >= maxLine:
			return &Error{File: f.name, Line: line, What: fmt.Sprintf("it has more than %d bytes", maxLine), Hint: "break the line"}
		case r == '\n':
			line, start = line+1, i+1
		}
		i += size
	}
	return nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// syntax turns an error of the YAML reader, which names every line but the
// first, into one of ours.
func (f *File) syntax(err error) error {
	e := &Error{File: f.name, Line: 1, What: err.Error(), Hint: "check indentation, quotes and colons around this line"}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		e.What = "no valid YAML: " + m[2]
		if line, err := strconv.Atoi(m[1]); err == nil {
			e.Line = line
		}
	}
	return e
}

// vet refuses what makes a file mean more than it shows: anchors and aliases,
// which can blow it up, tags, and deep nesting.
func (f *File) vet(n *yaml.Node, depth int) error {
	at := func(what, hint string) error { return &Error{File: f.name, Line: n.Line, What: what, Hint: hint} }
	switch {
	case depth > maxDepth:
		return at(fmt.Sprintf("nested deeper than %d levels", maxDepth), "")
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return at("anchors and aliases are not allowed", "write the value out at each place")
	case n.Style&yaml.TaggedStyle != 0:
		return at(fmt.Sprintf("tag %q is not allowed", n.Tag), "write the value without a tag")
	}
	for _, c := range n.Content {
		if err := f.vet(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}
