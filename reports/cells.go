package reports

import (
	"slices"
	"strings"
)

// wide are the ranges that take two cells of a terminal: East Asian Width W and
// F of Unicode 14, with the blocks of pictographs taken whole. Counting a cell
// too many breaks a line early, one too few would overrun it.
var wide = [][2]rune{
	{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x23f0, 0x23f0}, {0x23f3, 0x23f3},
	{0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2648, 0x2653}, {0x267f, 0x267f}, {0x2693, 0x2693}, {0x26a1, 0x26a1},
	{0x26aa, 0x26ab}, {0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26ce, 0x26ce}, {0x26d4, 0x26d4}, {0x26ea, 0x26ea},
	{0x26f2, 0x26f3}, {0x26f5, 0x26f5}, {0x26fa, 0x26fa}, {0x26fd, 0x26fd}, {0x2705, 0x2705}, {0x270a, 0x270b},
	{0x2728, 0x2728}, {0x274c, 0x274c}, {0x274e, 0x274e}, {0x2753, 0x2755}, {0x2757, 0x2757}, {0x2795, 0x2797},
	{0x27b0, 0x27b0}, {0x27bf, 0x27bf}, {0x2b1b, 0x2b1c}, {0x2b50, 0x2b50}, {0x2b55, 0x2b55}, {0x2e80, 0x303e},
	{0x3041, 0x4dbf}, {0x4e00, 0xa4c6}, {0xa960, 0xa97c}, {0xac00, 0xd7a3}, {0xf900, 0xfad9}, {0xfe10, 0xfe6b},
	{0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x1b2fb}, {0x1f000, 0x1f64f}, {0x1f680, 0x1f6ff},
	{0x1f7e0, 0x1f7f0}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
}

// runeCells returns how many cells of a terminal r takes.
func runeCells(r rune) int {
	switch {
	case r < wide[0][0] && !isMark(r):
		return 1
	case isMark(r):
		return 0
	}
	_, found := slices.BinarySearchFunc(wide, r, func(span [2]rune, r rune) int {
		switch {
		case span[1] < r:
			return -1
		case span[0] > r:
			return 1
		}
		return 0
	})
	if found {
		return 2
	}
	return 1
}

// cells returns how many cells s takes.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

// pad fills s with spaces to width cells.
func pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-cells(s))) }

// wrap breaks s into lines of at most width cells, between words where it can.
// It returns one line at least.
func wrap(s string, width int) []string {
	lines, at := []string{""}, 0
	for _, word := range strings.Fields(s) {
		need := cells(word)
		if at > 0 && at+1+need > width {
			lines, at = append(lines, ""), 0
		}
		if at > 0 {
			lines[len(lines)-1] += " "
		}
		parts := split(word, width)
		lines[len(lines)-1] += parts[0]
		lines = append(lines, parts[1:]...)
		at = cells(lines[len(lines)-1])
	}
	return lines
}

// split breaks a word that is wider than a line.
func split(word string, width int) []string {
	parts, at := []string{}, 0
	start := 0
	for i, r := range word {
		n := runeCells(r)
		if at+n > width && at > 0 {
			parts, start, at = append(parts, word[start:i]), i, 0
		}
		at += n
	}
	return append(parts, word[start:])
}
