package devices

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/assay-iot/assay/harness/verdict"
)

// Expected is what an emulated device must be told.
type Expected struct {
	// Family and Member say where the device belongs. The members of a family
	// declare the same and differ in their faults.
	Family string `yaml:"family"`
	Member string `yaml:"member"`
	// Checks holds a verdict for each check, Requirements for each
	// requirement of a profile.
	Checks       Verdicts            `yaml:"checks"`
	Requirements map[string]Verdicts `yaml:"requirements"`
	// Faults holds, for each fault that can be switched alone, the checks that
	// turn, and what they turn to. A fault that the device has is switched off,
	// any other on.
	Faults map[string]Verdicts `yaml:"faults"`
	// Masked holds the faults of which this member shows nothing when they are
	// switched alone, and why.
	Masked map[string]string `yaml:"masked"`
}

// Verdicts holds verdicts by the ID of what they are about.
type Verdicts map[string]verdict.Verdict

// ParseExpected reads an expected.yaml.
func ParseExpected(b []byte) (Expected, error) { return parse[Expected](b, "expected verdicts") }

// parse reads one YAML document in which every key is known.
func parse[T any](b []byte, what string) (T, error) {
	var t, none T
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&t); err != nil && !errors.Is(err, io.EOF) {
		return none, fmt.Errorf("reading %s: %w", what, err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return none, fmt.Errorf("reading %s: more than one YAML document", what)
	}
	return t, nil
}
