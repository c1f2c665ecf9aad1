// Package profile reads requirement profiles and judges requirements by the
// checks that they map.
package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"reflect"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// A Profile is a set of requirements from one source.
type Profile struct {
	ID           string   `yaml:"id" json:"id"`
	Title        string   `yaml:"title" json:"title"`
	Version      string   `yaml:"version" json:"version"` // of the source, as it names it
	Source       Document `yaml:"source" json:"source"`
	Issuer       string   `yaml:"issuer" json:"issuer"`
	Jurisdiction string   `yaml:"jurisdiction" json:"jurisdiction"`
	LegalStatus  string   `yaml:"legal_status" json:"legal_status"` // in our own words
	Scope        string   `yaml:"scope" json:"scope"`               // products that it is for; shown, never judged
	InForce      Date     `yaml:"in_force" json:"in_force"`         // first day, empty if not known
	Until        Date     `yaml:"until" json:"until"`               // last day, empty if none is known
	Verified     Verified `yaml:"verified" json:"-"`                // of each requirement that does not say
	// Features are what AppliesIf may name, features and conditions of the
	// source alike, each as the question that the device file answers.
	Features     map[string]string `yaml:"features" json:"features"`
	Requirements []Requirement     `yaml:"requirements" json:"requirements"`

	doc source
	raw []byte
}

// Document says where the requirements were read.
type Document struct {
	Document string `yaml:"document" json:"document"`
	Date     Date   `yaml:"date" json:"date"` // of publication
}

// Date is YYYY, YYYY-MM or YYYY-MM-DD, or empty.
type Date string

// A Requirement is one provision and the checks that speak of it.
type Requirement struct {
	ID    string `yaml:"id" json:"id"` // as the source numbers it
	Level Level  `yaml:"level" json:"level"`
	Text  string `yaml:"text" json:"text"` // in our own words
	// AppliesIf names what must be declared: a feature that exists, or "not"
	// and a feature that does not. All must hold; empty means always.
	AppliesIf    []string        `yaml:"applies_if" json:"applies_if"`
	Accepts      []verdict.Basis `yaml:"accepts" json:"accepts"` // tested and inspected unless said
	Checks       []Mapping       `yaml:"checks" json:"checks"`
	Cases        []Case          `yaml:"cases" json:"cases"`
	Manual       string          `yaml:"manual" json:"manual"` // what a person looks at, imperative, no full stop
	Verified     Verified        `yaml:"verified" json:"verified"`
	Topics       []string        `yaml:"topics" json:"topics"`             // control topics, for crosswalks
	Alternatives []string        `yaml:"alternatives" json:"alternatives"` // other routes that the source accepts; shown, never judged

	inspection Mapping // of the manual line; no check if there is none or a check decides
}

// Level is how binding a requirement is.
type Level string

// The levels.
const (
	Mandatory   Level = "mandatory"
	Recommended Level = "recommended"
)

// Verified says whether somebody held a requirement's number, level and
// applicability against the source.
type Verified struct {
	Status VerifiedStatus `yaml:"status" json:"status"`
	Source string         `yaml:"source" json:"source"` // the copy that was read
}

// VerifiedStatus is the outcome of that.
type VerifiedStatus string

// The outcomes.
const (
	IsVerified VerifiedStatus = "verified"   // the source's text was read
	Unverified VerifiedStatus = "unverified" // recalled, or read elsewhere
)

// String returns the status and the source.
func (v Verified) String() string { return fmt.Sprintf("%s: %s", v.Status, v.Source) }

// A Case is a numbered test case of the source, with checks of its own.
type Case struct {
	ID     string    `yaml:"id" json:"id"`
	Checks []Mapping `yaml:"checks" json:"checks"`
}

// Load reads the profile in a file of fsys. See Parse.
func Load(fsys fs.FS, name string, known map[string]check.Check) (*Profile, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening profile: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading profile %q: %w", name, err)
	}
	return Parse(name, b, known)
}

// Parse reads one profile; file is what errors call it. Whatever a verdict
// could not be built on is an error with its place: an unknown key, feature or
// check, a parameter that a check does not take, YAML beyond plain values.
func Parse(file string, b []byte, known map[string]check.Check) (*Profile, error) {
	doc, err := readSource(file, b)
	if err != nil {
		return nil, err
	}
	p := &Profile{doc: doc, raw: b}
	if err := doc.decode(doc.root, reflect.ValueOf(p).Elem()); err != nil {
		return nil, err
	}
	p.complete()
	if err := p.validate(known); err != nil {
		return nil, err
	}
	return p, nil
}

// complete fills in what requirements leave to the default.
func (p *Profile) complete() {
	for i := range p.Requirements {
		r := &p.Requirements[i]
		r.Accepts = r.accepts()
		// A list that is left out is an empty one, in JSON as well.
		r.AppliesIf, r.Topics, r.Alternatives = some(r.AppliesIf), some(r.Topics), some(r.Alternatives)
		r.Checks, r.Cases = some(r.Checks), some(r.Cases)
		if r.Verified == (Verified{}) {
			r.Verified = p.Verified
		}
		r.inspection = r.inspect(p.ID)
	}
}

func some[E any](list []E) []E { return append([]E{}, list...) }

// Raw returns the profile's file, byte for byte.
func (p *Profile) Raw() []byte { return p.raw }

// Identity names the profile as it was read.
func (p *Profile) Identity() result.Source {
	sum := sha256.Sum256(p.raw)
	return result.Source{ID: p.ID, Version: p.Version, SHA256: evidence.Digest(hex.EncodeToString(sum[:]))}
}
