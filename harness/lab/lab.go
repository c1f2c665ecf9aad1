// Package lab tests the emulated devices and compares the verdicts with those
// that their makers expect.
package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/checks"
	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/result"
)

// A Job is one test of one emulated device.
type Job struct {
	Spec     devices.Spec
	Profiles []*profile.Profile
	// Checks are those whose probes are run; empty for all that the profiles
	// map.
	Checks  []check.Check
	Dir     string // for the device file, its secrets and the bundle
	Keys    bundle.KeySet
	Program string
	Clock   probe.ClockSource
	Now     time.Time
	Told    func(evidence.Record) // called with each record, may be nil
}

// An Outcome is what a job brought.
type Outcome struct {
	Folder devices.Folder
	Result result.Result
	Bundle string
	Took   time.Duration
}

// Test starts a device, tests it with all that may be done to an emulated one,
// and switches it off.
func Test(ctx context.Context, job Job) (Outcome, error) {
	began := time.Now()
	d, err := devices.Start(ctx, job.Spec)
	if err != nil {
		return Outcome{}, fmt.Errorf("starting device %q: %w", job.Spec.Name, err)
	}
	out, err := test(ctx, job, d)
	out.Took = time.Since(began)
	if err = errors.Join(err, d.Close()); err != nil {
		return out, fmt.Errorf("testing device %q: %w", job.Spec.Name, err)
	}
	return out, nil
}

func test(ctx context.Context, job Job, d *devices.Device) (Outcome, error) {
	out := Outcome{Folder: d.Folder}
	s, err := prepare(job, d)
	if err != nil {
		return out, err
	}
	j, err := bundle.Create(filepath.Join(job.Dir, s.RunID()+".assay.d"), bundle.Head{Run: s.RunID(), Tool: job.Program}, job.Keys.Recipients())
	if err != nil {
		return out, err
	}
	defer j.Close()
	in, err := s.Collect(ctx, j, job.Told)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return out, err
	}
	out.Bundle = filepath.Join(job.Dir, s.RunID()+".assay")
	if in.Run.BundleSHA256, err = bundle.Pack(j, out.Bundle, job.Keys.Signer); err != nil {
		return out, err
	}
	out.Result = harness.Judge(in, job.Profiles, checks.ByID())
	return out, j.Remove()
}

// prepare writes the device file as the device runs, and reads it as any other.
func prepare(job Job, d *devices.Device) (*harness.Session, error) {
	dir := filepath.Join(job.Dir, d.Folder.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path, err := d.Write(dir)
	if err != nil {
		return nil, err
	}
	file, err := device.Read(path)
	if err != nil {
		return nil, err
	}
	s, err := harness.Order{
		File: file, Profiles: job.Profiles, Checks: checks.ByID(), Effect: probe.Disruptive, Operator: d,
		Selection: harness.Selection{Also: expected(d.Folder)}, By: "assay", Site: "lab", Program: job.Program, Clock: job.Clock, Now: job.Now,
	}.Prepare()
	if err == nil && len(job.Checks) > 0 {
		s.Plan = harness.Plan(job.Checks)
	}
	return s, err
}

// expected are the checks of which something is expected, mapped by a profile or
// not.
func expected(f devices.Folder) []string {
	return slices.Sorted(maps.Keys(f.Expected.Checks))
}
