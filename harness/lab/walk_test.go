package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/internal/peers"
	"github.com/assay-iot/assay/profiles"
)

// width is how many devices are tested side by side: most of the time a test
// waits.
const width = 16

func job(t *testing.T, spec devices.Spec) Job {
	t.Helper()
	dir := t.TempDir()
	keys, err := bundle.Keys(dir + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	var list []*profile.Profile
	for _, id := range profiles.IDs() {
		p, err := profile.Load(profiles.FS(), profiles.File(id), checks.ByID())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return Job{Spec: spec, Profiles: list, Dir: dir, Keys: keys, Program: "assay test", Clock: harness.SystemClock(), Now: time.Now().UTC()}
}

// Every member of every family is told what its expected.yaml says, check by
// check and requirement by requirement.
func TestMembers(t *testing.T) {
	peers.Quiet(t)
	all, err := devices.All()
	if err != nil {
		t.Fatal(err)
	}
	turns := make(chan struct{}, width)
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			turns <- struct{}{}
			defer func() { <-turns }()
			out, err := Test(t.Context(), job(t, devices.Spec{Name: f.Name}))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range out.Result.Defects {
				t.Errorf("defect in %s: %s", d.Where, d.What)
			}
			report(t, out, out.Differences())
		})
	}
}

// The walk: one fault switched alone turns exactly the verdicts that
// expected.yaml names, and no other. Only the probes that the turned checks
// need are run, so that the other verdicts are those of checks that these
// probes suffice for.
func TestWalk(t *testing.T) {
	peers.Quiet(t)
	all, err := devices.All()
	if err != nil {
		t.Fatal(err)
	}
	turns := make(chan struct{}, width)
	for _, f := range all {
		for _, fault := range slices.Sorted(maps.Keys(f.Expected.Faults)) {
			t.Run(f.Name+"/"+fault, func(t *testing.T) {
				t.Parallel()
				turns <- struct{}{}
				defer func() { <-turns }()
				walk(t, f, fault)
			})
		}
	}
}

