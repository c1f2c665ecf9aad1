package profile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// one is a profile of one requirement, which begins in line 5.
func one(requirement string) string { return head + "{id: r, level: mandatory, " + requirement + "}]}" }

func mapping(m string) string { return one("text: x, checks: [\n" + m + "]") }

// bomb doubles an alias in every line.
func bomb() string {
	var b strings.Builder
	b.WriteString("id: &a0 [x, x]\n")
	for i := range 40 {
		fmt.Fprintf(&b, "k%d: &a%d [*a%d, *a%d]\n", i, i+1, i, i)
	}
	return b.String()
}

// Every bad file is refused at once, with its place and what to do.
func TestBadFiles(t *testing.T) {
	tests := []struct {
		name, in string
		line     int
		want     string
	}{
		{"empty", "", 1, "the file is empty"},
		{"only_comments", "# nothing\n", 1, "the file is empty"},
		{"a_list", "- id: p\n", 1, "here is a list; want the keys"},
		{"a_word", "profile\n", 1, `here is "profile"; want the keys`},
		{"no_yaml", "id: p\ntitle: [\n", 2, "this is not YAML"},
		{"tabs", "id: p\nsource:\n\tdocument: d\n", 3, "this is not YAML"},
		{"no_utf8", "id: p\ntitle: \xff\n", 2, "byte 0xff is no UTF-8"},
		{"control_character", "id: p\ntitle: a\x1b[31m\n", 2, "control character U+001B"},
		{
			name: "escaped_control_character",
			in:   "id: p\ntitle: \"a\\e[31m\"\n",
			line: 2,
			want: "character U+001B cannot be shown",
		},
		{"text_direction", "id: p\ntitle: \"a\\u202Eb\"\n", 2, "character U+202E cannot be shown"},
		{"alias_bomb", bomb(), 1, `anchor "a0"`},
		{"alias_bomb_as_value", "id: p\nfeatures:\n  a: &a x\n  b: *a\n", 3, `anchor "a"; remove it`},
		{"alias_of_nothing", "id: p\ntitle: *t\n", 2, `alias "t"; write the value out`},
		{"merge_key", "id: p\n<<: {title: t}\n", 2, `unknown key "<<"`},
		{"tag", "id: p\ntitle: !!binary aGVsbG8=\n", 2, "tag"},
		{"code_tag", "id: p\ntitle: !go/exec x\n", 2, `tag "!go/exec"; remove it`},
		{
			name: "deep",
			in:   "id: p\ntitle: " + strings.Repeat("[", 50) + strings.Repeat("]", 50),
			line: 2,
			want: "nested deeper than 12",
		},
		{"very_deep", "id: p\ntitle: " + strings.Repeat("[", 60_000), 2, "this is not YAML"},
		{"very_long", strings.Repeat("a", maxBytes+1), 1, "more than 65536 bytes"},
		{
			name: "many_keys",
			in:   "id: p\n" + strings.Repeat("aaaaaaaaaaaaaaaaaaaaaaaaa: 1\n", 2_000),
			line: 3,
			want: "appears twice",
		},
		{"long_key", "id: p\n? " + strings.Repeat("k", 60_000) + "\n: 1\n", 2, "unknown key"},
		{"long_text", "id: p\ntitle: " + strings.Repeat("t", 3000), 2, "more than 2000 bytes"},
		{"second_document", one("text: x, manual: y") + "\n---\nid: q\n", 6, "a second YAML document"},
		{"broken_second_document", one("text: x, manual: y") + "\n---\n[\n", 7, "this is not YAML"},
		{"duplicate_key", "id: p\ntitle: t\nid: q\n", 3, `key "id" appears twice, first in line 1`},
		{"duplicate_feature", "id: p\nfeatures:\n  f: x\n  f: y\n", 4, `key "f" appears twice`},
		{"list_as_key", "id: p\n? [a]\n: b\n", 2, "a key is a list"},
		{"unknown_key", "id: p\ntitel: t\n", 2, `unknown key "titel"; did you mean "title"?`},
		{"unlike_any_key", "id: p\nxylophone_of_doom: t\n", 2, "known are features, id, in_force"},
		{
			name: "unknown_key_of_a_mapping",
			in:   mapping("{check: a.b, can: decide, whit: {}}"),
			line: 6,
			want: `did you mean "with"?`,
		},
		{"overlays", "id: p\noverlays: []\n", 2, "overlays are not supported yet"},
		{
			name: "waivers",
			in:   one("text: x, manual: y,\nwaivers: [{reason: z}]"),
			line: 6,
			want: "waivers are not supported yet",
		},
		{
			name: "number_as_text",
			in:   "id: p\nversion: 3.1\n",
			line: 2,
			want: "here is a number; want a text: write it in quotes",
		},
		{
			name: "huge_number",
			in:   mapping("{check: a.c, can: refute, with: {n: 99999999999999999999999999}}"),
			line: 6,
			want: "check",
		},
		{"list_as_text", "id: [p]\n", 1, "here is a list; want a text"},
		{"text_as_list", one("text: x, manual: y, applies_if: f"), 5, `here is "f"; want a list: [a, b]`},
		{"text_as_mapping", "id: p\nfeatures: f\n", 2, "want keys with values"},
		{"no_value", "id: p\ntitle:\n", 2, "an empty value; give one, or remove the key"},
		{"word_as_bool", mapping("{check: a.b, can: decide, advisory: maybe}"), 6, "want true or false"},
		{
			name: "with_is_a_list",
			in:   mapping("{check: a.c, can: decide, with: [n]}"),
			line: 6,
			want: "want the check's parameters",
		},
		{"no_id", "title: t\n", 1, `the profile lacks "id"; add it`},
		{"no_source", "id: p\ntitle: t\nversion: v\n", 1, `the profile lacks "source"`},
		{
			name: "bad_id",
			in:   "id: P 1\ntitle: t\nversion: v\nsource: {document: d}\n",
			line: 1,
			want: `id "P 1"; use small letters`,
		},
		{
			name: "bad_date",
			in:   "id: p\ntitle: t\nversion: v\nsource: {document: d, date: May 2024}\n",
			line: 4,
			want: `"May 2024" is no date; write YYYY`,
		},
		{
			name: "bad_feature",
			in:   "id: p\ntitle: t\nversion: v\nsource: {document: d}\nfeatures:\n  Not f: x\n",
			line: 6,
			want: `feature "Not f"; use small letters`,
		},
		{
			name: "no_requirements",
			in:   "id: p\ntitle: t\nversion: v\nsource: {document: d}\n",
			line: 1,
			want: "lacks requirements",
		},
		{
			name: "bad_requirement_id",
			in:   head + "{id: 'a:b', level: mandatory, text: x, manual: y}]}",
			line: 5,
			want: `requirement id "a:b"`,
		},
		{
			name: "level",
			in:   head + "{id: r,\nlevel: must, text: x, manual: y}]}",
			line: 6,
			want: `level is "must", want "mandatory" or "recommended"`,
		},
		{"no_text", one("manual: y"), 5, `lacks "text"`},
		{"neither", one("text: x"), 5, "neither checks nor a manual line"},
		{
			name: "not_verified",
			in:   strings.Replace(one("text: x, manual: y"), "status: verified", "status: certain", 1),
			line: 1,
			want: `verified status is "certain"`,
		},
		{
			name: "verified_nowhere",
			in:   one("text: x, manual: y, verified: {status: verified}"),
			line: 5,
			want: `verified lacks "source"`,
		},
		{
			name: "unknown_feature",
			in:   one("text: x, manual: y, applies_if: [f,\nfff]"),
			line: 6,
			want: `applies_if "fff" is not among the features; did you mean "f"?`,
		},
		{
			name: "unknown_absent_feature",
			in:   one("text: x, manual: y, applies_if: [not wireless]"),
			line: 5,
			want: `"not wireless" is not among the features; remove it`,
		},
		{"feature_twice", one("text: x, manual: y, applies_if: [f, f]"), 5, "appears twice"},
		{
			name: "basis",
			in:   one("text: x, manual: y, accepts: [tested,\nhearsay]"),
			line: 6,
			want: `accepts "hearsay", want "tested", "inspected" or "declared"`,
		},
		{
			name: "requirement_twice",
			in:   one("text: x, manual: y},\n{id: r, level: mandatory, text: z, manual: y"),
			line: 6,
			want: `requirement "r" appears twice`,
		},
		{
			name: "unknown_check",
			in:   mapping("{check: a.bb, can: decide}"),
			line: 6,
			want: `no check has the ID "a.bb"; did you mean "a.b"?`,
		},
		{
			name: "no_power",
			in:   mapping("{check: a.b}"),
			line: 6,
			want: `check "a.b": can is "", want "decide", "refute" or "support"`,
		},
		{"unknown_power", mapping("{check: a.b,\ncan: prove}"), 7, `check "a.b": can is "prove"`},
		{
			name: "advisory",
			in:   mapping("{check: a.b, can: decide, advisory: true}"),
			line: 6,
			want: "an advisory cannot fail a mandatory requirement",
		},
		{
			name: "no_parameters",
			in:   mapping("{check: a.b, can: decide, with: {n: 1}}"),
			line: 6,
			want: `check "a.b" has no parameters`,
		},
		{"unknown_parameter", mapping("{check: a.c, can: decide, with: {m: 1}}"), 6, "field m not found"},
		{
			name: "wrong_parameter",
			in:   mapping("{check: a.c, can: decide,\nwith: {n: many}}"),
			line: 7,
			want: "cannot unmarshal",
		},
		{
			name: "case_without_checks",
			in:   one("text: x, cases: [\n{id: c}]"),
			line: 6,
			want: "a case lacks its id or its checks",
		},
		{
			name: "case_with_unknown_check",
			in:   one("text: x, cases: [{id: c, checks: [\n{check: b.a, can: decide}]}]"),
			line: 6,
			want: `no check has the ID "b.a"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("x.yaml", []byte(tt.in), known())
			if took := time.Since(start); took > time.Second {
				t.Errorf("took %s", took)
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Line != tt.line || e.Column < 1 || !strings.Contains(e.What, tt.want) {
				t.Fatalf("error = %v, want line %d and %q", err, tt.line, tt.want)
			}
			if strings.ContainsAny(e.Error(), "\n\x1b") || len(e.Error()) > maxSentence+100 {
				t.Errorf("error cannot be shown: %.200q", e.Error())
			}
			if prefix := fmt.Sprintf("profile \"x.yaml\", line %d, column %d: ", e.Line, e.Column); !strings.HasPrefix(e.Error(), prefix) {
				t.Errorf("error = %.100s, want %s", e, prefix)
			}
		})
	}
}

// What the YAML reader is slowest at is refused in time too.
func TestSlowFiles(t *testing.T) {
	for _, tt := range [][2]string{{"x: [a,\n", "[a, b], "}, {"", "a: #x\n"}, {"x:\n ", "a: #x\n"}, {"", "a:\n#\n"}, {"[", "{? "}, {"", "- #\n"}} {
		in := tt[0] + strings.Repeat(tt[1], (maxBytes-len(tt[0]))/len(tt[1]))
		start := time.Now()
		_, err := Parse("x.yaml", []byte(in), known())
		if took := time.Since(start); err == nil || took > time.Second {
			t.Errorf("%q and many %q: %v after %s", tt[0], tt[1], err, took)
		}
	}
}

// Without the check that manual lines stand for, they would decide nothing.
func TestManualLineNeedsItsCheck(t *testing.T) {
	checks := known()
	delete(checks, Inspection)
	if _, err := Parse("x.yaml", []byte(one("text: x,\nmanual: y")), checks); err == nil || !strings.Contains(err.Error(), `line 6`) {
		t.Errorf("error = %v", err)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"title", "titel", 2}, {"with", "whit", 2}, {"abc", "axc", 1}, {"abc", "abcd", 1}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	long := strings.Repeat("a", maxWord)
	for _, tt := range []struct {
		written string
		names   []string
		want    string
	}{
		{"x", nil, ""}, {"titel", []string{"level", "title"}, "title"}, {"zzzzz", []string{"level", "title"}, ""},
		{"b", []string{"c", "a"}, "a"}, {long + "b", []string{long}, ""}, {long[1:] + "b", []string{long}, long},
	} {
		if got := nearest(tt.written, tt.names); got != tt.want {
			t.Errorf("nearest(%q) = %q, want %q", tt.written, got, tt.want)
		}
	}
	if got := distance(long+"a", "a"); got != maxWord+2 {
		t.Errorf("words too long to compare are %d apart", got)
	}
}

// Whatever the bytes, reading ends in a profile or in an error with a place.
func FuzzParse(f *testing.F) {
	f.Add([]byte(one("text: x, manual: y, applies_if: [not f]")))
	f.Add([]byte(mapping("{check: a.c, can: refute, with: {n: 2}}")))
	f.Add([]byte(bomb()))
	checks := known()
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse("x.yaml", b, checks)
		if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Line < 1 || e.What == "") {
			t.Fatalf("error without a place: %v", err)
		}
		if err != nil {
			return
		}
		if requirements, defects := p.Judge(ICS{}, Decisions{}); len(requirements) != len(p.Requirements) || len(defects) == 0 {
			t.Errorf("%d requirements, %d defects", len(requirements), len(defects))
		}
	})
}
