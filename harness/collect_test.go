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

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/probes/health"
	"github.com/assay-iot/assay/harness/probes/tcpports"
)

func procedure(name string, e probe.Effect) *probe.Probe[seen] {
	p := fake(name, e, nil)
	p.Run, p.Steps = nil, func(probe.Input, *seen) []probe.Step { return nil }
	return p
}

// phases writes down the records of a log as UNIT PROBE PHASE.
func phases(l evidence.Log) (list []string) {
	for _, r := range l {
		list = append(list, strings.TrimSpace(r.Unit+" "+r.Probe+" "+r.Phase))
	}
	return list
}

// Health is looked at around what changes the device, and around nothing else.
func TestHealthAroundProcedures(t *testing.T) {
	plan := []probe.Any{fake("look", probe.Active, nil), procedure("mild", probe.Active), procedure("rude", probe.Disruptive)}
	unit2 := dut(probe.Active)
	unit2.Input.Target.Unit = "unit-2"
	log, _, err := Collect(t.Context(), plan, &memory{}, dut(probe.Active), unit2)
	want := []string{
		"dut look", "dut health before:mild", "dut mild", "dut health after:mild", "dut rude",
		"unit-2 look", "unit-2 health before:mild", "unit-2 mild", "unit-2 health after:mild", "unit-2 rude",
	}
	if got := phases(log); err != nil || !slices.Equal(got, want) {
		t.Errorf("records = %q, %v", got, err)
	}
	// What a killed run had seen of it is not asked again, for that unit.
	sink := &memory{kept: evidence.Log{{Seq: 1, Unit: evidence.DUT, Probe: health.Probe.Name, Phase: "before:mild", Status: evidence.NotRun}}}
	log, _, _ = Collect(t.Context(), plan[1:2], sink, dut(probe.Active), unit2)
	want = []string{"dut health before:mild", "dut mild", "dut health after:mild", "unit-2 health before:mild", "unit-2 mild", "unit-2 health after:mild"}
	if got := phases(log); !slices.Equal(got, want) {
		t.Errorf("resumed: %q", got)
	}
}

// What was seen around a procedure is no evidence of the probe itself.
func TestPhasesAreNotEvidence(t *testing.T) {
	ports := fake("unused", probe.Active, nil)
	open := *tcpports.Probe
	open.Needs, open.Bound = nil, bound
	open.Run = func(context.Context, probe.Input) (tcpports.Evidence, error) { return tcpports.Evidence{}, nil }
	needs := fake("needs-health", probe.Active, nil, health.Probe)
	log, _, err := Collect(t.Context(), []probe.Any{ports, &open, procedure("mild", probe.Active), needs}, &memory{}, dut(probe.Active))
	last := log[len(log)-1]
	if err != nil || last.Probe != "needs-health" || last.Status != evidence.NotRun {
		t.Errorf("last = %+v, %v", last, err)
	}
	if got := log[2]; got.Phase != "before:mild" || got.Status != evidence.Collected {
		t.Errorf("health = %+v", got)
	}
}

// list is evidence of any size.
type list struct {
	Words []evidence.Bytes `json:"words"`
}

func TestRecordsAreBounded(t *testing.T) {
	large := &probe.Probe[list]{Name: "large", Version: 1, Effect: probe.Active, Bound: bound}
	// In base64 and with a preview, around 4/3 of a byte is written for each.
	for size, want := range map[int]evidence.Status{3 << 19: evidence.Collected, 3<<20 + 1<<10: evidence.Failed} {
		large.Run = func(context.Context, probe.Input) (list, error) {
			return list{[]evidence.Bytes{make([]byte, size)}}, nil
		}
		log, defects, err := Collect(t.Context(), []probe.Any{large}, &memory{}, dut(probe.Active))
		r := log[0]
		if err != nil || r.Status != want || (r.Data != nil) != (want == evidence.Collected) || (len(defects) == 1) != (want == evidence.Failed) {
			t.Errorf("%d bytes: status %s, %d bytes of data, defects %v, %v", size, r.Status, len(r.Data), defects, err)
		}
		if want == evidence.Failed && !strings.Contains(r.Reason.String(), "larger than a record may be") {
			t.Errorf("reason = %s", r.Reason)
		}
	}
}