func walk(t *testing.T, f devices.Folder, fault string) {
	faults, err := f.Faults.With(fault, !f.Faults.Has(fault))
	if err != nil {
		t.Fatal(err)
	}
	turned := f.Expected.Faults[fault]
	j := job(t, devices.Spec{Name: f.Name, Faults: &faults})
	j.Checks = Touching(turned, checks.All())
	if len(j.Checks) != len(turned) {
		t.Fatalf("%d of the checks %v exist", len(j.Checks), slices.Sorted(maps.Keys(turned)))
	}
	out, err := Test(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range out.Result.Defects {
		t.Errorf("defect in %s: %s", d.Where, d.What)
	}
	report(t, out, Checks(out.Result, Turned(f.Expected.Checks, turned), decidable(j.Checks)))
}

// decidable reports whether a check needs no other probe than those that are
// run for a list of checks.
func decidable(run []check.Check) func(id string) bool {
	probed := map[string]bool{}
	for _, p := range harness.Plan(run) {
		probed[p.Info().Name] = true
	}
	return func(id string) bool {
		for _, p := range harness.Plan([]check.Check{checks.ByID()[id]}) {
			if !probed[p.Info().Name] {
				return false
			}
		}
		return true
	}
}

// report names each difference with what was seen.
func report(t *testing.T, out Outcome, list []Difference) {
	t.Helper()
	for _, d := range list {
		t.Errorf("%s = %q, expected %q%s", d.What, d.Seen, d.Expected, seen(out, d.What))
	}
	if !t.Failed() {
		return
	}
	for _, r := range out.Result.Records {
		if r.Status != "collected" {
			t.Logf("record %s: %s: %s", r.Probe, r.Status, r.Reason)
		}
	}
}

func seen(out Outcome, what string) string {
	var b strings.Builder
	for _, d := range out.Result.Decisions {
		if d.Check != what {
			continue
		}
		for _, i := range d.Items {
			fmt.Fprintf(&b, "\n  %s at %q: %s", i.Verdict, i.Endpoint, i.Why)
		}
	}
	for _, q := range out.Result.Requirements {
		if q.Profile+":"+q.ID == what {
			fmt.Fprintf(&b, "\n  %s; %s", q.Why, q.Next)
		}
	}
	return b.String()
}

// disturbed are checks whose evidence a disturbance gets in the way of.
var disturbed = []string{
	"coap.endpoint-encrypted", "coap.observe-authenticated", "coap.read-authenticated",
	"exposure.telnet-absent", "mqtt.anonymous-refused", "mqtt.listener-encrypted",
}

// A disturbance alone, on a device that is sound otherwise, makes nothing fail:
// what it hides is inconclusive and says what would decide it.
func TestRule2DisturbancesFailNothing(t *testing.T) {
	peers.Quiet(t)
	all, err := devices.All()
	if err != nil {
		t.Fatal(err)
	}
	var run []check.Check
	for _, id := range disturbed {
		run = append(run, checks.ByID()[id])
	}
	for _, f := range all {
		if f.Expected.Family != "flaky" {
			continue
		}
		for _, fault := range set(f.Faults) {
			t.Run(fault, func(t *testing.T) {
				t.Parallel()
				faults, err := devices.Faults{}.With(fault, true)
				if err != nil {
					t.Fatal(err)
				}
				j := job(t, devices.Spec{Name: f.Name, Faults: &faults})
				j.Checks = run
				out, err := Test(t.Context(), j)
				if err != nil {
					t.Fatal(err)
				}
				nothingFails(t, out)
			})
		}
	}
}

func nothingFails(t *testing.T, out Outcome) {
	t.Helper()
	for _, d := range out.Result.Defects {
		t.Errorf("defect in %s: %s", d.Where, d.What)
	}
	for _, d := range out.Result.Decisions {
		if slices.Contains(disturbed, d.Check) && d.Verdict == verdict.Fail {
			t.Errorf("%s fails%s", d.Check, seen(out, d.Check))
		}
		for _, i := range d.Items {
			if i.Verdict == verdict.Inconclusive && i.Next.IsZero() {
				t.Errorf("%s at %q does not say what next", d.Check, i.Endpoint)
			}
		}
	}
}

func set(f devices.Faults) []string {
	return slices.DeleteFunc(devices.FaultNames(), func(name string) bool { return !f.Has(name) })
}

// Every fault of the struct turns something on a member of some family or is a
// disturbance, and every emulated verdict is a verdict.
func TestEveryFaultIsWalked(t *testing.T) {
	all, err := devices.All()
	if err != nil {
		t.Fatal(err)
	}
	walked := map[string]bool{}
	for _, f := range all {
		for fault := range f.Expected.Faults {
			walked[fault] = true
		}
		if f.Expected.Family == "flaky" {
			for _, fault := range set(f.Faults) {
				walked[fault] = true
			}
		}
		for _, list := range f.Expected.Requirements {
			for id, v := range list {
				if !v.Valid() {
					t.Errorf("%s: %s = %q", f.Name, id, v)
				}
			}
		}
		for _, c := range checks.All() {
			if v, ok := f.Expected.Checks[c.ID]; c.ID != profile.Inspection && (!ok || !v.Valid()) {
				t.Errorf("%s: nothing is expected of %s", f.Name, c.ID)
			}
		}
	}
	for _, fault := range devices.FaultNames() {
		if !walked[fault] {
			t.Errorf("no device is walked with fault %q", fault)
		}
	}
}

// The promises of the README about the families.
func TestFamilies(t *testing.T) {
	all, err := devices.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		fails := 0
		for _, v := range f.Expected.Checks {
			if v == verdict.Fail {
				fails++
			}
		}
		faulty := f.Faults != devices.Faults{}
		if sound := f.Expected.Family == "decoy" || f.Expected.Family == "flaky" || !faulty; sound && fails > 0 {
			t.Errorf("%s is expected to fail %d checks", f.Name, fails)
		} else if !sound && fails == 0 {
			t.Errorf("%s is expected to fail nothing", f.Name)
		}
	}
}
