package profile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/verdict"
)

// Names in a profile become parts of questions, keys of device files and cells
// of reports. None may hold ":", which parts a profile from its requirement.
var (
	profileID     = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,79}$`)
	requirementID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.()+/_-]{0,39}$`)
	featureName   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// validator looks for the first mistake in a profile.
type validator struct {
	*Profile
	known map[string]check.Check
}

func (p *Profile) validate(known map[string]check.Check) error {
	v := validator{p, known}
	if err := v.head(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, r := range p.Requirements {
		path := []any{"requirements", i}
		if err := v.requirement(path, r); err != nil {
			return err
		}
		if seen[r.ID] {
			return p.doc.at(under(path, "id"), "requirement %q appears twice; remove one", r.ID)
		}
		seen[r.ID] = true
	}
	return nil
}

// under returns the path of what lies below path.
func under(path []any, steps ...any) []any { return slices.Concat(path, steps) }

func (v validator) head() error {
	for _, need := range []struct{ key, value string }{
		{"id", v.ID}, {"title", v.Title}, {"version", v.Version}, {"source", v.Source.Document},
	} {
		if need.value == "" {
			return v.doc.at([]any{need.key}, "the profile lacks %q; add it", need.key)
		}
	}
	if !profileID.MatchString(v.ID) {
		return v.doc.at([]any{"id"}, "id %q; use small letters, digits, dots and hyphens", v.ID)
	}
	if err := v.dates(); err != nil {
		return err
	}
	if v.Verified != (Verified{}) {
		if err := v.verified(nil, v.Verified); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.Features)) {
		if !featureName.MatchString(name) {
			return v.doc.at([]any{"features", name}, "feature %q; use small letters, digits and hyphens", name)
		}
	}
	if len(v.Requirements) == 0 {
		return v.doc.at([]any{"requirements"}, "the profile lacks requirements; add one")
	}
	return nil
}

func (v validator) dates() error {
	for _, d := range []struct {
		date Date
		path []any
	}{{v.Source.Date, []any{"source", "date"}}, {v.InForce, []any{"in_force"}}, {v.Until, []any{"until"}}} {
		if err := d.date.check(); err != nil {
			return v.doc.at(d.path, "%v", err)
		}
	}
	return nil
}

func (d Date) check() error {
	if d == "" {
		return nil
	}
	for _, layout := range []string{"2006", "2006-01", "2006-01-02"} {
		if _, err := time.Parse(layout, string(d)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%q is no date; write YYYY, YYYY-MM or YYYY-MM-DD", d)
}

func (v validator) requirement(path []any, r Requirement) error {
	switch {
	case !requirementID.MatchString(r.ID):
		return v.doc.at(under(path, "id"), "requirement id %q; write the source's number, without spaces or colons", r.ID)
	case r.Level != Mandatory && r.Level != Recommended:
		return v.doc.at(under(path, "level"), "requirement %q: level is %q, want %q or %q", r.ID, r.Level, Mandatory, Recommended)
	case r.Text == "":
		return v.doc.at(path, "requirement %q lacks %q; say in your own words what it asks for", r.ID, "text")
	case len(r.Checks)+len(r.Cases) == 0 && r.Manual == "":
		return v.doc.at(path, "requirement %q has neither checks nor a manual line; add one", r.ID)
	}
	if err := v.verified(path, r.Verified); err != nil {
		return err
	}
	if err := v.conditions(path, r); err != nil {
		return err
	}
	return v.mappings(path, r)
}

func (v validator) verified(path []any, is Verified) error {
	switch {
	case is.Status != IsVerified && is.Status != Unverified:
		return v.doc.at(under(path, "verified", "status"), "verified status is %q, want %q or %q", is.Status, IsVerified, Unverified)
	case is.Source == "":
		return v.doc.at(under(path, "verified"), "verified lacks %q; name the copy that was read", "source")
	}
	return nil
}

func (v validator) conditions(path []any, r Requirement) error {
	for i, entry := range r.AppliesIf {
		name, _ := feature(entry)
		if v.Features[name] == "" {
			return v.doc.at(under(path, "applies_if", i), "requirement %q: applies_if %q is not among the features; %s",
				r.ID, entry, orAdd(nearest(name, slices.Collect(maps.Keys(v.Features)))))
		}
		if slices.Contains(r.AppliesIf[:i], entry) {
			return v.doc.at(under(path, "applies_if", i), "requirement %q: applies_if %q appears twice; remove one", r.ID, entry)
		}
	}
	for i, b := range r.Accepts {
		if !b.Valid() {
			return v.doc.at(under(path, "accepts", i), "requirement %q: accepts %q, want %q, %q or %q",
				r.ID, b, verdict.Tested, verdict.Inspected, verdict.Declared)
		}
	}
	return nil
}

func (v validator) mappings(path []any, r Requirement) error {
	for i, m := range r.Checks {
		if err := v.mapping(under(path, "checks", i), r, m); err != nil {
			return err
		}
	}
	for i, c := range r.Cases {
		at := under(path, "cases", i)
		if c.ID == "" || len(c.Checks) == 0 {
			return v.doc.at(at, "requirement %q: a case lacks its id or its checks; add them", r.ID)
		}
		for j, m := range c.Checks {
			if err := v.mapping(under(at, "checks", j), r, m); err != nil {
				return err
			}
		}
	}
	if m := r.inspection; m.Check != "" {
		return v.mapping(under(path, "manual"), r, m)
	}
	return nil
}

func (v validator) mapping(path []any, r Requirement, m Mapping) error {
	c, ok := v.known[m.Check]
	switch {
	case !ok:
		return v.doc.at(under(path, "check"), "no check has the ID %q; %s", m.Check, orAdd(nearest(m.Check, slices.Collect(maps.Keys(v.known)))))
	case !m.Can.Valid():
		return v.doc.at(under(path, "can"), "check %q: can is %q, want %q, %q or %q", m.Check, m.Can, verdict.Decide, verdict.Refute, verdict.Support)
	case m.Advisory && r.Level == Mandatory:
		return v.doc.at(under(path, "advisory"), "check %q: an advisory cannot fail a mandatory requirement; remove advisory", m.Check)
	}
	if err := c.Takes(m.With); err != nil {
		return v.doc.at(under(path, "with"), "%s; see what the check takes", oneLine(err))
	}
	return nil
}

// innerLine is what the YAML reader adds: it counts the lines of the parameters
// alone.
var innerLine = regexp.MustCompile(`\byaml: unmarshal errors: |\bline \d+: `)

// oneLine returns the text of err without line breaks and inner line numbers.
func oneLine(err error) string {
	return innerLine.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), "")
}

// orAdd says what to do about a name that nothing has.
func orAdd(near string) string {
	if near == "" {
		return "remove it, or add what it names"
	}
	return fmt.Sprintf("did you mean %q?", near)
}
