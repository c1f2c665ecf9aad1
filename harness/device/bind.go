package device

import (
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// bind fills v from n. The YAML package's own decoder is not strict enough for
// this: it takes an unquoted 1.10 for 1.1, says nothing of repeated list
// entries, and names lines but not what was expected there.
func (f *File) bind(n *yaml.Node, v reflect.Value, path string) error {
	if _, known := f.lines[path]; !known {
		f.lines[path] = n.Line
	}
	if read, ok := scalars[v.Type()]; ok {
		return f.bindScalar(n, v, path, read)
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return f.bind(n, v.Elem(), path)
	case reflect.Struct:
		return f.bindStruct(n, v, path)
	case reflect.Map:
		return f.bindMap(n, v, path)
	}
	return f.bindList(n, v, path)
}

func (f *File) bindStruct(n *yaml.Node, v reflect.Value, path string) error {
	if n.Kind != yaml.MappingNode {
		return f.wrongShape(n, v, path, "keys and values")
	}
	known := fieldsByKey(v.Type())
	return f.eachPair(n, func(key string, at, value *yaml.Node) error {
		i, ok := known[key]
		if !ok {
			return f.unknownKey(at, v.Type(), path)
		}
		f.lines[join(path, key)] = at.Line
		return f.bind(value, v.Field(i), join(path, key))
	})
}

func (f *File) bindMap(n *yaml.Node, v reflect.Value, path string) error {
	if n.Kind != yaml.MappingNode {
		return f.wrongShape(n, v, path, "names and values")
	}
	v.Set(reflect.MakeMap(v.Type()))
	return f.eachPair(n, func(key string, at, value *yaml.Node) error {
		f.lines[entry(path, key)] = at.Line
		elem := reflect.New(v.Type().Elem()).Elem()
		if err := f.bind(value, elem, entry(path, key)); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key), elem)
		return nil
	})
}

func (f *File) bindList(n *yaml.Node, v reflect.Value, path string) error {
	if n.Kind != yaml.SequenceNode {
		return f.wrongShape(n, v, path, "a list")
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		if err := f.bind(c, v.Index(i), entry(path, i)); err != nil {
			return err
		}
	}
	return nil
}

// eachPair takes the pairs of a mapping, and refuses a key that is no name or
// that stands twice.
func (f *File) eachPair(n *yaml.Node, take func(key string, at, value *yaml.Node) error) error {
	first := map[string]int{}
	for pair := range slices.Chunk(n.Content, 2) {
		at, value := pair[0], pair[1]
		if at.Kind != yaml.ScalarNode || at.Value == "" {
			return &Error{File: f.name, Line: at.Line, What: "a key is a name, not a list or a mapping"}
		}
		if line, ok := first[at.Value]; ok {
			return &Error{File: f.name, Line: at.Line, What: fmt.Sprintf("key %q stands twice, first in line %d", at.Value, line)}
		}
		if err := printable(at.Value); err != nil {
			return &Error{File: f.name, Line: at.Line, What: fmt.Sprintf("key %q", at.Value), Cause: err}
		}
		first[at.Value] = at.Line
		if err := take(at.Value, at, value); err != nil {
			return err
		}
	}
	return nil
}

// fieldsByKey returns the places of the fields that a file can set.
func fieldsByKey(t reflect.Type) map[string]int {
	m := map[string]int{}
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			m[key] = i
		}
	}
	return m
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// entry names a member of a list or a map.
func entry(path string, key any) string { return fmt.Sprintf("%s[%v]", path, key) }

func (f *File) wrongShape(n *yaml.Node, v reflect.Value, path, want string) error {
	switch {
	case empty(n):
		return f.noValue(n, path)
	case v.Type() == reflect.TypeFor[Source]():
		return f.literalSecret(n)
	}
	return f.fault(path, "", "%q holds %s, not %s", path, shapes[n.Kind], want)
}

var shapes = map[yaml.Kind]string{
	yaml.ScalarNode:   "a single value",
	yaml.SequenceNode: "a list",
	yaml.MappingNode:  "keys and values",
}

// literalSecret never says what stood there.
func (f *File) literalSecret(n *yaml.Node) error {
	return &Error{File: f.name, Line: n.Line, What: "the secret itself never stands in the device file",
		Hint: "write {file: NAME} or {env: NAME}, and change the secret if this file was shared"}
}

func (f *File) noValue(n *yaml.Node, path string) error {
	return &Error{File: f.name, Line: n.Line, What: fmt.Sprintf("%q has no value", path),
		Hint: "leave the line out if there is nothing to say"}
}

func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (f *File) unknownKey(at *yaml.Node, t reflect.Type, path string) error {
	if t == reflect.TypeFor[Source]() {
		return f.literalSecret(at)
	}
	where := "the device file"
	if path != "" {
		where = fmt.Sprintf("%q", path)
	}
	e := &Error{File: f.name, Line: at.Line, What: fmt.Sprintf("%s has no key %q", where, at.Value)}
	if key := nearest(at.Value, keysOf(t)); key != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", key)
	} else {
		e.Hint = fmt.Sprintf("the keys are %q", keysOf(t))
	}
	return e
}
