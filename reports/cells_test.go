package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCells(t *testing.T) {
	tests := []struct {
		in   string
		want int
	}{
		{"", 0}, {"abc", 3}, {"é", 1}, {"e\u0301", 1}, {"門鎖", 4}, {"ｆ", 2}, {"한", 2}, {"カ", 2}, {"ﾊ", 1}, {"قفل", 3}, {"🔒", 2}, {"…", 1}, {"→", 1},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, cells(tt.in), tt.in)
	}
}

// The search in wide needs its order.
func TestWideIsInOrder(t *testing.T) {
	require.True(t, slices.IsSortedFunc(wide, func(a, b [2]rune) int { return int(a[0] - b[0]) }))
	for i, span := range wide {
		require.LessOrEqual(t, span[0], span[1])
		require.True(t, i == 0 || wide[i-1][1] < span[0])
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", []string{""}},
		{"fits", "one two", []string{"one two"}},
		{"between_words", "one two three", []string{"one two", "three"}},
		{"blanks", "  one   two ", []string{"one two"}},
		{"long_word", "abcdefghijklmnop", []string{"abcdefgh", "ijklmnop"}},
		{"long_word_last", "a abcdefghij k", []string{"a", "abcdefgh", "ij k"}},
		{"wide", "門鎖門鎖門", []string{"門鎖門鎖", "門"}},
		{"wide_across", "a門鎖門鎖", []string{"a門鎖門", "鎖"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, wrap(tt.in, 8)) })
	}
}

func TestWrapLosesNothingAndOverrunsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, width := plain(draws.Draw(t, "text")), rapid.IntRange(2, 90).Draw(t, "width")
		lines := wrap(s, width)
		for _, line := range lines {
			require.LessOrEqual(t, cells(line), width)
		}
		bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		require.Equal(t, bare(s), bare(strings.Join(lines, "")))
	})
}

func TestPad(t *testing.T) {
	require.Equal(t, "門  ", pad("門", 4))
	require.Equal(t, "door", pad("door", 2))
}
