package harness

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
	"github.com/assay-iot/assay/harness/verdict"
)

type seen struct {
	N int `json:"n"`
}

func bound(probe.Target) probe.Bound { return probe.Bound{Time: time.Second} }

func fake(name string, e probe.Effect, err error, needs ...probe.Any) *probe.Probe[seen] {
	return &probe.Probe[seen]{
		Name: name, Version: 1, Doc: "fake", Effect: e, Basis: verdict.Tested, Needs: needs, Bound: bound,
		Run: func(context.Context, probe.Input) (seen, error) { return seen{1}, err },
	}
}

// memory is a sink that keeps everything, or breaks after so many records.
type memory struct {
	kept     evidence.Log
	progress map[string]probe.Progress
	breaks   int // 0: never
}

func (m *memory) Record(r evidence.Record) error {
	if m.breaks > 0 && len(m.kept) == m.breaks-1 {
		return errors.New("no space left on device")
	}
	m.kept = append(m.kept, r)
	return nil
}

func (m *memory) Finished() evidence.Log { return m.kept }

func (m *memory) Progress(_, name string) probe.Progress { return m.progress[name] }

func dut(allowed probe.Effect) Unit {
	return Unit{Input: probe.Input{Target: probe.Target{Unit: evidence.DUT}}, Allowed: allowed}
}

func names(plan []probe.Any) (list []string) {
	for _, p := range plan {
		list = append(list, p.Info().Name)
	}
	return list
}

func watching(name string, stop func(context.Context) (seen, error)) *probe.Probe[seen] {
	p := fake(name, probe.Passive, nil)
	p.Run, p.Watch = nil, func(context.Context, probe.Input) (func(context.Context) (seen, error), error) { return stop, nil }
	return p
}

func TestPlan(t *testing.T) {
	capture := watching("a-capture", nil)
	update := fake("a-update", probe.Disruptive, nil)
	update.Run, update.Steps = nil, func(probe.Input, *seen) []probe.Step { return nil }
	ports := fake("ports", probe.Active, nil)
	login := fake("login", probe.Intrusive, nil, ports)
	spoils := fake("a-spoils", probe.Intrusive, nil)
	spoils.Last = true
	after := fake("a-after-login", probe.Active, nil, login)
	banner := fake("banner", probe.Active, nil, ports)
	got := names(Plan([]check.Check{
		{Needs: []probe.Any{after, update, spoils}}, {OneOf: []probe.Any{banner}}, {Uses: []probe.Any{capture, ports}},
	}))
	want := []string{"a-capture", "identity", "anchors", "answers", "clock", "declaration", "ports", "banner", "login", "a-after-login", "a-spoils", "a-update"}
	if !slices.Equal(got, want) {
		t.Errorf("plan = %q, want %q", got, want)
	}
}

func TestRule2StatusSaysWhatWeCouldNotDo(t *testing.T) {
	ok, broken := fake("ok", probe.Active, nil), fake("broken", probe.Active, errors.New("too many open files"))
	partial := fake("partial", probe.Active, &probe.Partial{Missing: []string{"tcp/192.0.2.1:9"}, Cause: context.DeadlineExceeded})
	panics := fake("panics", probe.Active, nil)
	panics.Run = func(context.Context, probe.Input) (seen, error) { panic("x") }
	slow := fake("slow", probe.Active, nil)
	slow.Bound = func(probe.Target) probe.Bound { return probe.Bound{Time: time.Millisecond} }
	slow.Run = func(ctx context.Context, _ probe.Input) (seen, error) { <-ctx.Done(); return seen{}, ctx.Err() }
	plan := []probe.Any{ok, broken, partial, panics, slow, fake("after", probe.Active, nil, broken), fake("rude", probe.Disruptive, nil), fake("of-part", probe.Active, nil, partial)}
	log, defects, err := Collect(t.Context(), plan, &memory{}, dut(probe.Intrusive))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]evidence.Status{
		"ok": evidence.Collected, "broken": evidence.Failed, "partial": evidence.Partial, "panics": evidence.Failed,
		"slow": evidence.Failed, "after": evidence.NotRun, "rude": evidence.NotPermitted, "of-part": evidence.Collected,
	}
	for i, r := range log {
		if r.Status != want[r.Probe] || r.Seq != i+1 || (len(r.Missing) > 0) != (r.Status == evidence.Partial) {
			t.Errorf("record = %+v, want status %q", r, want[r.Probe])
		}
		if r.HasData() != (r.Data != nil) || (r.Status != evidence.Collected) == r.Reason.IsZero() {
			t.Errorf("%s: status %s with reason %q and data %s", r.Probe, r.Status, r.Reason, r.Data)
		}
	}
	if len(log) != len(want) || len(defects) != 1 || defects[0].Where != "probe panics" {
		t.Errorf("%d records, defects %v", len(log), defects)
	}
}

func TestWatchSpansTheRun(t *testing.T) {
	var order []string
	note := func(what string) { order = append(order, what) }
	watch := &probe.Probe[seen]{Name: "watch", Version: 1, Bound: bound, Watch: func(context.Context, probe.Input) (func(context.Context) (seen, error), error) {
		note("begin")
		return func(context.Context) (seen, error) { note("end"); return seen{2}, nil }, nil
	}}
	run := fake("run", probe.Active, nil)
	run.Run = func(_ context.Context, in probe.Input) (seen, error) {
		if in.Given != nil {
			t.Error("an active probe saw the device file")
		}
		note("run")
		return seen{}, nil
	}
	unit := dut(probe.Active)
	unit.Input.Given = &probe.Given{}
	log, _, err := Collect(t.Context(), []probe.Any{watch, run}, &memory{}, unit)
	if got := strings.Join(order, " "); err != nil || got != "begin run end" || log[1].Probe != "watch" || string(log[1].Data) != `{"n":2}` {
		t.Errorf("order = %s, log = %+v, %v", got, log, err)
	}
}

