package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/assay-iot/assay/harness/result"
)

// maxResult bounds a stored result, in bytes. One of a device with all 65535
// TCP ports open has about a third of it.
const maxResult = 64 << 20

// beginning returns the first byte of a file that is no white space, 0 if there
// is none within what people put there.
func beginning(path string) (byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var head [64]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if text := bytes.TrimLeft(head[:n], " \t\r\n"); len(text) > 0 {
		return text[0], nil
	}
	return 0, nil
}

// readResult reads a result that --format json has written.
func readResult(path string) (result.Result, error) {
	b, err := readCapped(path, maxResult)
	if err != nil {
		return result.Result{}, wrong(fmt.Errorf("result %q: %w", path, err), "name a result that was written with --format json")
	}
	r, err := parseResult(b)
	if err != nil {
		return result.Result{}, wrong(fmt.Errorf("result %q: %w", path, err), "write it again, from its bundle: assay judge BUNDLE --format json")
	}
	return r, nil
}

// parseResult reads a result strictly: it is what a judgement by the schema that
// this program knows can give, and written again it says the same. Members that
// the schema does not list are left out: a newer version may have added them.
func parseResult(b []byte) (result.Result, error) {
	var r result.Result
	given, err := parseAny(b)
	if err != nil {
		return r, fmt.Errorf("this is no JSON: %w", err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, disobeys(err)
	}
	if err := r.Err(); err != nil {
		return r, disobeys(err)
	}
	again, err := result.Encode(r)
	if err != nil {
		return r, err
	}
	read, err := parseAny(again)
	if err != nil {
		return r, err
	}
	return r, disobeys(says(given, read, ""))
}

// disobeys says that a file is no result of the version that is read.
func disobeys(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("it does not obey %s: %w", result.Schema, err)
}

// parseAny reads one JSON value, with numbers as they are written.
func parseAny(b []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

// says reports the first place at which given does not say what read does. What
// only given has is passed over, except that lists have the same length.
func says(given, read any, at string) error {
	switch read := read.(type) {
	case map[string]any:
		object, ok := given.(map[string]any)
		if !ok {
			break
		}
		return objectSays(object, read, at)
	case []any:
		list, ok := given.([]any)
		if !ok || len(list) != len(read) {
			break
		}
		for i := range read {
			if err := says(list[i], read[i], fmt.Sprintf("%s/%d", at, i)); err != nil {
				return err
			}
		}
		return nil
	default:
		if reflect.DeepEqual(given, read) {
			return nil
		}
	}
	return fmt.Errorf("%s contradicts the rest of it, or is not written as assay writes it", at)
}

func objectSays(given, read map[string]any, at string) error {
	for name, value := range read {
		own, ok := given[name]
		if !ok {
			return fmt.Errorf("%s/%s is missing", at, name)
		}
		if err := says(own, value, at+"/"+name); err != nil {
			return err
		}
	}
	return nil
}
