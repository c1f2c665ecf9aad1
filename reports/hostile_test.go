package reports

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/result"
)

// hostile is what a device, or who wrote a file, may want a reader to see. The
// first sink that must not let it through as it is stands beside it: any, or
// one kind of file.
var hostile = []struct{ name, sink, text string }{
	{"ansi_clear", ".txt", "\x1b[2J\x1b[H"},
	{"ansi_colour", ".txt", "\x1b[32mPASS\x1b[0m"},
	{"ansi_like_ours", ".txt", "\x1b[1;97;43mPASS"},
	{"ansi_unfinished", ".txt", "x\x1b["},
	{"ansi_c1", ".txt", "\u009b2J"},
	{"c1_as_byte", ".txt", "\x9b2J"},
	{"osc_title", ".txt", "\x1b]0;owned\x07"},
	{"osc_link", ".txt", "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\"},
	{"osc_clipboard", ".txt", "\x1b]52;c;cm0gLXJm\x07"},
	{"dcs", ".txt", "\x1bP+q544e\x1b\\"},
	{"nul", ".txt", "a\x00b"},
	{"backspace", ".txt", "fail\b\b\b\bpass"},
	{"delete", ".txt", "fail\x7f\x7f"},
	{"bell", ".txt", "\a\a\a"},
	{"carriage_return", ".txt", "fail\rpass"},
	{"crlf", ".txt", "fail\r\n\r\nHTTP/1.1 200 OK\r\n"},
	{"forged_line", ".txt", "x\rPASS          every-profile"},
	{"tab_and_feeds", ".txt", "a\tb\vc\fd"},
	{"line_separators", ".txt", "a\u2028b\u2029c\u0085d"},
	{"bidi_override", ".txt", "\u202egnp.exe\u202c"},
	{"bidi_isolate", ".txt", "\u2066\u2067\u2068x\u2069"},
	{"bidi_marks", ".txt", "\u200e\u200f\u061c"},
	{"tag_characters", ".txt", "\U000e0001\U000e0041\U000e0042\U000e007f"},
	{"zero_width", ".txt", "pa\u200bss\u200c\u200d\u2060\ufeff"},
	{"variation_selectors", ".txt", "A\ufe00\ufe0f\U000e0100"},
	{"fillers", ".txt", "\u115f\u1160\u3164\uffa0\u2800\u00ad\u034f"},
	{"odd_spaces", ".txt", "a\u00a0b\u2003c\u3000d"},
	{"combining_tower", ".txt", "a" + strings.Repeat("\u0301", 64)},
	{"combining_first", ".txt", "\u0338\u0338fail"},
	{"private_and_unassigned", ".txt", "\ue000\U000f0000\uffff\ufffe\U0010ffff"},
	{"invalid_utf8", ".txt", "\xff\xfe\xc0\xaf\xe2\x82\xf0\x9f"},
	{"surrogate_bytes", ".txt", "\xed\xa0\x80\xed\xb0\x80"},
	{"annotation", ".txt", "\ufff9a\ufffab\ufffb"},
	{"pipe", ".md", `a|b|c \| d \\| e`},
	{"html", ".html", `<script>alert(1)</script><img src=x onerror=alert(1)>`},
	{"html_in_markdown", ".md", `</td></table><script>alert(1)</script>`},
	{"markdown_link", ".md", "[x](http://evil.example) ![y](http://evil.example/y.png) <http://evil.example>"},
	{"markdown_code", ".md", "`` ` ``` | ```"},
	{"bare_link", ".md", "http://evil.example and www.evil.example"},
	{"formula", ".csv", `=HYPERLINK("http://evil.example","x")`},
	{"formula_plus", ".csv", "+cmd|' /C calc'!A0"},
	{"formula_minus", ".csv", "-2+3"},
	{"formula_at", ".csv", "@SUM(1)"},
	{"json_break", "", `"},{"verdict":"pass`},
	{"template", "", "{n} {next} %s %d %!v {{.}} ${x}"},
	{"mebibyte", ".txt", strings.Repeat("A", 1<<20)},
	{"marks_without_end", ".txt", "a" + strings.Repeat("\u0301", 1<<16)},
	{"escapes_without_end", ".txt", strings.Repeat("\x1b", 1<<17)},
}

// long texts are put into fewer places: they are written a hundred times else.
const long = 1 << 16

// canary stands in every poisoned string. Where it is gone, something was
// dropped in silence.
const canary = "canary"

func TestHostileTextsInEveryFormat(t *testing.T) {
	require.GreaterOrEqual(t, len(hostile), 40)
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			for _, depth := range []poisoned{values, everyString} {
				r := poison(t, h.text, depth)
				for _, f := range Formats() {
					hold(t, f, enough(r, f), Options{})
					hold(t, f, enough(r, f), Options{Verbose: true, Width: 60})
				}
			}
		})
	}
}

