package reports

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPlain(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"letters_of_the_world", "é 門鎖 قفل дверь", "é 門鎖 قفل дверь"},
		{"backslash_stays", `\xff`, `\xff`},
		{"line_ends", "a\r\nb", `a\r\nb`},
		{"escape", "\x1b[2J", `\x1b[2J`},
		{"bidi", "a\u202eb", `a\u202eb`},
		{"tag", "\U000e0041", `\U000e0041`},
		{"bad_bytes", "\xffa\xc3", `\xffa\xc3`},
		{"replacement_character", "\ufffd", "\ufffd"},
		{"accent", "e\u0301", "e\u0301"},
		{"accent_on_nothing", "\u0301e", `\u0301e`},
		{"accent_on_a_blank", "e \u0301", `e \u0301`},
		{"accents_piled_up", "e\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\\u0301\\u0301"},
		{"accent_after_escape", "\n\u0301", `\n\u0301`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, plain(tt.in)) })
	}
}

func TestPlainSaysHowMuchItLeavesOut(t *testing.T) {
	require.Equal(t, strings.Repeat("a", maxShown), plain(strings.Repeat("a", maxShown)))
	long := plain(strings.Repeat("a", maxShown+1))
	require.LessOrEqual(t, len(long), maxShown)
	require.True(t, strings.HasSuffix(long, "aaa... (+41 bytes)"), long[len(long)-40:])
	// four letters for each byte, so that a quarter fits
	require.Contains(t, plain(strings.Repeat("\xff", maxShown)), `\xff... (+15`)
}

// draws are texts with many of the runes that matter.
var draws = rapid.OneOf(
	rapid.String(),
	rapid.StringOf(rapid.SampledFrom([]rune("a \\\n\x1b\u0301\u202e\U000e0041門|`<&\ufffd"))),
	rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	rapid.Map(rapid.StringN(1, 3, -1), func(s string) string { return strings.Repeat(s, 1500) }),
)

func TestPlainTwiceIsPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draws.Draw(t, "text")
		once := plain(s)
		require.Equal(t, once, plain(once))
		require.LessOrEqual(t, len(once), maxShown)
		require.NotContains(t, once, "\n")
	})
}

func TestCut(t *testing.T) {
	require.Equal(t, "abc", cut("abc", 512))
	require.Equal(t, strings.Repeat("a", 472)+"... (+41 bytes)", cut(strings.Repeat("a", 513), 512))
	require.Equal(t, strings.Repeat("門", 157)+"... (+129 bytes)", cut(strings.Repeat("門", 200), 512), "not inside of a character")
	rapid.Check(t, func(t *rapid.T) {
		s := draws.Draw(t, "text")
		once := cut(s, 100)
		require.LessOrEqual(t, len(once), 100)
		require.Equal(t, once, cut(once, 100))
	})
}

func TestMarkup(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"bar", "a|b", `a\|b`},
		{"bar_after_backslash", `a\|b`, `a\\\|b`},
		{"html", "<b>&amp;", "&lt;b&gt;&amp;amp;"},
		{"link", "[x](http://e)", `\[x\](http:\//e)`},
		{"bare_link", "www.e", `www\.e`},
		{"code", "`x`", "\\`x\\`"},
		{"line_end", "a\nb", `a\\nb`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, markup(tt.in)) })
	}
}

func TestEncodedKeepsTheValue(t *testing.T) {
	require.Equal(t, `"\u202e\udb40\udc41\u007fé"`, string(encoded([]byte("\"\u202e\U000e0041\x7fé\""))))
	rapid.Check(t, func(t *rapid.T) {
		in, err := json.Marshal(draws.Draw(t, "text"))
		require.NoError(t, err)
		var want, got string
		require.NoError(t, json.Unmarshal(in, &want))
		require.NoError(t, json.Unmarshal(encoded(in), &got))
		require.Equal(t, want, got)
	})
}
