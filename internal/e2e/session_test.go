package e2e

import (
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
	"github.com/assay-iot/assay/profiles"
)

// shipped is the profile that is used where none is named.
func shipped(t testing.TB) *profile.Profile {
	t.Helper()
	p, err := profile.Load(profiles.FS(), profiles.File(profiles.Default), checks.ByID())
	require.NoError(t, err)
	return p
}

// asking is a profile that asks for each of the checks and nothing else.
func asking(t testing.TB, ids ...string) *profile.Profile {
	t.Helper()
	p, err := profile.Parse("e2e.yaml", []byte(askingText(ids...)), checks.ByID())
	require.NoError(t, err)
	return p
}

func askingText(ids ...string) string {
	var b strings.Builder
	b.WriteString("id: e2e\ntitle: What the tests ask for\nversion: \"1\"\nsource: {document: these tests}\n")
	b.WriteString("verified: {status: verified, source: these tests}\nrequirements:\n")
	for _, id := range ids {
		fmt.Fprintf(&b, "  - id: %s\n    level: mandatory\n    text: The check holds.\n    checks: [{check: %s, can: decide}]\n", id, id)
	}
	return b.String()
}

// everyCheck lists the checks that look at a device.
func everyCheck() []string {
	ids := slices.Sorted(maps.Keys(checks.ByID()))
	return slices.DeleteFunc(ids, func(id string) bool { return id == profile.Inspection })
}

// order is an order with what every test wants.
func order(p *profile.Profile, ports string) harness.Order {
	o := harness.Order{
		Profiles: []*profile.Profile{p}, Checks: checks.ByID(), Effect: probe.Active,
		By: "e2e", Program: "assay e2e", Now: time.Now().UTC(), Clock: harness.SystemClock(),
	}
	if ports != "" {
		o.Ports, _ = harness.ParsePorts(ports) // Prepare refuses what is no choice
	}
	return o
}

// at is an order for a bare address, of which these ports are looked at.
func at(p *profile.Profile, peers ...netip.AddrPort) harness.Order {
	var ports []string
	for _, peer := range peers {
		ports = append(ports, fmt.Sprint(peer.Port()))
	}
	o := order(p, strings.Join(ports, ","))
	o.Address = peers[0].Addr()
	return o
}

// A trial is one run of the harness in this process.
type trial struct {
	Session *harness.Session
	Case    harness.Case
	Result  result.Result
	Bundle  string
	Keys    bundle.KeySet
	Took    time.Duration
}

// conduct carries an order out, packs the bundle and judges what is in it. A
// defect fails the test.
func conduct(t testing.TB, o harness.Order) trial {
	t.Helper()
	dir := t.TempDir()
	keys, err := bundle.Keys(filepath.Join(dir, "keys"))
	require.NoError(t, err)
	s, err := o.Prepare()
	require.NoError(t, err)
	j, err := bundle.Create(filepath.Join(dir, "run.assay.d"), bundle.Head{Run: s.RunID(), Tool: o.Program}, keys.Recipients())
	require.NoError(t, err)
	defer j.Close()
	begun := time.Now()
	in, err := s.Collect(t.Context(), j, nil)
	require.NoError(t, err)
	tr := trial{Session: s, Keys: keys, Took: time.Since(begun), Bundle: filepath.Join(dir, "run.assay")}
	_, err = bundle.Pack(j, tr.Bundle, keys.Signer)
	require.NoError(t, err)
	tr.Case = reread(t, tr.Bundle)
	require.Equal(t, len(in.Log), len(tr.Case.Log))
	tr.Result = harness.Judge(tr.Case, o.Profiles, o.Checks)
	require.Empty(t, tr.Result.Defects)
	return tr
}

// reread opens a bundle as a judge does.
func reread(t testing.TB, path string) harness.Case {
	t.Helper()
	b, err := bundle.Open(path, bundle.Limits{})
	require.NoError(t, err)
	defer b.Close()
	in, err := harness.ReadCase(b)
	require.NoError(t, err)
	return in
}

// evidenceOf is what a probe brought of the unit under test.
func evidenceOf[E any](t testing.TB, in harness.Case, p *probe.Probe[E]) E {
	t.Helper()
	r, err := in.Log.Find(evidence.DUT, p.Name)
	require.NoError(t, err)
	page, err := p.Open(r)
	require.NoError(t, err, "%s: %s", r.Status, r.Reason)
	e, ok := page.Value.(E)
	require.True(t, ok)
	return e
}

// wanted are verdicts by check.
type wanted map[string]verdict.Verdict

// expect compares decisions with what is wanted of them.
func expect(t testing.TB, r result.Result, want wanted) {
	t.Helper()
	got := decided(r)
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] != want[id] {
			t.Errorf("%s = %q, want %q%s", id, got[id], want[id], why(r, id))
		}
	}
}

// decided are the verdicts of a run by check.
func decided(r result.Result) wanted {
	got := wanted{}
	for _, d := range r.Decisions {
		got[d.Check] = d.Verdict
	}
	return got
}

// items are what a check said.
func items(r result.Result, id string) []result.Item {
	for _, d := range r.Decisions {
		if d.Check == id {
			return d.Items
		}
	}
	return nil
}

// why is what a check said, for people, and which records brought less than
// they should have.
func why(r result.Result, id string) string {
	var b strings.Builder
	for _, i := range items(r, id) {
		fmt.Fprintf(&b, "\n  %s at %q: %s; next: %s", i.Verdict, i.Endpoint, i.Why, i.Next)
	}
	for _, rec := range r.Records {
		if rec.Status != evidence.Collected && rec.Status != evidence.NotPermitted {
			fmt.Fprintf(&b, "\n  record %s: %s: %s %q", rec.Probe, rec.Status, rec.Reason, rec.Missing)
		}
	}
	return b.String()
}

// neverPasses fails the test where a check passed.
func neverPasses(t testing.TB, r result.Result, but ...string) {
	t.Helper()
	for id, v := range decided(r) {
		if v == verdict.Pass && !slices.Contains(but, id) {
			t.Errorf("%s passes%s", id, why(r, id))
		}
	}
}

// profilesOf is a list of profiles.
func profilesOf(p ...*profile.Profile) []*profile.Profile { return p }
