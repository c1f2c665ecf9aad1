package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

func TestExitCodes(t *testing.T) {
	const pass, fail, open, not = verdict.Pass, verdict.Fail, verdict.Inconclusive, verdict.NotApplicable
	defect := []result.Defect{{Where: "probe x", What: "panic"}}
	tests := []struct {
		name     string
		verdicts []verdict.Verdict
		defects  []result.Defect
		want     exitCode
		failOnly exitCode
	}{
		{"passed", []verdict.Verdict{pass}, nil, 0, 0},
		{"not_applicable", []verdict.Verdict{not, pass}, nil, 0, 0},
		{"failed", []verdict.Verdict{pass, fail, open}, nil, 1, 1},
		{"inconclusive", []verdict.Verdict{pass, open}, nil, 3, 0},
		{"defect", []verdict.Verdict{pass}, defect, 4, 4},
		{"defect_first", []verdict.Verdict{fail, open}, defect, 4, 4},
		{"no_verdict", []verdict.Verdict{pass, "perhaps"}, nil, 4, 4},
		{"nothing_judged", nil, nil, 3, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := result.Result{Defects: tt.defects}
			for _, v := range tt.verdicts {
				r.Verdicts = append(r.Verdicts, result.Profile{Verdict: v})
			}
			require.Equal(t, tt.want, codeOf(r, false))
			require.Equal(t, tt.failOnly, codeOf(r, true))
		})
	}
}

// What broke while evidence was collected is in the bundle, and no later
// judgement hides it.
func TestDefectInABundle(t *testing.T) {
	folder(t, nil)
	b, err := bundle.Open("insecure.assay", bundle.Limits{})
	require.NoError(t, err)
	defer b.Close()
	keys, err := bundle.Keys("keys")
	require.NoError(t, err)
	j, err := bundle.Create("x.assay.d", b.Head(), keys.Recipients())
	require.NoError(t, err)
	head, err := b.Run()
	require.NoError(t, err)
	profile, err := os.ReadFile("p.yaml")
	require.NoError(t, err)
	for name, data := range map[evidence.Member][]byte{
		bundle.RunName: head, "inputs/profile-two-ports.yaml": profile,
		"inputs/defects.json": []byte(`[{"where":"probe services","what":"panic: x"}]`),
	} {
		require.NoError(t, j.Input(name, data))
	}
	_, err = bundle.Pack(j, "defect.assay", keys.Signer)
	require.NoError(t, err)
	require.NoError(t, j.Close())
	w := newWorld("keys")
	require.Equal(t, 4, w.assay("judge", "defect.assay"), "%s", &w.err)
	require.Contains(t, w.out.String(), "DEFECTS OF THIS PROGRAM: 1")
	require.Equal(t, 4, w.assay("judge", "defect.assay", "--fail-on", "fail"))
}

// A journal is thrown away only if the run had not begun.
func TestDiscard(t *testing.T) {
	record := evidence.Record{Seq: 1, Unit: evidence.DUT, Probe: "clock", Version: 1, Status: evidence.NotRun, Effect: "passive"}
	for _, tt := range []struct {
		name    string
		records []evidence.Record
		resumed bool
		stays   bool
	}{
		{"not_begun", nil, false, false},
		{"begun", []evidence.Record{record}, false, true},
		{"resumed", nil, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "x.assay.d")
			keys, err := bundle.Keys(t.TempDir())
			require.NoError(t, err)
			j, err := bundle.Create(dir, bundle.Head{Run: "x", Tool: program()}, keys.Recipients())
			require.NoError(t, err)
			for _, r := range tt.records {
				require.NoError(t, j.Record(r))
			}
			f := runFlags{}
			if tt.resumed {
				f.resume = dir
			}
			require.NoError(t, f.discard(j))
			if tt.stays {
				require.DirExists(t, dir)
			} else {
				require.NoDirExists(t, dir)
			}
		})
	}
}
