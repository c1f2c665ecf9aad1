package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/assay-iot/assay/harness/result"
)

var _ = register(Format{Name: "json", Doc: "the whole result, as its schema says", Ext: ".json", Whole: true, Render: writeJSON})

// writeJSON writes the result itself: fields in the order of the schema, two
// spaces for each level, one newline at the end. Options change nothing.
func writeJSON(w io.Writer, r result.Result, _ Options) error {
	b, err := result.Encode(r)
	if err != nil {
		return err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, b, "", "  "); err != nil {
		return fmt.Errorf("indenting result: %w", err)
	}
	indented.WriteByte('\n')
	_, err = w.Write(encoded(indented.Bytes()))
	return err
}
