package result

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/verdict"
)

// object is a part of the schema, or of a result, read without types.
type object = map[string]any

func parse(t require.TestingT, b []byte) object {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	return v.(object)
}

// compile returns the shipped schema or, if sealed, one that refuses members
// that it does not list: what we write ourselves must all be described.
func compile(t *testing.T, sealed bool) *jsonschema.Schema {
	t.Helper()
	schema := parse(t, JSONSchema)
	if sealed {
		seal(schema)
		for _, def := range schema["$defs"].(object) {
			seal(def.(object))
		}
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("urn:assay:result:1", schema))
	compiled, err := c.Compile("urn:assay:result:1")
	require.NoError(t, err)
	return compiled
}

func seal(def object) {
	if def["properties"] != nil {
		def["additionalProperties"] = false
	}
}

func TestSchemaIsOfItsDraft(t *testing.T) {
	schema := parse(t, JSONSchema)
	require.Equal(t, "https://json-schema.org/draft/2020-12/schema", schema["$schema"])
	require.NoError(t, jsonschema.NewCompiler().AddResource("urn:x", schema))
	require.Equal(t, Schema, schema["properties"].(object)["schema"].(object)["const"])
}

// Every field of the Go types is in the schema with its JSON type, required
// unless it may be left out, and with a word about it; and the schema has no
// other members.
func TestSchemaFollowsTheTypes(t *testing.T) {
	schema := parse(t, JSONSchema)
	w := walker{defs: schema["$defs"].(object), used: map[string]bool{}}
	w.structure(reflect.TypeFor[Result](), schema)
	require.Empty(t, w.wrong)
	for name := range w.defs {
		require.True(t, w.used[name], "nothing refers to %q", name)
	}
}

// The walk sees what it is there for.
func TestSchemaWalkFindsDifferences(t *testing.T) {
	tests := []struct {
		name   string
		change func(unit object)
		want   string
	}{
		{"field_missing", func(u object) { delete(u["properties"].(object), "serial") }, "serial is not in the schema"},
		{"field_added", func(u object) { u["properties"].(object)["colour"] = object{"type": "string"} }, "colour is only in the schema"},
		{"other_type", func(u object) { u["properties"].(object)["serial"] = object{"type": "integer", "description": "x"} }, "serial has type integer, want string"},
		{"no_word_about_it", func(u object) { u["properties"].(object)["serial"] = object{"type": "string"} }, "serial has no description"},
		{"not_required", func(u object) { u["required"] = []any{"unit"} }, "serial: required is false, want true"},
		{"list_of_other_type", func(u object) { u["properties"].(object)["identity"].(object)["items"] = object{"type": "integer"} }, "identity[] has type integer, want string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			schema := parse(t, JSONSchema)
			defs := schema["$defs"].(object)
			tt.change(defs["unit"].(object))
			w := walker{defs: defs, used: map[string]bool{}}
			w.structure(reflect.TypeFor[Result](), schema)
			require.Contains(t, strings.Join(w.wrong, "\n"), tt.want)
		})
	}
}

func TestSchemaAcceptsWhatWeWrite(t *testing.T) {
	schema := compile(t, true)
	rapid.Check(t, func(t *rapid.T) {
		b, err := Encode(results.Draw(t, "result"))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(parse(t, b)))
	})
}

func TestSchemaRefuses(t *testing.T) {
	schema := compile(t, false)
	first := func(list string) func(object) object {
		return func(r object) object { return r[list].([]any)[0].(object) }
	}
	item := func(r object) object { return first("decisions")(r)["items"].([]any)[0].(object) }
	whole := func(r object) object { return r }
	tests := []struct {
		name   string
		part   func(object) object
		member string
		value  any
	}{
		{"other_format", whole, "schema", "assay-result/2"},
		{"rule1_verdict_in_capitals", item, "verdict", "PASS"},
		{"rule1_empty_verdict", first("verdicts"), "verdict", ""},
		{"rule1_pass_without_reference", item, "refs", []any{}},
		{"rule1_null_list", whole, "defects", nil},
		{"rule7_pass_without_basis", first("decisions"), "basis", nil},
		{"rule7_unknown_basis", first("requirements"), "basis", "hearsay"},
		{"rule9_pass_without_items", first("decisions"), "items", []any{}},
		{"rule9_fail_from_passes", first("decisions"), "verdict", "fail"},
		{"rule9_inconclusive_from_passes", first("decisions"), "verdict", "inconclusive"},
		{"rule9_not_applicable_from_passes", first("decisions"), "verdict", "not_applicable"},
		{"rule12_inconclusive_requirement_without_next", first("requirements"), "verdict", "inconclusive"},
		{"rule12_inconclusive_item_without_next", item, "verdict", "inconclusive"},
		{"text_without_words", item, "why", object{"text": "", "template": ""}},
		{"text_as_string", item, "why", "it answered"},
		{"local_time", first("records"), "started", "2026-03-01T12:00:00+01:00"},
		{"no_time", first("records"), "started", "yesterday Z"},
		{"digest_in_capitals", first("records"), "sha256", strings.Repeat("A", 64)},
		{"failed_without_reason", first("records"), "status", "failed"},
		{"unknown_status", first("records"), "status", "ok"},
		{"negative_count", func(r object) object { return first("verdicts")(r)["counts"].(object) }, "fail", -1},
	}
	b, err := Encode(sound)
	require.NoError(t, err)
	require.NoError(t, schema.Validate(parse(t, b)), "the result that is spoilt must be sound")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := parse(t, b)
			tt.part(r)[tt.member] = tt.value
			require.Error(t, schema.Validate(r))
			delete(tt.part(r), tt.member)
			require.Error(t, schema.Validate(r), "left out")
		})
	}
}

