package probe

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
)

type count struct {
	N int `json:"n"`
}

// diary notes what a procedure does, and can refuse a step.
type diary struct {
	lines  []string
	refuse string
}

func (d *diary) Before(_, _, step string) error {
	if step == d.refuse {
		return errors.New("disk full")
	}
	d.note("before", step)
	return nil
}

func (d *diary) Done(_, _, step string, _ json.RawMessage) error { d.note("done", step); return nil }

func (d *diary) Undone(_, _, step string) error { d.note("undone", step); return nil }

func (d *diary) note(what, step string) { d.lines = append(d.lines, what+" "+step) }

func (d *diary) step(name string, err error) Step {
	note := func(what string, err error) func(context.Context) error {
		return func(ctx context.Context) error {
			d.note(what, name)
			return errors.Join(err, ctx.Err())
		}
	}
	return Step{Name: name, Effect: Disruptive, Do: note("do", err), Undo: note("undo", nil)}
}

const undoBoth = "undo b, undone b, undo a, undone a"

func TestProcedure(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name, want, missing string
		refuse              string
		fail                error
		effect              Effect
	}{
		{"all", "before a, do a, done a, before b, do b, done b, " + undoBoth, "", "", nil, Disruptive},
		{"step_fails", "before a, do a, undo a, undone a", `step "a", step "b"`, "", boom, Disruptive},
		{"no_journal_no_step", "before a, do a, done a, undo a, undone a", `step "b"`, "b", nil, Disruptive},
		{"too_strong", "", `step "a", step "b"`, "", nil, Intrusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &diary{refuse: tt.refuse}
			p := &Probe[count]{Name: "p", Effect: tt.effect, Steps: func(_ Input, e *count) []Step {
				e.N = 7
				return []Step{d.step("a", tt.fail), d.step("b", nil)}
			}}
			end, err := p.Begin(t.Context(), Input{Journal: d})
			if err != nil {
				t.Fatal(err)
			}
			data, err := end(t.Context())
			if got := strings.Join(d.lines, ", "); got != tt.want || string(data) != `{"n":7}` {
				t.Errorf("lines = %s, want %s; data = %s", got, tt.want, data)
			}
			if got := missing(err); got != tt.missing {
				t.Errorf("missing = %s, want %s", got, tt.missing)
			}
		})
	}
}

func missing(err error) string {
	if partial, ok := errors.AsType[*Partial](err); ok {
		return strings.Join(partial.Missing, ", ")
	}
	return ""
}

