package device

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Effective returns the declaration as it was read, for the bundle: YAML that
// Parse reads back to the same File. It holds nothing secret. Credentials stand
// in it by reference only, and comments, where somebody may have noted a
// password, are left out.
func (f *File) Effective() []byte {
	var b bytes.Buffer
	writeStruct(&b, reflect.ValueOf(*f), "")
	return b.Bytes()
}

// writeStruct writes what is set, one key to a line.
func writeStruct(b *bytes.Buffer, v reflect.Value, indent string) {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key != "" && !isUnset(v.Field(i)) {
			writePair(b, key, v.Field(i), indent)
		}
	}
}

// isUnset tells a list that is not there from one that is empty.
func isUnset(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return v.IsZero()
	}
	if _, ok := scalars[v.Type()]; ok {
		return v.IsZero()
	}
	for i := range v.NumField() {
		if !isUnset(v.Field(i)) {
			return false
		}
	}
	return true
}

func writePair(b *bytes.Buffer, key string, v reflect.Value, indent string) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	_, single := scalars[v.Type()]
	b.WriteString(indent + key + ":")
	switch {
	case single:
		b.WriteString(" " + scalar(v) + "\n")
	case v.Kind() == reflect.Struct && isUnset(v), v.Kind() == reflect.Map && v.Len() == 0:
		b.WriteString(" {}\n")
	case v.Kind() == reflect.Slice && v.Len() == 0:
		b.WriteString(" []\n")
	case v.Kind() == reflect.Struct:
		b.WriteString("\n")
		writeStruct(b, v, indent+"  ")
	case v.Kind() == reflect.Map:
		b.WriteString("\n")
		writeMap(b, v, indent+"  ")
	default:
		b.WriteString("\n")
		writeList(b, v, indent+"  ")
	}
}

func writeMap(b *bytes.Buffer, v reflect.Value, indent string) {
	names := map[string]reflect.Value{}
	for it := v.MapRange(); it.Next(); {
		names[it.Key().String()] = it.Value()
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		writePair(b, word(name), names[name], indent)
	}
}

// writeList writes one entry to a line and, for an entry with keys, its first
// key beside the hyphen.
func writeList(b *bytes.Buffer, v reflect.Value, indent string) {
	for i := range v.Len() {
		e := v.Index(i)
		if _, single := scalars[e.Type()]; single {
			b.WriteString(indent + "- " + scalar(e) + "\n")
			continue
		}
		var inner bytes.Buffer
		writeStruct(&inner, e, indent+"  ")
		if inner.Len() == 0 {
			b.WriteString(indent + "- {}\n")
			continue
		}
		b.WriteString(indent + "- " + strings.TrimPrefix(inner.String(), indent+"  "))
	}
}

// plainWord is what needs no quotes in any version of YAML.
var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._/-]*$`)

// reserved are words that a YAML reader may take for something else.
var reserved = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

// word writes a text, in quotes unless every reader takes it for a text.
func word(text string) string {
	if plainWord.MatchString(text) && !slices.Contains(reserved, strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}

func scalar(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case Answered:
		return string(value)
	case bool:
		if value {
			return string(Yes)
		}
		return string(No)
	case string:
		return word(value)
	case netip.Addr:
		return strconv.Quote(value.String())
	case Server:
		return strconv.Quote(value.String())
	}
	return fmt.Sprint(v.Interface())
}
