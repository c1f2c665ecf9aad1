package cli

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness/lab"
	"github.com/assay-iot/assay/harness/profile"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

// A demo passes if and only if every verdict is the expected one, a fail
// included, and nothing in this program broke.
func TestDemoSettles(t *testing.T) {
	const check = "exposure.telnet-absent"
	list, err := loadProfiles([]string{"testdata/p.yaml"})
	require.NoError(t, err)
	tests := []struct {
		name     string
		expected devices.Verdicts
		required devices.Verdicts
		result   result.Result
		want     error
	}{
		{"expected_fail", devices.Verdicts{check: verdict.Fail}, devices.Verdicts{"r1": verdict.Fail}, outcome(check, verdict.Fail), nil},
		{"unexpected_pass", devices.Verdicts{check: verdict.Fail}, nil, outcome(check, verdict.Pass), exitFailed},
		{"unexpected_requirement", nil, devices.Verdicts{"r1": verdict.Pass}, outcome(check, verdict.Fail), exitFailed},
		{"missing_requirement", nil, devices.Verdicts{"r7": verdict.Pass}, outcome(check, verdict.Fail), exitFailed},
		{"missing_check", devices.Verdicts{check: verdict.Pass}, nil, result.Result{}, exitFailed},
		{"check_that_no_profile_maps", devices.Verdicts{"mqtt.takeover-refused": verdict.Pass}, nil, result.Result{}, nil},
		{"defect", nil, nil, result.Result{Defects: []result.Defect{{Where: "probe x", What: "panic"}}}, exitDefect},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld("")
			a := &app{World: w.World}
			folder := devices.Folder{Name: "lock"}
			folder.Expected.Checks = tt.expected
			folder.Expected.Requirements = map[string]devices.Verdicts{list[0].ID: tt.required}
			err := a.settle([]lab.Outcome{{Folder: folder, Result: tt.result}}, []*profile.Profile{list[0]})
			require.Equal(t, tt.want, err)
			require.Equal(t, tt.want == nil, w.out.String() == "Every verdict is as expected.\n", "%s", &w.out)
		})
	}
}

// outcome is a result in which one check and the requirement that rests on it
// have a verdict.
func outcome(check string, v verdict.Verdict) result.Result {
	return result.Result{
		Decisions:    []result.Decision{{Check: check, Verdict: v}},
		Requirements: []result.Requirement{{Profile: "two-ports", ID: "r1", Verdict: v}},
	}
}

func TestEach(t *testing.T) {
	var running, most, sum atomic.Int64
	each(t.Context(), 100, 3, func(_ context.Context, i int) {
		most.Store(max(most.Load(), running.Add(1)))
		sum.Add(int64(i))
		running.Add(-1)
	})
	require.Equal(t, int64(99*100/2), sum.Load())
	require.LessOrEqual(t, most.Load(), int64(3))
}
