package probe

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/evidence"
)

type ratio struct {
	Of float64 `json:"of"`
}

// An error means that there is no evidence; a partial keeps it; evidence that
// cannot be written is an error of its own.
func TestRule1WhatComesOfARun(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name string
		of   float64
		err  error
		data string
		want string
	}{
		{"collected", 2, nil, `{"of":2}`, ""},
		{"failed", 2, boom, "", "boom"},
		{"partial", 2, &Partial{Missing: []string{"x"}, Cause: boom}, `{"of":2}`, "not seen: x: boom"},
		{"not_writable", math.NaN(), nil, "", `writing evidence of probe "p"`},
		{"partial_and_not_writable", math.NaN(), &Partial{Missing: []string{"x"}, Cause: boom}, "", `writing evidence of probe "p"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &Probe[ratio]{Name: "p", Run: func(context.Context, Input) (ratio, error) { return ratio{tt.of}, tt.err }}
			end, err := p.Begin(t.Context(), Input{})
			if err != nil {
				t.Fatal(err)
			}
			data, err := end(t.Context())
			if string(data) != tt.data || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("data = %s, err = %v; want %s, %q", data, err, tt.data, tt.want)
			}
		})
	}
}

func TestWatchThatDoesNotBeginHasNoEvidence(t *testing.T) {
	boom := errors.New("boom")
	p := &Probe[count]{Name: "p", Watch: func(context.Context, Input) (func(context.Context) (count, error), error) { return nil, boom }}
	if end, err := p.Begin(t.Context(), Input{}); end != nil || !errors.Is(err, boom) {
		t.Errorf("Begin = %t, %v", end != nil, err)
	}
}

// Exactly one of the three functions makes a kind.
func TestKind(t *testing.T) {
	run := func(context.Context, Input) (e count, err error) { return }
	watch := func(context.Context, Input) (func(context.Context) (count, error), error) { return nil, nil }
	steps := func(Input, *count) []Step { return nil }
	tests := []struct {
		name string
		p    Probe[count]
		want Kind
	}{
		{"none", Probe[count]{}, 0},
		{"run", Probe[count]{Run: run}, Run},
		{"watch", Probe[count]{Watch: watch}, Watch},
		{"procedure", Probe[count]{Steps: steps}, Procedure},
		{"run_and_watch", Probe[count]{Run: run, Watch: watch}, 0},
		{"watch_and_steps", Probe[count]{Watch: watch, Steps: steps}, 0},
		{"all", Probe[count]{Run: run, Watch: watch, Steps: steps}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 20 { // the order of a map must not matter
				if got := tt.p.Info().Kind; got != tt.want {
					t.Fatalf("kind = %d, want %d", got, tt.want)
				}
			}
		})
	}
}

func TestEvidenceInAView(t *testing.T) {
	p, absent := &Probe[count]{Name: "p"}, &Probe[count]{Name: "absent"}
	v := evidence.NewView(evidence.DUT, map[string]evidence.Page{"p": {Value: count{3}}, "absent": {}})
	if e, ok := p.Get(v); !ok || e.N != 3 || p.From(v).N != 3 {
		t.Errorf("Get = %+v, %t", e, ok)
	}
	if e, ok := absent.Get(v); ok {
		t.Errorf("absent = %+v", e)
	}
	if got, want := p.At(v, "/list/%d/x", 2), (evidence.Ref{Unit: "dut", Probe: "p", Pointer: "/list/2/x"}); got != want {
		t.Errorf("At = %+v", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	bad := func(int, json.RawMessage) (json.RawMessage, error) { return nil, errors.New("lost") }
	tests := []struct {
		name    string
		upgrade func(int, json.RawMessage) (json.RawMessage, error)
		r       evidence.Record
		want    string
	}{
		{"newer", nil, evidence.Record{Version: 3, Data: json.RawMessage(`{"n":1}`)}, "has version 3, and only version 2 is read"},
		{"newer_in_spite_of_an_upgrade", bad, evidence.Record{Version: 3, Data: json.RawMessage(`{"n":1}`)}, "has version 3"},
		{"older", nil, evidence.Record{Version: 1, Data: json.RawMessage(`{"n":1}`)}, "has version 1"},
		{"upgrade_fails", bad, evidence.Record{Version: 1, Data: json.RawMessage(`{"n":1}`)}, "from version 1: lost"},
		{"not_evidence", nil, evidence.Record{Version: 2, Data: json.RawMessage(`{}`)}, `reading evidence of probe "p"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &Probe[count]{Name: "p", Version: 2, Upgrade: tt.upgrade}
			if page, err := p.Open(tt.r); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open = %+v, %v; want an error with %q", page, err, tt.want)
			}
		})
	}
	same := &Probe[count]{Name: "p", Version: 2, Upgrade: bad}
	if page, err := same.Open(evidence.Record{Version: 2, Data: json.RawMessage(`{"n":1}`)}); err != nil || page.Value != (count{1}) {
		t.Errorf("the version itself: %+v, %v", page, err)
	}
}

