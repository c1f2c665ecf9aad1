package profile

import "slices"

// maxWord bounds the words that distance compares, in bytes: no name that
// could have been meant is longer, and a hostile file could hold one that is.
const maxWord = 80

// distance counts the letters to insert, remove or change that turn a into b.
// Words too long to compare are as far apart as they are long.
func distance(a, b string) int {
	if len(a) > maxWord || len(b) > maxWord {
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// nearest returns the name that is closest to what was written, or nothing if
// none is close.
func nearest(written string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	near := slices.MinFunc(names, func(a, b string) int { return distance(written, a) - distance(written, b) })
	if distance(written, near) > max(2, len(near)/2) {
		return ""
	}
	return near
}
