package evidence

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// At returns the field of data that a JSON Pointer names. The empty pointer,
// which means the whole, names none. Data is valid JSON: it is looked through
// once, and not decoded, because a judge asks for thousands of fields of records
// that may have megabytes.
func At(data json.RawMessage, pointer string) (json.RawMessage, error) {
	if !strings.HasPrefix(pointer, "/") {
		return nil, fmt.Errorf("pointer %q names no field", pointer)
	}
	for _, step := range strings.Split(pointer[1:], "/") {
		next, err := descend(data, pointerEscapes.Replace(step))
		if err != nil {
			return nil, fmt.Errorf("pointer %q: %w", pointer, err)
		}
		data = next
	}
	return data, nil
}

var pointerEscapes = strings.NewReplacer("~1", "/", "~0", "~")

// descend takes one step of a pointer into an object or an array.
func descend(at json.RawMessage, step string) (json.RawMessage, error) {
	rest := space(at)
	if len(rest) > 0 && rest[0] == '[' {
		i, err := strconv.ParseUint(step, 10, 31)
		for at := uint64(0); err == nil && next(&rest); at++ {
			if v := value(&rest); at == i {
				return v, nil
			}
		}
		return nil, fmt.Errorf("no element %q", step)
	}
	for len(rest) > 0 && next(&rest) {
		var name string
		key := value(&rest)
		if rest = space(rest); len(rest) == 0 || rest[0] != ':' || json.Unmarshal(key, &name) != nil {
			break
		}
		rest = rest[1:]
		if v := value(&rest); name == step {
			return v, nil
		}
	}
	return nil, fmt.Errorf("no field %q", step)
}

// next goes to the next element of an array or an object, over its opening
// bracket or the comma after the one before. It reports whether there is one.
func next(rest *json.RawMessage) bool {
	*rest = space(*rest)
	if len(*rest) == 0 || !strings.ContainsRune("[{,", rune((*rest)[0])) {
		return false
	}
	*rest = space((*rest)[1:])
	return len(*rest) > 0 && (*rest)[0] != ']' && (*rest)[0] != '}'
}

// value takes the value with which rest begins off it.
func value(rest *json.RawMessage) json.RawMessage {
	*rest = space(*rest)
	n := length(*rest)
	v := (*rest)[:n]
	*rest = (*rest)[n:]
	return v
}

// length returns how many bytes the value has with which b begins.
func length(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = closing(b, i); depth == 0 {
				return min(i+1, len(b))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return i + 1 + min(0, depth) // without the bracket of what is around
			}
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// closing returns where the string ends that begins at b[at].
func closing(b []byte, at int) int {
	for i := at + 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(b)
}

// space returns b without the white space at its beginning.
func space(b json.RawMessage) json.RawMessage {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\n' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}