// A part that cannot be kept is no part.
func TestPartialThatIsTooLarge(t *testing.T) {
	large := &probe.Probe[list]{Name: "large", Version: 1, Effect: probe.Active, Bound: bound}
	large.Run = func(context.Context, probe.Input) (list, error) {
		return list{[]evidence.Bytes{make([]byte, 4<<20)}}, &probe.Partial{Missing: []string{"x"}, Cause: errors.New("y")}
	}
	log, _, _ := Collect(t.Context(), []probe.Any{large}, &memory{}, dut(probe.Active))
	if r := log[0]; r.Status != evidence.Failed || r.Missing != nil || r.Data != nil {
		t.Errorf("record = %s, missing %v, %d bytes", r.Status, r.Missing, len(r.Data))
	}
}

func TestTimesOfARecord(t *testing.T) {
	slow := fake("slow", probe.Active, nil)
	slow.Run = func(context.Context, probe.Input) (seen, error) { time.Sleep(5 * time.Millisecond); return seen{}, nil }
	before := time.Now()
	log, _, _ := Collect(t.Context(), []probe.Any{slow}, &memory{}, dut(probe.Active))
	if r := log[0]; r.Took < 5*time.Millisecond || r.Started.Before(before.Add(-time.Second)) || r.Started.Location() != time.UTC {
		t.Errorf("started %v, took %v", r.Started, r.Took)
	}
}

// What a probe may use: the device file for the passive ones alone, how far it
// came for what a kill may have cut short, the number of open ports once known.
func TestInputOfProbes(t *testing.T) {
	got := map[string]probe.Input{}
	note := func(name string, e probe.Effect) *probe.Probe[seen] {
		p := fake(name, e, nil)
		p.Run = func(_ context.Context, in probe.Input) (seen, error) { got[name] = in; return seen{}, nil }
		return p
	}
	steps := fake("steps", probe.Active, nil)
	steps.Run, steps.Steps = nil, func(in probe.Input, _ *seen) []probe.Step { got["steps"] = in; return nil }
	watch := fake("watch", probe.Active, nil)
	watch.Run, watch.Watch = nil, func(_ context.Context, in probe.Input) (func(context.Context) (seen, error), error) {
		got["watch"] = in
		return func(context.Context) (seen, error) { return seen{}, nil }, nil
	}
	ports := *tcpports.Probe
	ports.Needs, ports.Bound = nil, bound
	ports.Run = func(context.Context, probe.Input) (tcpports.Evidence, error) {
		at := netip.MustParseAddrPort("192.0.2.1:80")
		return tcpports.Evidence{Open: []tcpports.Port{{Addr: at, Seen: 2}, {Addr: at, Seen: 2}}}, nil
	}
	unit := dut(probe.Active)
	unit.Input.Net = &dialer{}
	unit.Input.Given, unit.Input.Target.Open = &probe.Given{}, probe.MaxOpen
	far := probe.Progress{Begun: []string{"x"}}
	sink := &memory{progress: map[string]probe.Progress{"steps": far, "watch": far, "before": far, "after": far, "reads": far}}
	plan := []probe.Any{watch, note("reads", probe.Passive), note("before", probe.Active), &ports, note("after", probe.Active), steps}
	if _, _, err := Collect(t.Context(), plan, sink, unit); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		given, resumes bool
		open           int
	}{
		"watch": {false, true, probe.MaxOpen}, "reads": {true, false, probe.MaxOpen}, "before": {false, false, probe.MaxOpen},
		"after": {false, false, 2}, "steps": {false, true, 2},
	} {
		in := got[name]
		if (in.Given != nil) != want.given || (len(in.Resume.Begun) > 0) != want.resumes || in.Target.Open != want.open {
			t.Errorf("%s: given %t, resume %+v, open %d", name, in.Given != nil, in.Resume, in.Target.Open)
		}
	}
}

