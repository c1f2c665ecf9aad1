package evidence

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Encode writes evidence as it is stored. A nil list becomes an empty one.
func Encode[E any](e E) (json.RawMessage, error) {
	fillLists(reflect.ValueOf(&e).Elem())
	return json.Marshal(e)
}

// Decode reads evidence strictly: what it accepts is exactly what Encode
// writes. So an unknown, missing, repeated, misspelt or null field and trailing
// data are errors, and no fact is ever a zero value that nobody observed.
func Decode[E any](data json.RawMessage) (E, error) {
	var e, none E
	if err := json.Unmarshal(data, &e); err != nil {
		return none, err
	}
	again, err := Encode(e)
	if err != nil {
		return none, err
	}
	if !bytes.Equal(again, data) {
		return none, fmt.Errorf("not in the form that version of the probe writes")
	}
	return e, nil
}

func fillLists(v reflect.Value) {
	switch {
	case !v.CanSet():
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fillLists(v.Field(i))
		}
	case v.Kind() == reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fillLists(v.Index(i))
		}
	}
}

// Masked returns e with mask applied to a copy of everything that a device
// sent. A nil mask changes nothing.
func Masked[E any](e E, mask func([]byte)) E {
	if mask != nil {
		maskBytes(reflect.ValueOf(&e).Elem(), mask)
	}
	return e
}

func maskBytes(v reflect.Value, mask func([]byte)) {
	switch {
	case !v.CanSet():
	case v.Type() == reflect.TypeFor[Bytes]():
		b := bytes.Clone(v.Bytes())
		mask(b)
		v.SetBytes(b)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			maskBytes(v.Field(i), mask)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		v.Set(fresh)
		for i := range v.Len() {
			maskBytes(v.Index(i), mask)
		}
	}
}

// CheckType reports the first field of an evidence type that could hide what is
// not known, or lose what the device sent.
func CheckType(t reflect.Type) error { return checkType(t, t.String()) }

var writesItself = []reflect.Type{
	reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler](),
}

func checkType(t reflect.Type, path string) error {
	for _, m := range writesItself {
		if t.Implements(m) {
			return nil
		}
	}
	switch t.Kind() {
	case reflect.Bool:
		return fmt.Errorf("%s is a bool, which cannot say unknown: use Tri", path)
	case reflect.String:
		if t == reflect.TypeFor[string]() {
			return fmt.Errorf("%s is a string: use Bytes, or a named type for a closed set or our own words", path)
		}
	case reflect.Pointer, reflect.Map, reflect.Interface:
		return fmt.Errorf("%s is a %s: use a struct or a list", path, t.Kind())
	case reflect.Slice, reflect.Array:
		return checkType(t.Elem(), path+"[]")
	case reflect.Struct:
		return checkFields(t, path)
	}
	return nil
}

func checkFields(t reflect.Type, path string) error {
	for f := range t.Fields() {
		if tag := f.Tag.Get("json"); tag == "" || strings.Contains(tag, ",") {
			return fmt.Errorf("%s.%s needs a json name and no options", path, f.Name)
		}
		if err := checkType(f.Type, path+"."+f.Name); err != nil {
			return err
		}
	}
	return nil
}
