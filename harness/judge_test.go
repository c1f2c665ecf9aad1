package harness

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/check/checktest"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/profiles"
)

// shipped returns every profile that is part of the program.
func shipped(t *testing.T) []*profile.Profile {
	t.Helper()
	var all []*profile.Profile
	for _, id := range profiles.IDs() {
		p, err := profile.Load(profiles.FS(), profiles.File(id), checks.ByID())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// No evidence at all passes nothing and fails nothing, under every profile.
func TestRule1NothingSeenNothingJudged(t *testing.T) {
	r := Judge(Case{}, shipped(t), checks.ByID())
	for _, q := range r.Requirements {
		if q.Verdict != verdict.Inconclusive || q.Next.Err() != nil || q.Why.Err() != nil {
			t.Errorf("%s %s = %s (%s; %s)", q.Profile, q.ID, q.Verdict, q.Why, q.Next)
		}
	}
	for _, v := range r.Verdicts {
		if v.Verdict != verdict.Inconclusive || v.Counts.Inconclusive == 0 || v.Counts.Pass+v.Counts.Fail+v.Counts.NotApplicable > 0 {
			t.Errorf("%s = %+v", v.Profile, v)
		}
	}
	if len(r.Defects) > 0 {
		t.Errorf("defects = %v", r.Defects)
	}
}

// Every failure of every probe, whatever its kind, is no pass of anything.
func TestRule1FailedProbesPassNothing(t *testing.T) {
	for _, status := range []evidence.Status{evidence.Failed, evidence.NotPermitted, evidence.NotRun, "", "collectd"} {
		var log evidence.Log
		for i, p := range Plan(checks.All()) {
			info := p.Info()
			log = append(log, evidence.Record{Seq: i + 1, Unit: evidence.DUT, Probe: info.Name, Version: info.Version, Status: status, Effect: "active", Reason: msg.T("because")})
		}
		for _, d := range Judge(Case{Log: log}, shipped(t), checks.ByID()).Decisions {
			if d.Verdict != verdict.Inconclusive {
				t.Errorf("%s with every record %q = %s", d.Check, status, d.Verdict)
			}
		}
	}
}

func TestDefectsOfTheRunAreShown(t *testing.T) {
	r := Judge(Case{Defects: []result.Defect{{Where: "probe x", What: "panic"}}}, shipped(t), checks.ByID())
	if len(r.Defects) != 1 {
		t.Errorf("defects = %v", r.Defects)
	}
}

func TestCheckThatWasLeftOutIsInconclusive(t *testing.T) {
	s := Selection{Skip: []Skip{{"exposure.telnet-absent", "no time"}}}
	r := Judge(Case{Selection: s}, shipped(t), checks.ByID())
	found := false
	for _, d := range r.Decisions {
		if d.Check == "exposure.telnet-absent" {
			found = true
			if d.Verdict != verdict.Inconclusive || !strings.Contains(d.Items[0].Why.String(), "no time") {
				t.Errorf("decision = %+v", d)
			}
		}
	}
	if !found || len(r.Defects) > 0 {
		t.Errorf("found %t, defects %v", found, r.Defects)
	}
	for _, c := range Checks(shipped(t), s, checks.ByID()) {
		if c.ID == "exposure.telnet-absent" {
			t.Error("its probes would run all the same")
		}
	}
}

// Same evidence, same inputs: same bytes, in whatever order checks are judged
// and however often.
func TestRule11SameBytes(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	in := Case{Log: evidence.Log{checktest.Record(t, clock.Probe, clock.Evidence{Time: at, Source: clock.Synchronised})}}
	all := shipped(t)
	first := mustJSON(t, Judge(in, all, checks.ByID()))
	for range 20 {
		list := checks.All()
		slices.Reverse(list)
		for _, c := range list {
			check.Judge(c, nil, in.Log)
		}
		if again := mustJSON(t, Judge(in, all, checks.ByID())); !bytes.Equal(first, again) {
			t.Fatalf("got %s, then %s", first, again)
		}
	}
	if got := Judge(in, all, checks.ByID()).Run.Clock; !got.Time.Equal(at) || got.Source != "synchronised" {
		t.Errorf("clock = %+v", got)
	}
}

// The clock of a judgement is the one that was recorded, or the one that the
// judge states; never that of the machine.
func TestRule11ClockIsAnInput(t *testing.T) {
	began, stated := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	in := Case{Log: evidence.Log{checktest.Record(t, clock.Probe, clock.Evidence{Time: began, Source: clock.Synchronised})}}
	got := Judge(in.At(stated), nil, checks.ByID()).Run.Clock
	if !got.Time.Equal(stated) || got.Source != "stated" {
		t.Errorf("clock = %+v", got)
	}
	if again := Judge(in, nil, checks.ByID()).Run.Clock; !again.Time.Equal(began) {
		t.Errorf("the case itself was changed: %+v", again)
	}
	if none := Judge(Case{}, nil, checks.ByID()).Run.Clock; none.Source != "unknown" || !none.Time.IsZero() {
		t.Errorf("without a record: %+v", none)
	}
}

// A device that was swapped during the run is judged by nothing that was seen
// of it; what was declared stays.
func TestRule4SwappedDeviceIsNotJudged(t *testing.T) {
	log := evidence.Log{
		{Seq: 1, Unit: evidence.DUT, Probe: "tcp-ports", Status: evidence.Collected, Effect: "active", Data: json.RawMessage(`{}`)},
		{Seq: 2, Unit: evidence.DUT, Probe: "declaration", Status: evidence.Collected, Effect: "passive", Data: json.RawMessage(`{}`)},
		{Seq: 3, Unit: "unit-2", Probe: "tcp-ports", Status: evidence.Collected, Effect: "active", Data: json.RawMessage(`{}`)},
		{Seq: 4, Unit: evidence.DUT, Probe: "identity", Status: evidence.Failed, Effect: "active", Reason: msg.T("identity changed")},
	}
	want := []evidence.Status{evidence.Failed, evidence.Collected, evidence.Collected, evidence.Failed}
	for i, r := range trusted(log) {
		if r.Status != want[i] || (r.Status == evidence.Failed) != (r.Data == nil) {
			t.Errorf("%s of %s = %s", r.Probe, r.Unit, r.Status)
		}
	}
	if log[0].Status != evidence.Collected {
		t.Error("the log itself was changed")
	}
}

func TestEveryProbeOfAPlanIsDeclaredWell(t *testing.T) {
	if err := check.Validate(checks.All()); err != nil {
		t.Error(err)
	}
	for _, p := range Plan(checks.All()) {
		if b := p.Info().Bound(probe.Target{Unit: evidence.DUT, Open: probe.MaxOpen}); b.Time <= 0 {
			t.Errorf("probe %s has no bound in time", p.Info().Name)
		}
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
