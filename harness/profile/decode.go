package profile

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/assay-iot/assay/harness/check"
)

// maxText bounds one value, in bytes: the longest that people read as one.
const maxText = 2000

// later are keys that stand for something planned. They are refused, so that
// nobody believes they have an effect.
var later = []string{"overlays", "waivers"}

// decode fills v, which is part of a Profile, from n. What v has no place for
// is an error.
func (s source) decode(n *yaml.Node, v reflect.Value) error {
	if with, ok := v.Addr().Interface().(*check.With); ok {
		return s.decodeWith(n, with)
	}
	switch v.Kind() {
	case reflect.Struct:
		return s.decodeStruct(n, v)
	case reflect.Slice:
		return s.decodeList(n, v)
	case reflect.Map:
		return s.decodeMap(n, v)
	case reflect.Bool:
		if n.ShortTag() != "!!bool" {
			return s.atNode(n, "%s; want true or false", found(n))
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
		return nil
	}
	return s.decodeText(n, v)
}

func (s source) decodeText(n *yaml.Node, v reflect.Value) error {
	tag := n.ShortTag()
	switch {
	case n.Kind != yaml.ScalarNode:
		return s.atNode(n, "%s; want a text", found(n))
	case tag == "!!null" || n.Value == "":
		return s.atNode(n, "an empty value; give one, or remove the key")
	case tag != "!!str" && tag != "!!timestamp":
		return s.atNode(n, "%s; want a text: write it in quotes", found(n))
	case len(n.Value) > maxText:
		return s.atNode(n, "a text of more than %d bytes; shorten it", maxText)
	}
	for _, r := range n.Value {
		if !unicode.IsPrint(r) {
			return s.atNode(n, "character %U cannot be shown; remove it", r)
		}
	}
	v.SetString(n.Value)
	return nil
}

func (s source) decodeList(n *yaml.Node, v reflect.Value) error {
	if n.Kind != yaml.SequenceNode {
		return s.atNode(n, "%s; want a list: [a, b]", found(n))
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		if err := s.decode(c, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (s source) decodeMap(n *yaml.Node, v reflect.Value) error {
	if n.Kind != yaml.MappingNode {
		return s.atNode(n, "%s; want keys with values: {a: b}", found(n))
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i < len(n.Content); i += 2 {
		value := reflect.New(v.Type().Elem()).Elem()
		if err := s.decode(n.Content[i+1], value); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(n.Content[i].Value), value)
	}
	return nil
}

// decodeWith takes parameters of whatever type; the check that they are for
// says whether they fit.
func (s source) decodeWith(n *yaml.Node, with *check.With) error {
	if n.Kind != yaml.MappingNode {
		return s.atNode(n, "%s; want the check's parameters: {name: value}", found(n))
	}
	if err := n.Decode(with); err != nil {
		return s.atNode(n, "the parameters cannot be read: %v; write plain values", err)
	}
	return nil
}

func (s source) decodeStruct(n *yaml.Node, v reflect.Value) error {
	places := fields(v)
	if n.Kind != yaml.MappingNode {
		return s.atNode(n, "%s; want the keys %s", found(n), list(places))
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		place, ok := places[key.Value]
		switch {
		case slices.Contains(later, key.Value):
			return s.atNode(key, "%s are not supported yet; remove the key %q", key.Value, key.Value)
		case !ok:
			return s.atNode(key, "unknown key %q; %s", key.Value, instead(key.Value, places))
		}
		if err := s.decode(n.Content[i+1], place); err != nil {
			return err
		}
	}
	return nil
}

// fields returns the fields of a struct by their keys.
func fields(v reflect.Value) map[string]reflect.Value {
	m := map[string]reflect.Value{}
	for f, value := range v.Fields() {
		if key := f.Tag.Get("yaml"); key != "" && key != "-" {
			m[key] = value
		}
	}
	return m
}

// found names what n is, for a sentence that says what is wanted.
func found(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "here are keys with values"
	case n.Kind == yaml.SequenceNode:
		return "here is a list"
	case n.ShortTag() == "!!null" || n.Value == "":
		return "here is nothing"
	case n.ShortTag() == "!!int" || n.ShortTag() == "!!float":
		return "here is a number"
	}
	return fmt.Sprintf("here is %.40q", n.Value)
}

func list(places map[string]reflect.Value) string {
	return strings.Join(slices.Sorted(maps.Keys(places)), ", ")
}

// instead says which key may have been meant.
func instead(key string, places map[string]reflect.Value) string {
	if near := nearest(key, slices.Collect(maps.Keys(places))); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known are " + list(places)
}
