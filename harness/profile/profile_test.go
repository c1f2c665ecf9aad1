package profile

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// head begins a profile; requirements follow from line 5 on.
const head = "{id: p, title: t, version: '1', source: {document: d}, verified: {status: verified, source: s},\n" +
	"features: {f: 'Is there an f?', g: 'Is there a g?'},\n" +
	"issuer: i,\n" +
	"requirements: [\n"

func basis(name string, b verdict.Basis) probe.Any {
	return &probe.Probe[struct{}]{Name: name, Basis: b}
}

type params struct {
	N int `yaml:"n"`
}

type inspection struct {
	Question  string `yaml:"question"`
	Provision string `yaml:"provision"`
	Declared  bool   `yaml:"declared"`
}

// known are checks as profiles see them: names, parameters and what their
// evidence rests on.
func known() map[string]check.Check {
	net, file := basis("net", verdict.Tested), basis("file", verdict.Declared)
	return map[string]check.Check{
		"a.b":       {ID: "a.b", Needs: []probe.Any{net}},
		"a.c":       {ID: "a.c", Needs: []probe.Any{net, file}, Params: params{3}},
		"a.said":    {ID: "a.said", Needs: []probe.Any{file}},
		Inspection:  {ID: Inspection, Needs: []probe.Any{basis("answers", verdict.Inspected), file}, Params: inspection{}},
		Consistency: {ID: Consistency, Needs: []probe.Any{net, file}},
	}
}

// parse reads a profile of the given requirements and fails the test if it is
// refused.
func parse(t *testing.T, requirements string) *Profile {
	t.Helper()
	p, err := Parse("p.yaml", []byte(head+requirements+"]}"), known())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	p := parse(t, `{id: 5.3-4A, level: mandatory, text: x, applies_if: [f, not g], manual: Look, topics: [a], alternatives: [other],
		checks: [{check: a.c, with: {n: 5}, can: refute}]},
		{id: S1.1(2), level: recommended, text: y, accepts: [declared], verified: {status: unverified, source: memory},
		cases: [{id: c-1, checks: [{check: a.b, can: decide, advisory: true}]}]}`)
	first, second := p.Requirements[0], p.Requirements[1]
	if first.Verified.String() != "verified: s" || second.Verified.String() != "unverified: memory" {
		t.Errorf("verified = %q, %q", first.Verified, second.Verified)
	}
	if len(first.Accepts) != 2 || len(second.Accepts) != 1 {
		t.Errorf("accepts = %q, %q", first.Accepts, second.Accepts)
	}
	want := []string{`a.c{"n":5}`, `inspection.requirement-met{"declared":false,"provision":"5.3-4A","question":"p:5.3-4A"}`}
	for i, m := range first.Mappings() {
		if m.Key() != want[i] {
			t.Errorf("mapping %d = %s, want %s", i, m.Key(), want[i])
		}
	}
	if m := second.Mappings(); len(m) != 1 || !m[0].Advisory || second.Question() != "" {
		t.Errorf("mappings of the second = %+v", m)
	}
	if id := p.Identity(); id.ID != "p" || id.Version != "1" || len(id.SHA256) != 64 {
		t.Errorf("identity = %+v", id)
	}
	if got := string(p.Raw()); !strings.HasPrefix(got, "{id: p") {
		t.Errorf("raw = %q", got)
	}
}

// A manual line decides unless a check does.
func TestManualLine(t *testing.T) {
	tests := []struct {
		name, requirement, want string
		declared                bool
	}{
		{"alone", "manual: Look", "p:r", false},
		{"declared_too", "manual: Look, accepts: [inspected, declared]", "p:r", true},
		{"beside_a_refuting_check", "manual: Look, checks: [{check: a.b, can: refute}]", "p:r", false},
		{"beside_a_deciding_check", "manual: Look, checks: [{check: a.b, can: decide}]", "", false},
		{"beside_a_deciding_case", "manual: Look, cases: [{id: c, checks: [{check: a.b, can: decide}]}]", "", false},
		{"none", "checks: [{check: a.b, can: refute}]", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := parse(t, "{id: r, level: mandatory, text: x, "+tt.requirement+"}").Requirements[0]
			all := r.Mappings()
			last := all[len(all)-1]
			if r.Question() != tt.want || (last.Check == Inspection) != (tt.want != "") {
				t.Errorf("question = %q, last mapping = %+v", r.Question(), last)
			}
			if last.Check == Inspection && (last.With["declared"] != tt.declared || last.Can != verdict.Decide) {
				t.Errorf("mapping = %+v", last)
			}
		})
	}
}

func TestMappingsOfAProfile(t *testing.T) {
	p := parse(t, `{id: r, level: mandatory, text: x, checks: [{check: a.b, can: decide}, {check: a.c, can: refute}]},
		{id: s, level: mandatory, text: y, manual: Look, checks: [{check: a.b, can: refute}, {check: a.c, with: {n: 1}, can: refute}, {check: declaration.consistent-with-evidence, can: refute}]}`)
	if m := p.Mappings()[0]; m.Can != verdict.Support {
		t.Errorf("what bears on no requirement can %s", m.Can)
	}
	var keys []string
	for _, m := range p.Mappings() {
		keys = append(keys, m.Key())
	}
	want := Consistency + ` a.b a.c a.c{"n":1} inspection.requirement-met{"declared":false,"provision":"s","question":"p:s"}`
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("mappings = %s, want %s", got, want)
	}
}

func TestLoad(t *testing.T) {
	files := fstest.MapFS{
		"p.yaml":   {Data: []byte(head + "{id: r, level: mandatory, text: x, manual: y}]}")},
		"big.yaml": {Data: []byte(strings.Repeat("#", 2*maxBytes))},
	}
	if p, err := Load(files, "p.yaml", known()); err != nil || p.ID != "p" {
		t.Errorf("profile = %+v, %v", p, err)
	}
	for name, want := range map[string]string{"big.yaml": "more than", "none.yaml": "opening profile"} {
		if _, err := Load(files, name, known()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// What "profile show" prints is a contract.
func TestProfileAsJSON(t *testing.T) {
	b, err := json.Marshal(parse(t, "{id: r, level: mandatory, text: x, applies_if: [f], manual: y}").Requirements[0])
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(b, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range strings.Fields("id level text applies_if accepts checks cases manual verified") {
		if keys[key] == nil {
			t.Errorf("no %q in %s", key, b)
		}
	}
}

func TestIdentityFollowsTheBytes(t *testing.T) {
	ids := map[result.Source]bool{}
	for _, text := range []string{"x", "z"} {
		ids[parse(t, "{id: r, level: mandatory, text: "+text+", manual: y}").Identity()] = true
	}
	if len(ids) != 2 {
		t.Errorf("identities = %v", ids)
	}
}