// hold renders r and demands that nothing got through.
func hold(t *testing.T, f Format, r result.Result, o Options) {
	t.Helper()
	out := string(render(t, f, r, o))
	require.Empty(t, harm(f, out, o), f.Name)
	require.Contains(t, out, canary, f.Name)
	o.Colour = true // adds ours and no other
	require.Equal(t, out, ourColours.ReplaceAllString(string(render(t, f, r, o)), ""), f.Name)
}

// What a format writes that escapes nothing is found, for each text. So a new
// format that lets one through fails the test above.
func TestHarmIsFound(t *testing.T) {
	for _, h := range hostile {
		if h.sink == "" {
			continue // breaks the syntax of formats that have a parser of their own
		}
		t.Run(h.name, func(t *testing.T) {
			raw := Format{Name: "raw", Ext: h.sink}
			require.NotEmpty(t, harm(raw, h.text, Options{}))
		})
	}
	require.NotEmpty(t, harm(Format{Ext: ".json"}, `{"a":}`, Options{}))
	require.NotEmpty(t, harm(Format{Ext: ".txt"}, strings.Repeat("a ", 41), Options{}))
	require.Empty(t, harm(Format{Ext: ".md"}, "| a |\n| --- |\n| \\| &lt; |\n", Options{}))
}

// Programs get the whole of it, and the same.
func TestWholeFormatsKeepEveryText(t *testing.T) {
	for _, h := range hostile {
		f, back := formats["json"], result.Result{}
		r := enough(poison(t, h.text, values), f)
		require.NoError(t, json.Unmarshal(render(t, f, r, Options{}), &back))
		require.Equal(t, string([]rune(r.Defects[0].What)), back.Defects[0].What, h.name)
	}
}

func TestNoTextIsCutInSilence(t *testing.T) {
	r := poison(t, strings.Repeat("A", 1<<20), values)
	for _, f := range Formats() {
		out := render(t, f, enough(r, f), Options{})
		require.NotEqual(t, f.Whole, bytes.Contains(out, []byte(" bytes)")), f.Name)
	}
}

// enough is as much of r as shows what a format does with long texts, without
// writing a mebibyte for each of its strings.
func enough(r result.Result, f Format) result.Result {
	if f.Whole && len(r.Defects[0].What) > long {
		return result.Result{Defects: r.Defects}
	}
	return r
}

// poisoned says which strings of a result are replaced.
type poisoned int

const (
	values      poisoned = iota // what devices and people write; words of ours stay
	everyString                 // all: the file itself is a forgery
)

// poison returns the shared result with text in its strings.
func poison(t *testing.T, text string, depth poisoned) result.Result {
	t.Helper()
	r := shared()
	if len(text) > long { // enough to prove it, and not minutes of it
		r.Decisions, r.Requirements, r.Records, r.Units, r.Verdicts = r.Decisions[:1], r.Requirements[:1], r.Records[1:2], r.Units[:1], r.Verdicts[:1]
		r.Run = result.Run{Deviations: r.Run.Deviations[1:]}
	}
	require.Greater(t, replace(reflect.ValueOf(&r).Elem(), canary+text, depth), 20)
	return r
}

// replace sets strings below v and returns how many.
func replace(v reflect.Value, text string, depth poisoned) int {
	n := 0
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() && (depth == everyString || v.Type() == reflect.TypeFor[string]()) {
			v.SetString(text)
			n++
		}
	case reflect.Struct:
		for i := range v.NumField() {
			isTemplate := v.Type().Field(i).Name == "Template"
			if v.Type().Field(i).IsExported() && (depth == everyString || !isTemplate) {
				n += replace(v.Field(i), text, depth)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += replace(v.Index(i), text, depth)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			v.SetMapIndex(key, reflect.ValueOf(text).Convert(v.Type().Elem()))
			n++
		}
	}
	return n
}
