package device

import (
	"maps"
	"reflect"
	"slices"
)

// keysOf returns the keys that a file can set in t, by name.
func keysOf(t reflect.Type) []string { return slices.Sorted(maps.Keys(fieldsByKey(t))) }

// nearest returns the known name that is most like name, or nothing if none is
// like it.
func nearest(name string, known []string) string {
	best, least := "", (len(name)+2)/3+1
	for _, k := range known {
		if d := distance(name, k, least); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace to make b of a
// (Levenshtein). Names that differ more in length than limit are not compared.
func distance(a, b string, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