// A watch that sees another device ends the run, and what was seen of it counts
// for nothing.
func TestIdentityChangedEndsTheRun(t *testing.T) {
	swapped := errors.New("identity changed")
	var stop func(error)
	watch := watching("identity", func(context.Context) (seen, error) { return seen{}, swapped })
	begin := watch.Watch
	watch.Watch = func(ctx context.Context, in probe.Input) (func(context.Context) (seen, error), error) {
		stop = in.Stop
		return begin(ctx, in)
	}
	first := fake("first", probe.Active, nil)
	first.Run = func(context.Context, probe.Input) (seen, error) { stop(swapped); return seen{}, nil }
	log, _, err := Collect(t.Context(), []probe.Any{watch, first, fake("second", probe.Active, nil)}, &memory{}, dut(probe.Active))
	if err != nil {
		t.Fatal(err)
	}
	if log[1].Status != evidence.NotRun || !strings.Contains(log[1].Reason.String(), "identity changed") || log[2].Status != evidence.Failed {
		t.Errorf("log = %+v", log)
	}
	for _, r := range trusted(log) {
		if r.HasData() {
			t.Errorf("probe %s is still believed", r.Probe)
		}
	}
}

// What the operator interrupts is not kept, so that a resumed run does it.
func TestInterruptedRunIsTakenUpAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runs := map[string]int{}
	counted := func(name string, then func()) *probe.Probe[seen] {
		p := fake(name, probe.Active, nil)
		p.Run = func(ctx context.Context, _ probe.Input) (seen, error) {
			runs[name]++
			then()
			return seen{}, ctx.Err()
		}
		return p
	}
	first, second, third := counted("first", func() {}), counted("second", cancel), counted("third", func() {})
	sink, plan := &memory{}, []probe.Any{first, second, third}
	log, _, err := Collect(ctx, plan, sink, dut(probe.Active))
	if err != nil || len(sink.kept) != 1 || len(log) != 3 || log[2].Status != evidence.NotRun || log[2].Reason.IsZero() {
		t.Fatalf("kept %+v of %+v, %v", sink.kept, log, err)
	}
	log, _, err = Collect(t.Context(), plan, sink, dut(probe.Active))
	if err != nil || len(log) != 3 || runs["first"] != 1 || runs["second"] != 2 || runs["third"] != 1 {
		t.Errorf("runs = %v, log = %+v, %v", runs, log, err)
	}
	for i, r := range log {
		if r.Status != evidence.Collected || r.Seq != i+1 {
			t.Errorf("record = %+v", r)
		}
	}
}

// A run that cannot be kept is no run.
func TestFullDiskEndsTheRun(t *testing.T) {
	plan := []probe.Any{fake("a", probe.Active, nil), fake("b", probe.Active, nil), fake("c", probe.Active, nil)}
	for n := range plan {
		log, _, err := Collect(t.Context(), plan, &memory{breaks: n + 1}, dut(probe.Active))
		if err == nil || len(log) != n {
			t.Errorf("after %d records: %d in the log, %v", n, len(log), err)
		}
	}
}

// dialer counts, and answers nothing.
type dialer struct {
	transport.Dialer
	dialed int
}

func (d *dialer) Dial(context.Context, netip.AddrPort) (transport.Conn, error) {
	d.dialed++
	return nil, errors.New("no route")
}

// A probe that would do more than the plan announced does not.
func TestProbeStaysWithinItsBound(t *testing.T) {
	greedy := fake("greedy", probe.Active, nil)
	greedy.Bound = func(probe.Target) probe.Bound { return probe.Bound{Time: time.Second, Connections: 2} }
	greedy.Run = func(ctx context.Context, in probe.Input) (seen, error) {
		for {
			_, err := in.Net.Dial(ctx, netip.MustParseAddrPort("192.0.2.1:1"))
			if _, over := errors.AsType[defect](err); over {
				return seen{}, err
			}
		}
	}
	d, unit := &dialer{}, dut(probe.Active)
	unit.Input.Net = d
	log, defects, err := Collect(t.Context(), []probe.Any{greedy}, &memory{}, unit)
	if err != nil || d.dialed != 2 || log[0].Status != evidence.Failed || len(defects) != 1 {
		t.Errorf("dialed %d times, log = %+v, defects = %v, %v", d.dialed, log, defects, err)
	}
}

// What a killed run had brought is read again, and its procedures go on.
func TestResumeGoesOn(t *testing.T) {
	base := fake("base", probe.Active, nil)
	base.Run = func(context.Context, probe.Input) (seen, error) { panic("run again") }
	restart := fake("restart", probe.Active, nil, base)
	restart.Run, restart.Steps = nil, func(in probe.Input, e *seen) []probe.Step {
		e.N += base.From(in.Evidence).N
		return nil
	}
	sink := &memory{
		kept:     evidence.Log{{Seq: 1, Unit: evidence.DUT, Probe: "base", Version: 1, Status: evidence.Collected, Data: json.RawMessage(`{"n":4}`)}},
		progress: map[string]probe.Progress{"restart": {Evidence: json.RawMessage(`{"n":3}`)}},
	}
	log, defects, err := Collect(t.Context(), []probe.Any{base, restart}, sink, dut(probe.Active))
	last := log[len(log)-1]
	if err != nil || len(defects) > 0 {
		t.Fatal(err, defects)
	}
	for _, r := range log {
		if r.Probe == "restart" && string(r.Data) != `{"n":7}` {
			t.Errorf("record = %+v", r)
		}
	}
	if last.Phase != "after:restart" || last.Probe != "health" {
		t.Errorf("last record = %+v", last)
	}
}