// A sink that breaks ends the run: nothing else is begun on that unit or the
// next.
func TestBrokenSinkStopsTheRun(t *testing.T) {
	ran := 0
	count := fake("count", probe.Active, nil)
	count.Run = func(context.Context, probe.Input) (seen, error) { ran++; return seen{}, nil }
	first := fake("first", probe.Active, nil)
	ctx := t.Context()
	first.Run = func(context.Context, probe.Input) (seen, error) { return seen{}, nil }
	log, _, err := Collect(ctx, []probe.Any{first, count}, &memory{breaks: 1}, dut(probe.Active))
	if err == nil || !strings.Contains(err.Error(), `keeping the record of probe "first"`) || len(log) != 0 || ran != 0 {
		t.Errorf("%d ran, log = %+v, %v", ran, log, err)
	}
}

// A watch has its own bound for ending, also when the run was cut short.
func TestWatchEndsInItsOwnTime(t *testing.T) {
	var left time.Duration
	var live bool
	watch := watching("watch", func(ctx context.Context) (seen, error) {
		end, _ := ctx.Deadline()
		left, live = time.Until(end), ctx.Err() == nil
		return seen{}, nil
	})
	watch.Bound = func(probe.Target) probe.Bound { return probe.Bound{Time: time.Hour} }
	ends := fake("ends", probe.Active, nil)
	ends.Run = func(_ context.Context, in probe.Input) (seen, error) {
		in.Stop(errors.New("device swapped"))
		return seen{}, nil
	}
	if _, _, err := Collect(t.Context(), []probe.Any{watch, ends}, &memory{}, dut(probe.Active)); err != nil {
		t.Fatal(err)
	}
	if !live || left < 59*time.Minute {
		t.Errorf("live %t, %v left", live, left)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	ends.Run = func(context.Context, probe.Input) (seen, error) { interrupt(); return seen{}, nil }
	if _, _, err := Collect(ctx, []probe.Any{watch, ends}, &memory{}, dut(probe.Active)); err != nil {
		t.Fatal(err)
	}
	if !live || left > putAway {
		t.Errorf("interrupted: live %t, %v left", live, left)
	}
}

// At replaces the clock of the unit under test, in its place, and adds one
// where there is none; the case itself stays as it is.
func TestAtStatesTheClock(t *testing.T) {
	at := time.Date(2030, 5, 6, 7, 8, 9, 0, time.FixedZone("x", 3600))
	read := func(c Case) (list []string) {
		for _, r := range c.Log {
			said := ""
			if r.Probe == clock.Probe.Name {
				page, err := clock.Probe.Open(r)
				if err != nil {
					t.Fatal(err)
				}
				e := page.Value.(clock.Evidence)
				said = " " + e.Time.Format(time.RFC3339) + " " + string(e.Source)
			}
			list = append(list, string(rune('0'+r.Seq))+" "+r.Unit+said)
		}
		return list
	}
	record := func(seq int, unit string, when time.Time) evidence.Record {
		data, err := evidence.Encode(clock.Evidence{Time: when.UTC(), Source: clock.Stated})
		if err != nil {
			t.Fatal(err)
		}
		return evidence.Record{Seq: seq, Unit: unit, Probe: clock.Probe.Name, Version: clock.Probe.Version, Status: evidence.Collected, Data: data}
	}
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	other := evidence.Record{Seq: 1, Unit: evidence.DUT, Probe: "other", Data: json.RawMessage(`{}`)}
	with := Case{Log: evidence.Log{other, record(2, "unit-2", day), record(3, evidence.DUT, day)}}
	want := []string{"1 dut", "2 unit-2 2026-01-02T00:00:00Z stated", "3 dut 2030-05-06T06:08:09Z stated"}
	if got := read(with.At(at)); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := read(with)[2]; got != "3 dut 2026-01-02T00:00:00Z stated" {
		t.Errorf("the case has changed: %q", got)
	}
	if got := read(Case{Log: evidence.Log{other}}.At(at)); !slices.Equal(got, []string{"1 dut", "2 dut 2030-05-06T06:08:09Z stated"}) {
		t.Errorf("added: %q", got)
	}
}
