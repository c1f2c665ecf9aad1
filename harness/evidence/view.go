package evidence

import (
	"encoding/json"
	"fmt"
	"maps"
)

// A View is the evidence of one unit that a check or a probe declared, and
// nothing else.
type View struct {
	Unit  string
	pages map[string]Page
}

// A Page is what one probe brought back. The zero Page is a probe that was
// declared and brought nothing.
type Page struct {
	Value any             // decoded
	Data  json.RawMessage // what pointers point into
}

// NewView returns a view of a unit's pages, keyed by probe name.
func NewView(unit string, pages map[string]Page) View { return View{unit, pages} }

// Value returns the evidence of the named probe, nil if it brought none. It
// panics if the probe was not declared: that is a mistake in the program.
func (v View) Value(probe string) any {
	page, ok := v.pages[probe]
	if !ok {
		panic(fmt.Sprintf("evidence of probe %q is read but not declared", probe))
	}
	return page.Value
}

// A Ref points at the field that a decision rests on.
type Ref struct {
	Unit    string `json:"unit"`
	Probe   string `json:"probe"`
	Pointer string `json:"pointer"` // JSON Pointer (RFC 6901) into the record's data
}

// Resolve reports whether r points at a field of v.
func (v View) Resolve(r Ref) error {
	page, ok := v.pages[r.Probe]
	if !ok || page.Value == nil || r.Unit != v.Unit {
		return fmt.Errorf("unit %q has no evidence of probe %q to cite", r.Unit, r.Probe)
	}
	if _, err := At(page.Data, r.Pointer); err != nil {
		return fmt.Errorf("into probe %q: %w", r.Probe, err)
	}
	return nil
}

// Without returns v as it would be had the named probes brought nothing.
func (v View) Without(probes []string) View {
	pages := maps.Clone(v.pages)
	for _, name := range probes {
		pages[name] = Page{}
	}
	return View{v.Unit, pages}
}
