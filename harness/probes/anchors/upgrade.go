package anchors

import (
	"encoding/json"
	"fmt"

	"github.com/assay-iot/assay/harness/evidence"
)

// evidence1 is version 1, which did not say what was publicly trusted.
type evidence1 struct {
	Anchors []Anchor          `json:"anchors"`
	Pins    []evidence.Digest `json:"pins"`
	TestCA  TestCA            `json:"test_ca"`
}

// upgrade leaves the public roots out: those of today were not those of the
// run.
func upgrade(version int, data json.RawMessage) (json.RawMessage, error) {
	if version != 1 {
		return nil, fmt.Errorf("there was no version %d", version)
	}
	old, err := evidence.Decode[evidence1](data)
	if err != nil {
		return nil, err
	}
	return evidence.Encode(Evidence{Anchors: old.Anchors, Pins: old.Pins, TestCA: old.TestCA})
}
