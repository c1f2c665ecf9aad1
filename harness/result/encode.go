package result

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/assay-iot/assay/harness/evidence"
)

// JSONSchema describes the JSON form of a Result, in draft 2020-12. It closes
// the sets of values on which a verdict rests and leaves the objects open, so
// that an older copy of it accepts what a newer version of the program writes.
//
//go:embed schema.json
var JSONSchema []byte

// Encode writes r as it is stored and exchanged: an empty list is a list, never
// null. It leaves r as it is.
func Encode(r Result) ([]byte, error) {
	shared, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding result of run %q: %w", r.Run.ID, err)
	}
	var own Result // what fills the lists must not write into those of r
	if err := json.Unmarshal(shared, &own); err != nil {
		return nil, fmt.Errorf("encoding result of run %q: %w", r.Run.ID, err)
	}
	return evidence.Encode(own)
}
