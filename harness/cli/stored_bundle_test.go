package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/devices"
	"github.com/assay-iot/assay/harness"
	"github.com/assay-iot/assay/harness/evidence/bundle"
	"github.com/assay-iot/assay/harness/lab"
)

// members are the emulated locks of which bundles are stored.
var members = []string{"insecure", "hardened"}

func storedBundle(member string) string { return filepath.Join("testdata", "stored", member+".assay") }

// The bundles were made once, and are judged by every later version: what they
// say must stay. If this fails, evidence in the field is read differently than
// when it was collected.
func TestStoredBundle(t *testing.T) {
	for _, member := range members {
		t.Run(member, func(t *testing.T) {
			if *remake {
				makeBundle(t, member)
			}
			w := newWorld(t.TempDir())
			code := w.assay("judge", storedBundle(member), "--format", "json")
			require.Equal(t, map[string]int{"insecure": 1, "hardened": 0}[member], code, "%s", &w.err)
			require.Empty(t, w.err.String())
			golden := filepath.Join("testdata", "stored", member+".json")
			if *update || *remake {
				require.NoError(t, os.WriteFile(golden, w.out.Bytes(), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), w.out.String(), "run 'go test ./harness/cli -run TestStoredBundle -update' only if the verdicts had to change")
		})
	}
}

// makeBundle tests an emulated lock under the profile of these tests.
func makeBundle(t *testing.T, member string) {
	keys, err := bundle.Keys(t.TempDir())
	require.NoError(t, err)
	list, err := loadProfiles([]string{filepath.Join("testdata", "p.yaml")})
	require.NoError(t, err)
	out, err := lab.Test(t.Context(), lab.Job{
		Spec: devices.Spec{Name: "door-lock-" + member}, Profiles: list, Dir: t.TempDir(), Keys: keys,
		Program: program(), Clock: harness.SystemClock(), Now: time.Now(),
	})
	require.NoError(t, err)
	b, err := os.ReadFile(out.Bundle)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(storedBundle(member), b, 0o600))
}

// Rule 11: same evidence, same inputs, same judging version, same bytes.
func TestRule11SameBytes(t *testing.T) {
	path, err := filepath.Abs(storedBundle("insecure"))
	require.NoError(t, err)
	elsewhere := t.TempDir()
	for _, format := range formatNames() {
		var first []byte
		for _, tt := range []struct {
			name, dir string
			env       []string
		}{
			{"plain", ".", nil},
			{"utc", ".", []string{"TZ=UTC"}},
			{"kolkata", ".", []string{"TZ=Asia/Kolkata"}},
			{"st_johns", ".", []string{"TZ=America/St_Johns"}},
			{"posix", ".", []string{"LANG=C", "LC_ALL=C"}},
			{"turkish", ".", []string{"LANG=tr_TR.UTF-8", "LC_ALL=tr_TR.UTF-8"}},
			{"arabic", ".", []string{"LANG=ar_EG.UTF-8", "LC_ALL=ar_EG.UTF-8", "LANGUAGE=ar"}},
			{"one_core", ".", []string{"GOMAXPROCS=1"}},
			{"two_cores", ".", []string{"GOMAXPROCS=2"}},
			{"eight_cores", ".", []string{"GOMAXPROCS=8"}},
			{"another_folder", elsewhere, []string{"HOME=" + elsewhere, "USER=nobody"}},
		} {
			t.Run(format+"_"+tt.name, func(t *testing.T) {
				c := exec.CommandContext(t.Context(), "assay", "judge", path, "--format", format)
				c.Dir, c.Env = tt.dir, append(os.Environ(), tt.env...)
				out, err := c.Output()
				require.Equal(t, 1, c.ProcessState.ExitCode(), "%v", err)
				require.NotEmpty(t, out)
				if first == nil {
					first = out
				}
				require.True(t, bytes.Equal(first, out), "got:\n%s\nwant:\n%s", out, first)
			})
		}
	}
}

// The clock of the machine that judges is not the clock of the run.
func TestRule11OneClock(t *testing.T) {
	w := newWorld(t.TempDir())
	require.Equal(t, 1, w.assay("judge", storedBundle("insecure"), "--format", "json"))
	want := w.out.String()
	for _, year := range []int{1970, 2001, 2038, 2300} {
		w.Now = func() time.Time { return time.Date(year, 2, 28, 23, 59, 59, 0, time.FixedZone("", 14*3600)) }
		require.Equal(t, 1, w.assay("judge", storedBundle("insecure"), "--format", "json"))
		require.Equal(t, want, w.out.String(), "in the year %d", year)
	}
	require.Equal(t, 1, w.assay("judge", storedBundle("insecure"), "--format", "json", "--at", "2031-05-06"))
	require.Contains(t, w.out.String(), `"time": "2031-05-06T00:00:00Z"`)
	require.Contains(t, w.out.String(), `"source": "stated"`)
	require.NotEqual(t, want, w.out.String())
}
