package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of a profile file. The longest that we ship has about 30 KiB, and the
// time that the YAML reader takes for a hostile one grows with the square of its
// length.
const (
	maxBytes = 64 << 10
	maxDepth = 12
	// maxSentence bounds what an error says, in bytes: a hostile file holds
	// longer words.
	maxSentence = 600
)

// An Error is a mistake in a profile file, at a place in it.
type Error struct {
	File   string
	Line   int // from 1
	Column int // from 1
	What   string
}

// Error names the place and the mistake.
func (e *Error) Error() string {
	return fmt.Sprintf("profile %q, line %d, column %d: %s", e.File, e.Line, e.Column, e.What)
}

// source is the text of a profile, as far as places in it are concerned. The
// zero value is a profile that came from no file.
type source struct {
	file string
	root *yaml.Node
}

// at returns an error at the value that path leads to, or as far towards it as
// the file goes. A path consists of keys and places in lists.
func (s source) at(path []any, format string, args ...any) *Error {
	return s.atNode(s.find(path), format, args...)
}

func (s source) atNode(n *yaml.Node, format string, args ...any) *Error {
	what := fmt.Sprintf(format, args...)
	if len(what) > maxSentence {
		what = strings.ToValidUTF8(what[:maxSentence], "") + " ..."
	}
	return &Error{s.file, max(n.Line, 1), max(n.Column, 1), what}
}

func (s source) find(path []any) *yaml.Node {
	n := s.root
	if n == nil {
		return &yaml.Node{}
	}
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func child(n *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	case int:
		if n.Kind == yaml.SequenceNode && step < len(n.Content) {
			return n.Content[step]
		}
	}
	return nil
}

// readSource reads the one YAML document of a profile and refuses whatever
// makes YAML more than keys, lists and plain values.
func readSource(file string, b []byte) (source, error) {
	s := source{file: file}
	if err := s.readable(b); err != nil {
		return s, err
	}
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return s, s.atNode(&doc, "the file is empty; a profile begins with \"id: NAME\"")
	} else if err != nil {
		return s, s.unreadable(b, err)
	}
	s.root = doc.Content[0]
	if err := s.plain(s.root, 1); err != nil {
		return s, err
	}
	var second yaml.Node
	if err := d.Decode(&second); err == nil {
		return s, s.atNode(&second, "a second YAML document; put each profile in a file of its own")
	} else if !errors.Is(err, io.EOF) {
		return s, s.unreadable(b, err)
	}
	return s, nil
}

// readable refuses what the YAML reader would refuse without naming a place.
func (s source) readable(b []byte) error {
	if len(b) > maxBytes {
		return s.atNode(&yaml.Node{}, "the file has more than %d bytes; split the profile", maxBytes)
	}
	line := 1
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1:
			return s.atNode(&yaml.Node{Line: line}, "byte 0x%02x is no UTF-8; save the file as UTF-8", rest[0])
		case r == '\n':
			line++
		case r < ' ' && r != '\t' && r != '\r', r == 0x7f:
			return s.atNode(&yaml.Node{Line: line}, "control character %U; remove it", r)
		}
		rest = rest[n:]
	}
	return nil
}

var (
	yamlLine      = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)
	unknownAnchor = regexp.MustCompile(`^yaml: unknown anchor '([^']+)' referenced$`)
)

// unreadable turns an error of the YAML reader into one of ours. The reader
// names no line if it is the first, nor where an alias stands.
func (s source) unreadable(b []byte, err error) error {
	if m := unknownAnchor.FindStringSubmatch(err.Error()); m != nil {
		before, _, _ := bytes.Cut(b, []byte("*"+m[1]))
		return s.atNode(&yaml.Node{Line: 1 + bytes.Count(before, []byte("\n"))}, "alias %q; write the value out", m[1])
	}
	line, what := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		what = m[2]
	}
	return s.atNode(&yaml.Node{Line: line}, "this is not YAML: %s; check indentation, quotes and brackets", what)
}

// plain refuses nesting that is too deep, anchors, aliases, tags, and keys that
// are no plain word or appear twice.
func (s source) plain(n *yaml.Node, depth int) error {
	switch {
	case depth > maxDepth:
		return s.atNode(n, "nested deeper than %d levels; a profile needs fewer", maxDepth)
	case n.Kind == yaml.AliasNode:
		return s.atNode(n, "alias %q; write the value out", n.Value)
	case n.Anchor != "":
		return s.atNode(n, "anchor %q; remove it, and write the value out where it is used", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		return s.atNode(n, "tag %q; remove it", n.Tag)
	}
	if n.Kind == yaml.MappingNode {
		if err := s.plainKeys(n); err != nil {
			return err
		}
	}
	for _, c := range n.Content {
		if err := s.plain(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (s source) plainKeys(n *yaml.Node) error {
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		first, twice := seen[k.Value]
		switch {
		case k.Kind != yaml.ScalarNode:
			return s.atNode(k, "a key is a list or a mapping; write a word")
		case twice:
			return s.atNode(k, "key %q appears twice, first in line %d; remove one", k.Value, first)
		}
		seen[k.Value] = k.Line
	}
	return nil
}
