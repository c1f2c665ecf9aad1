// Package defaults is the list of log-ins that devices are known to leave the
// factory with. A list can only refute: that none of its pairs was let in does
// not show that passwords are unique.
package defaults

import (
	"bytes"
	_ "embed" // for the list
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
)

// Version names the list in evidence. It rises with every change of the file.
const Version = 2

//go:embed pairs.csv
var pairs []byte

// A Pair is one log-in and where it is known from.
type Pair struct {
	Service  string // protocol, as the services probe names it
	Vendor   string // empty if it is nobody's in particular
	User     string
	Password string
	Source   string
}

// For returns the pairs of a service, those of the vendor first, otherwise in
// the order of the file.
func For(service, vendor string) ([]Pair, error) {
	all, err := read(pairs)
	if err != nil {
		return nil, err
	}
	own := func(p Pair) bool { return p.Vendor != "" && strings.EqualFold(p.Vendor, vendor) }
	list := slices.DeleteFunc(all, func(p Pair) bool { return p.Service != service })
	slices.SortStableFunc(list, func(a, b Pair) int {
		switch {
		case own(a) && !own(b):
			return -1
		case own(b) && !own(a):
			return 1
		}
		return 0
	})
	return list, nil
}

// read reads a list. Each pair needs a service, a user and a source.
func read(b []byte) ([]Pair, error) {
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("list of default log-ins: %w", err)
	}
	if len(rows) == 0 || strings.Join(rows[0], ",") != "service,vendor,user,password,source" {
		return nil, fmt.Errorf("list of default log-ins: no heading")
	}
	var list []Pair
	for i, row := range rows[1:] {
		p := Pair{row[0], row[1], row[2], row[3], row[4]}
		if p.Service == "" || p.User == "" || p.Source == "" {
			return nil, fmt.Errorf("list of default log-ins, line %d: needs a service, a user and a source", i+2)
		}
		list = append(list, p)
	}
	return list, nil
}
