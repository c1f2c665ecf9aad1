package profile

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/assay-iot/assay/harness/verdict"
)

// Facts is what is known, apart from any profile, of the power of evidence.
type Facts struct {
	rows   map[[2]string]fact // by profile and requirement
	atMost map[string]limit   // by check
}

// fact is what evidence can do for one requirement.
type fact struct {
	codes    []string // kinds of evidence; only those that end in "=" decide
	deciders []string // checks that decide, all of them together
}

// limit is the most that a check can do for any requirement, and why.
type limit struct {
	can verdict.Power
	why string
}

// ParseFacts reads the two tables: "profile,requirement,codes,decide", where a
// list is parted by spaces, and "check,at_most,why".
func ParseFacts(codes, powers []byte) (Facts, error) {
	f := Facts{map[[2]string]fact{}, map[string]limit{}}
	rows, err := table(codes, "profile", "requirement", "codes", "decide")
	if err != nil {
		return f, fmt.Errorf("reading evidence codes: %w", err)
	}
	for _, r := range rows {
		at := [2]string{r[0], r[1]}
		if _, twice := f.rows[at]; twice {
			return f, fmt.Errorf("reading evidence codes: %q appears twice", at)
		}
		f.rows[at] = fact{strings.Fields(r[2]), strings.Fields(r[3])}
		if len(f.rows[at].deciders) > 0 && !f.rows[at].decidable() {
			return f, fmt.Errorf("reading evidence codes: %q names deciding checks, and its codes %q decide nothing", at, r[2])
		}
	}
	rows, err = table(powers, "check", "at_most", "why")
	if err != nil {
		return f, fmt.Errorf("reading powers of checks: %w", err)
	}
	for _, r := range rows {
		can := verdict.Power(r[1])
		if !can.Valid() || r[2] == "" {
			return f, fmt.Errorf("reading powers of checks: %q has the power %q because of %q", r[0], r[1], r[2])
		}
		f.atMost[r[0]] = limit{can, r[2]}
	}
	return f, nil
}

// table reads a CSV file that begins with the given names of columns.
func table(b []byte, columns ...string) ([][]string, error) {
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = len(columns)
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	if want := strings.Join(columns, ","); len(rows) == 0 || strings.Join(rows[0], ",") != want {
		return nil, fmt.Errorf("the first line is not %q", want)
	}
	return rows[1:], nil
}

// decidable says whether some kind of evidence decides.
func (f fact) decidable() bool {
	for _, c := range f.codes {
		if strings.HasSuffix(c, "=") {
			return true
		}
	}
	return false
}
