package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// slowAt is At as it would be by decoding everything.
func slowAt(data json.RawMessage, pointer string) (json.RawMessage, bool) {
	for _, step := range strings.Split(pointer[1:], "/") {
		step = pointerEscapes.Replace(step)
		if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
			var list []json.RawMessage
			i, err := strconv.ParseUint(step, 10, 31)
			if err != nil || json.Unmarshal(data, &list) != nil || i >= uint64(len(list)) {
				return nil, false
			}
			data = list[i]
			continue
		}
		var fields map[string]json.RawMessage
		if json.Unmarshal(data, &fields) != nil || fields[step] == nil {
			return nil, false
		}
		data = fields[step]
	}
	return data, true
}

func TestAt(t *testing.T) {
	const data = ` { "a" : [ 1 , {"b":"x\"]}," , "c\u0064":-1.5e3 } , [[]] , null ] , "q\"k":true,"":{"":2},"e":{},"l":[],"s/t":7,"u~v":8 } `
	for pointer, want := range map[string]string{
		"/a/0": "1", "/a/1/b": `"x\"]},"`, "/a/1/cd": "-1.5e3", "/a/2": "[[]]", "/a/2/0": "[]", "/a/3": "null", `/q"k`: "true",
		"/": `{"":2}`, "//": "2", "/e": "{}", "/l": "[]", "/s~1t": "7", "/u~0v": "8",
	} {
		if got, err := At(json.RawMessage(data), pointer); err != nil || string(got) != want {
			t.Errorf("%s = %s, %v; want %s", pointer, got, err, want)
		}
	}
	for _, pointer := range []string{"", "a", "/b", "/a/4", "/a/-1", "/a/x", "/a/0/x", "/e/x", "/l/0", "/a/2/0/0", "/a/3/x", "/q"} {
		if got, err := At(json.RawMessage(data), pointer); err == nil {
			t.Errorf("%s = %s", pointer, got)
		}
	}
}

// Looking through finds what decoding finds, in any JSON.
func FuzzAt(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":1},2],"c":"\"}"}`), "/a/0/b")
	f.Add([]byte(`[[],{},"]"]`), "/2")
	f.Fuzz(func(t *testing.T, data []byte, pointer string) {
		got, err := At(data, pointer) // whatever comes, it ends
		if !json.Valid(data) || !strings.HasPrefix(pointer, "/") || repeats(data) {
			return
		}
		want, ok := slowAt(data, pointer)
		if (err == nil) != ok && !bytes.Equal(bytes.TrimSpace(got), []byte("null")) {
			t.Fatalf("%s in %s: %s, %v; want %s, %t", pointer, data, got, err, want, ok)
		}
		if ok && !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(want)) {
			t.Fatalf("%s in %s: %s, want %s", pointer, data, got, want)
		}
	})
}

// repeats reports whether an object may name a field twice, which no record
// does: decoding is strict.
func repeats(data []byte) bool {
	var v any
	if json.Unmarshal(data, &v) != nil {
		return true
	}
	again, err := json.Marshal(v)
	var small bytes.Buffer
	return err != nil || json.Compact(&small, data) != nil || bytes.Count(again, []byte(":")) != bytes.Count(small.Bytes(), []byte(":"))
}

// One reference into a record of a megabyte, against decoding it.
func BenchmarkAt(b *testing.B) {
	var words []string
	for i := range 20000 {
		words = append(words, fmt.Sprintf("word %d of a record that is large", i))
	}
	data, err := json.Marshal(map[string]any{"a": words, "z": 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("through", func(b *testing.B) {
		for b.Loop() {
			if _, err := At(data, "/z"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decoded", func(b *testing.B) {
		for b.Loop() {
			if _, ok := slowAt(data, "/z"); !ok {
				b.Fatal("not found")
			}
		}
	})
}
