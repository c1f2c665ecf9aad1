package profile

import (
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
)

// An ICS is what the manufacturer declares about applicability and support.
// What it does not mention is unknown.
type ICS struct {
	Features   map[string]evidence.Tri
	Provisions map[string]evidence.Tri // supported, by requirement ID
}

// absent begins an entry of AppliesIf about a feature that must not exist.
const absent = "not "

// feature returns the feature that an entry of AppliesIf names and the answer
// that it asks for.
func feature(entry string) (name string, want evidence.Tri) {
	if name, ok := strings.CutPrefix(entry, absent); ok {
		return name, evidence.No
	}
	return entry, evidence.Yes
}

// holds says whether an entry of AppliesIf holds under ics.
func (ics ICS) holds(entry string) evidence.Tri {
	name, want := feature(entry)
	switch ics.Features[name] {
	case evidence.Unknown:
		return evidence.Unknown
	case want:
		return evidence.Yes
	}
	return evidence.No
}

// applies says whether r applies: all entries must hold, and one that does not
// is enough whatever the others are.
func (r Requirement) applies(ics ICS) evidence.Tri {
	t := evidence.Yes
	for _, entry := range r.AppliesIf {
		switch ics.holds(entry) {
		case evidence.No:
			return evidence.No
		case evidence.Unknown:
			t = evidence.Unknown
		}
	}
	return t
}

// answers lists the features of the entries that hold as t says, each with its
// answer.
func (r Requirement) answers(ics ICS, t evidence.Tri) string {
	var names []string
	for _, entry := range r.AppliesIf {
		if ics.holds(entry) != t {
			continue
		}
		name, _ := feature(entry)
		if a := ics.Features[name]; a != evidence.Unknown {
			name += ": " + a.String()
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