func TestEachWithoutTrouble(t *testing.T) {
	addr := netip.MustParseAddrPort("192.0.2.1:7")
	got, err := Each(t.Context(), []netip.AddrPort{addr}, func(a netip.AddrPort) (uint16, error) { return a.Port(), nil })
	if err != nil || !slices.Equal(got, []uint16{7}) {
		t.Errorf("Each = %v, %v", got, err)
	}
	boom := errors.New("boom")
	_, err = Each(t.Context(), []netip.AddrPort{addr}, func(netip.AddrPort) (int, error) { return 0, boom })
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "tcp/192.0.2.1:7: boom") {
		t.Errorf("err = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Each(ctx, []netip.AddrPort{addr}, func(netip.AddrPort) (int, error) { return 0, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cut short: %v", err)
	}
}

func TestUndoThatFailsIsMissing(t *testing.T) {
	boom := errors.New("boom")
	s := Step{Name: "a", Do: func(context.Context) error { return nil }, Undo: func(context.Context) error { return boom }}
	save := func() (json.RawMessage, error) { return nil, nil }
	err := follow(t.Context(), Input{Journal: &diary{}}, Info{}, []Step{s}, save)
	if missing(err) != `undo of step "a"` || !errors.Is(err, boom) {
		t.Errorf("err = %v", err)
	}
	unsaved := errors.New("not saved")
	err = follow(t.Context(), Input{Journal: &diary{}}, Info{}, []Step{{Name: "b", Do: s.Do}}, func() (json.RawMessage, error) { return nil, unsaved })
	if missing(err) != `step "b"` || !errors.Is(err, unsaved) {
		t.Errorf("err = %v", err)
	}
}

func TestResumedEvidenceMustBeReadable(t *testing.T) {
	p := &Probe[count]{Name: "p", Steps: func(Input, *count) []Step { return nil }}
	end, err := p.Begin(t.Context(), Input{Journal: &diary{}, Resume: Progress{Evidence: json.RawMessage(`{}`)}})
	if err != nil {
		t.Fatal(err)
	}
	if data, err := end(t.Context()); err == nil || data != nil || !strings.Contains(err.Error(), `resuming probe "p"`) {
		t.Errorf("data = %s, err = %v", data, err)
	}
}

func TestEffects(t *testing.T) {
	for _, want := range []Effect{Passive, Active, Intrusive, Disruptive} {
		if got, err := ParseEffect(want.String()); err != nil || got != want {
			t.Errorf("ParseEffect(%q) = %s, %v", want, got, err)
		}
	}
	for _, bad := range []string{"", "Active", "rude"} {
		if got, err := ParseEffect(bad); err == nil || got != Passive {
			t.Errorf("ParseEffect(%q) = %s, %v", bad, got, err)
		}
	}
}

func TestEndpoints(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	got := Target{Addrs: []netip.Addr{a, b}, Ports: []uint16{1, 2}}.Endpoints()
	want := []netip.AddrPort{netip.AddrPortFrom(a, 1), netip.AddrPortFrom(a, 2), netip.AddrPortFrom(b, 1), netip.AddrPortFrom(b, 2)}
	if !slices.Equal(got, want) {
		t.Errorf("endpoints = %v", got)
	}
}

// A probe that breaks at one endpoint breaks where the harness can see it.
func TestEachPanicsInItsCaller(t *testing.T) {
	looked := 0
	defer func() {
		if p, _ := recover().(string); !strings.HasPrefix(p, "tcp/192.0.2.1:7: boom\n") || !strings.Contains(p, "begin_test.go") || looked != 1 {
			t.Errorf("panic = %q, and %d others", p, looked)
		}
	}()
	addrs := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:7"), netip.MustParseAddrPort("192.0.2.1:8")}
	_, err := Each(t.Context(), addrs, func(a netip.AddrPort) (int, error) {
		if a.Port() == 7 {
			panic("boom")
		}
		looked++
		return 0, nil
	})
	t.Errorf("it returned %v", err)
}

// A procedure that ends well lacks nothing.
func TestProcedureThatEndsWell(t *testing.T) {
	s := Step{Name: "a", Do: func(context.Context) error { return nil }, Undo: func(context.Context) error { return nil }}
	save := func() (json.RawMessage, error) { return nil, nil }
	if err := follow(t.Context(), Input{Journal: &diary{}}, Info{}, []Step{s}, save); err != nil {
		t.Errorf("err = %v", err)
	}
}
