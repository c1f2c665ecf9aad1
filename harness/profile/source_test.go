package profile

import (
	"errors"
	"strings"
	"testing"
)

// sound is a profile as people write it.
const sound = `id: demo
title: A demonstration
version: "1"
source:
  document: A document
  date: 2024-09
verified:
  status: unverified
  source: memory
features:
  radio: Does it have a radio?
requirements:
  - id: "1-1"
    level: mandatory
    text: It is sound.
    applies_if:
      - radio
    checks:
      - check: a.b
        can: refute
    cases:
      - id: 1-1-1
        checks:
          - {check: a.c, can: support, with: {n: 2}}
    manual: Look at it
  - id: "1-2"
    level: recommended
    text: It looks sound.
    accepts: [inspected]
    manual: >-
      Look at it
      from afar
`

// A mistake is shown where it stands, to the column.
func TestPlaces(t *testing.T) {
	tests := []struct {
		name, old, new string
		line, column   int
	}{
		{"key", "title: A", "titel: A", 2, 1},
		{"value", `version: "1"`, "version: 1.0", 3, 10},
		{"nested_key", "  document: A", "  documnt: A", 5, 3},
		{"date", "date: 2024-09", "date: 2024-13", 6, 9},
		{"status", "status: unverified", "status: maybe", 8, 11},
		{"feature", "  radio: Does", "  Radio: Does", 11, 10},
		{"requirement_id", `- id: "1-1"`, `- id: "1 1"`, 13, 9},
		{"level", "level: mandatory", "level: must", 14, 12},
		{"condition", "      - radio", "      - radios", 17, 9},
		{"check", "check: a.b", "check: a.bb", 19, 16},
		{"power", "can: refute", "can: refuse", 20, 14},
		{"case", "      - id: 1-1-1\n        checks:", "      - id: 1-1-1\n        check:", 23, 9},
		{"check_of_a_case", "check: a.c", "check: c.c", 24, 21},
		{"parameter", "with: {n: 2}", "with: {n: two}", 24, 46},
		{"basis", "accepts: [inspected]", "accepts: [seen]", 29, 15},
		{"missing_key", "    text: It looks sound.\n", "", 26, 5},
		{"folded_text", "from afar", "from \u202eafar", 30, 13},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := strings.Replace(sound, tt.old, tt.new, 1)
			if in == sound {
				t.Fatalf("the profile does not hold %q", tt.old)
			}
			_, err := Parse("x.yaml", []byte(in), known())
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Line != tt.line || e.Column != tt.column {
				t.Errorf("error = %v, want line %d, column %d", err, tt.line, tt.column)
			}
		})
	}
}

func TestSoundProfile(t *testing.T) {
	p, err := Parse("x.yaml", []byte(sound), known())
	if err != nil {
		t.Fatal(err)
	}
	if p.Requirements[1].Manual != "Look at it from afar" || p.Source.Date != "2024-09" {
		t.Errorf("profile = %+v", p)
	}
	if found := Lint(p, known(), Facts{}); len(found) > 0 {
		t.Errorf("found %q", found)
	}
}

func TestFind(t *testing.T) {
	p, err := Parse("x.yaml", []byte(sound), known())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		path []any
		line int
	}{
		{"nothing", nil, 1},
		{"key", []any{"title"}, 2},
		{"nested", []any{"source", "date"}, 6},
		{"element", []any{"requirements", 1, "level"}, 27},
		{"deep", []any{"requirements", 0, "cases", 0, "checks", 0, "with", "n"}, 24},
		{"no_such_key", []any{"source", "author"}, 5},
		{"no_such_element", []any{"requirements", 7}, 13},
		{"one_too_far", []any{"requirements", 2}, 13},
		{"key_of_a_list", []any{"requirements", "id"}, 13},
		{"element_of_a_mapping", []any{"source", 0}, 5},
		{"below_a_value", []any{"title", "x", 3}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := p.doc.find(tt.path).Line; got != tt.line {
				t.Errorf("line %d, want %d", got, tt.line)
			}
		})
	}
}

// Windows line ends and a byte order mark change no place.
func TestLineEnds(t *testing.T) {
	in := strings.ReplaceAll(strings.Replace(sound, "can: refute", "can: refuse", 1), "\n", "\r\n")
	_, err := Parse("x.yaml", []byte(in), known())
	if e, ok := errors.AsType[*Error](err); !ok || e.Line != 20 {
		t.Errorf("error = %v", err)
	}
	if _, err := Parse("x.yaml", []byte("\ufeff"+sound), known()); err != nil {
		t.Errorf("byte order mark: %v", err)
	}
}

// What an error shows is short, and holds no half of a character.
func TestLongErrors(t *testing.T) {
	for _, name := range []string{strings.Repeat("k", 9000), strings.Repeat("é", 9000)} {
		_, err := Parse("x.yaml", []byte("id: p\n\""+name+"\": 1\n"), known())
		if err == nil || len(err.Error()) > maxSentence+100 || strings.ContainsRune(err.Error(), '\uFFFD') {
			t.Errorf("error = %v", err)
		}
	}
}

func TestFacesOfWrongValues(t *testing.T) {
	for in, want := range map[string]string{
		"id: 7":              "here is a number; want a text",
		"id: 1e9":            "here is a number",
		"id: true":           `here is "true"; want a text`,
		"id: ~":              "an empty value",
		`id: ""`:             "an empty value",
		"id: {a: b}":         "here are keys with values; want a text",
		"source: d":          `here is "d"; want the keys date, document`,
		"source: ~":          "here is nothing; want the keys",
		"source:":            "here is nothing; want the keys",
		"requirements: {}":   "here are keys with values; want a list",
		"features: [a]":      "here is a list; want keys with values",
		"features: {a: [b]}": "here is a list; want a text",
	} {
		if _, err := Parse("x.yaml", []byte(in), known()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}

func TestLongestText(t *testing.T) {
	for n, ok := range map[int]bool{maxText: true, maxText + 1: false} {
		in := strings.Replace(sound, "It is sound.", strings.Repeat("x", n), 1)
		if _, err := Parse("x.yaml", []byte(in), known()); (err == nil) != ok {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