// An older copy of the schema accepts a newer result.
func TestSchemaTakesAdditions(t *testing.T) {
	b, err := Encode(sound)
	require.NoError(t, err)
	r := parse(t, b)
	r["added"] = object{"later": true}
	r["run"].(object)["added"] = 1
	require.NoError(t, compile(t, false).Validate(r))
	require.Error(t, compile(t, true).Validate(r))
}

func TestEncode(t *testing.T) {
	in := Result{Decisions: []Decision{{Check: "a.b"}}}
	b, err := Encode(in)
	require.NoError(t, err)
	require.NotContains(t, string(b), "null")
	require.Nil(t, in.Decisions[0].Items, "the caller's lists stay as they are")
	var back Result
	require.NoError(t, json.Unmarshal(b, &back))
	again, err := Encode(back)
	require.NoError(t, err)
	require.Equal(t, string(b), string(again))
	_, err = Encode(Result{Run: Run{ID: "r", Clock: Clock{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}}})
	require.ErrorContains(t, err, `encoding result of run "r"`)
}

// walker compares Go types with the schema.
type walker struct {
	defs  object
	used  map[string]bool
	wrong []string
}

func (w *walker) structure(t reflect.Type, schema object) {
	props, required := schema["properties"].(object), schema["required"].([]any)
	listed := map[string]bool{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		listed[name] = true
		prop, ok := props[name].(object)
		if !ok {
			w.wrong = append(w.wrong, name+" is not in the schema")
			continue
		}
		if prop["description"] == nil {
			w.wrong = append(w.wrong, name+" has no description")
		}
		if got, want := slices.Contains(required, any(name)), options == ""; got != want {
			w.wrong = append(w.wrong, name+": required is "+boolText(got)+", want "+boolText(want))
		}
		w.value(f.Type, prop, name)
	}
	for name := range props {
		if !listed[name] {
			w.wrong = append(w.wrong, name+" is only in the schema")
		}
	}
}

func boolText(b bool) string { return map[bool]string{true: "true", false: "false"}[b] }

// value compares the type of one member, and what is in it.
func (w *walker) value(t reflect.Type, schema object, path string) {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/$defs/")
		schema = w.defs[name].(object)
		if w.used[name] {
			return
		}
		w.used[name] = true
	}
	got, want := jsonType(schema), goType(t)
	if got != want {
		w.wrong = append(w.wrong, path+" has type "+got+", want "+want)
		return
	}
	switch {
	case want == "array":
		w.value(t.Elem(), schema["items"].(object), path+"[]")
	case t == reflect.TypeFor[msg.Text]():
		w.structure(reflect.TypeFor[storedText](), schema)
	case want == "object" && t.Kind() == reflect.Struct:
		w.structure(t, schema)
	}
}

// storedText is what msg.Text writes.
type storedText struct {
	Text     string            `json:"text"`
	Template string            `json:"template"`
	Args     map[string]string `json:"args,omitempty"`
}

func jsonType(schema object) string {
	if schema["enum"] != nil || schema["const"] != nil {
		return "string"
	}
	name, _ := schema["type"].(string)
	return name
}

func goType(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time](), t == reflect.TypeFor[evidence.Tri](), t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Slice:
		return "array"
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "object"
	}
	return "integer"
}

// sound is a result in which everything passed.
var sound = Result{
	Schema: Schema,
	Run: Run{
		Profiles: []Source{{ID: "p"}}, Deviations: []Deviation{{What: msg.T("a short list of ports")}},
	},
	Units:    []Unit{{Unit: evidence.DUT, Role: "under test"}},
	Verdicts: []Profile{{Profile: "p", Verdict: verdict.Pass, Consistency: verdict.Pass}},
	Decisions: []Decision{{
		Check: "a.b", Title: msg.T("It holds"), Verdict: verdict.Pass, Basis: verdict.Tested,
		Items: []Item{{
			Unit: evidence.DUT, Verdict: verdict.Pass, Why: msg.T("seen"),
			Refs: []evidence.Ref{{Unit: evidence.DUT, Probe: "q", Pointer: "/x"}},
		}},
	}},
	Requirements: []Requirement{{
		Profile: "p", ID: "1", Level: "mandatory", Applicable: evidence.Yes,
		Verdict: verdict.Pass, Basis: verdict.Tested, Why: msg.T("passed"), Checks: []string{"a.b"},
	}},
	Records: []Record{{Seq: 1, Unit: evidence.DUT, Probe: "q", Version: 1, Status: evidence.Collected, Effect: "passive"}},
	Defects: []Defect{},
}