// Wherever a run is killed, what was done is not done again, and what was begun
// is undone once.
func TestProcedureResumes(t *testing.T) {
	shown := errors.New("not there")
	tests := []struct {
		name     string
		progress Progress
		verify   error
		want     string
		missing  string
	}{
		{"before_anything", Progress{}, shown, "before a, do a, verify a, undo a, undone a", `step "a", step "b"`},
		{"in_the_first_step", Progress{Begun: []string{"a"}}, nil, "verify a, done a, before b, do b, verify b, done b, " + undoBoth, ""},
		{"in_the_first_step_not_done", Progress{Begun: []string{"a"}}, shown, "verify a, before a, do a, verify a, undo a, undone a", `step "a", step "b"`},
		{"between_the_steps", Progress{Begun: []string{"a"}, Finished: []string{"a"}}, nil, "before b, do b, verify b, done b, " + undoBoth, ""},
		{"before_undoing", Progress{Begun: []string{"a", "b"}, Finished: []string{"a", "b"}}, nil, undoBoth, ""},
		{"while_undoing", Progress{Begun: []string{"a", "b"}, Finished: []string{"a", "b"}, Undone: []string{"b"}}, nil, "undo a, undone a", ""},
		{"undoing_after_a_failure", Progress{Begun: []string{"a", "b"}, Finished: []string{"a"}, Undone: []string{"b"}}, nil, "undo a, undone a", `step "b"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &diary{}
			p := &Probe[count]{Name: "p", Effect: Disruptive, Steps: func(Input, *count) []Step {
				steps := []Step{d.step("a", nil), d.step("b", nil)}
				for i := range steps {
					steps[i].Verify = func(context.Context) error { d.note("verify", steps[i].Name); return tt.verify }
				}
				return steps
			}}
			tt.progress.Evidence = json.RawMessage(`{"n":5}`)
			end, err := p.Begin(t.Context(), Input{Journal: d, Resume: tt.progress})
			if err != nil {
				t.Fatal(err)
			}
			data, err := end(t.Context())
			if got := strings.Join(d.lines, ", "); got != tt.want || string(data) != `{"n":5}` {
				t.Errorf("lines = %s, want %s; data = %s", got, tt.want, data)
			}
			if got := missing(err); got != tt.missing {
				t.Errorf("missing = %s, want %s", got, tt.missing)
			}
		})
	}
}

func TestProcedureIsUndoneAfterCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	undone := errors.New("not undone")
	s := Step{Name: "a", Do: func(context.Context) error { cancel(); return nil },
		Undo: func(ctx context.Context) error { undone = ctx.Err(); return nil }}
	save := func() (json.RawMessage, error) { return nil, nil }
	err := follow(ctx, Input{Journal: &diary{}}, Info{}, []Step{s, {Name: "b"}}, save)
	if undone != nil || !isPartial(err) {
		t.Errorf("undo saw %v; err = %v", undone, err)
	}
}

func TestEachKeepsTheOthers(t *testing.T) {
	var addrs []netip.AddrPort
	for port := range uint16(4) {
		addrs = append(addrs, netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port+1))
	}
	ctx, cancel := context.WithCancel(t.Context())
	got, err := Each(ctx, addrs, func(a netip.AddrPort) (int, error) {
		switch a.Port() {
		case 1:
			return 0, errors.New("no buffer space")
		case 2:
			cancel()
		}
		return int(a.Port()), nil
	})
	partial, _ := errors.AsType[*Partial](err)
	if !slices.Equal(got, []int{2}) || !slices.Equal(partial.Missing, []string{"tcp/192.0.2.1:1", "tcp/192.0.2.1:3 and 1 after it"}) {
		t.Errorf("got %v, missing %q", got, partial.Missing)
	}
}

func TestOpenUpgrades(t *testing.T) {
	p := &Probe[count]{Name: "p", Version: 2}
	old := evidence.Record{Version: 1, Data: json.RawMessage(`{}`)}
	if _, err := p.Open(old); err == nil {
		t.Error("read an old record without an upgrade")
	}
	p.Upgrade = func(int, json.RawMessage) (json.RawMessage, error) { return json.RawMessage(`{"n":3}`), nil }
	page, err := p.Open(old)
	if err != nil || page.Value != (count{3}) || string(page.Data) != `{"n":3}` {
		t.Errorf("page = %+v, %v", page, err)
	}
	if _, err := p.Open(evidence.Record{Version: 3, Data: old.Data}); err == nil {
		t.Error("read a newer record")
	}
}

type said struct {
	Answer evidence.Bytes   `json:"answer"`
	More   []evidence.Bytes `json:"more"`
}

// What a device echoes of a secret never reaches a record.
func TestSecretsAreMaskedBeforeTheyAreWritten(t *testing.T) {
	e := said{Answer: []byte("you said canary"), More: []evidence.Bytes{[]byte("canary")}}
	p := &Probe[said]{Name: "p", Run: func(context.Context, Input) (said, error) { return e, nil }}
	mask := func(b []byte) { copy(b[max(0, strings.Index(string(b), "canary")):], "******") }
	end, err := p.Begin(t.Context(), Input{Mask: mask})
	if err != nil {
		t.Fatal(err)
	}
	data, err := end(t.Context())
	if err != nil || strings.Contains(string(data), "canary") || !strings.Contains(string(data), "you said ******") {
		t.Errorf("data = %s, %v", data, err)
	}
	if string(e.Answer) != "you said canary" {
		t.Error("the probe's own copy was changed")
	}
}
