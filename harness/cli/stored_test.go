package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/result"
)

func storedResult(t testing.TB) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", "stored", "insecure.json"))
	require.NoError(t, err)
	return b
}

func TestParseResult(t *testing.T) {
	tests := []struct {
		name     string
		old, new string
		want     string // in the error, "" for none
	}{
		{"as_it_is", "", "", ""},
		{"member_of_a_newer_version", `"vantage": "unknown",`, `"vantage": "unknown", "weather": "fine",`, ""},
		{"other_schema", `"assay-result/1"`, `"assay-result/2"`, `its schema is "assay-result/2"`},
		{"no_verdict", `"verdict": "fail"`, `"verdict": "perhaps"`, "it does not obey assay-result/1"},
		{"missing_member", `"defects": []`, `"deffects": []`, "it does not obey assay-result/1"},
		{"null_list", `"defects": []`, `"defects": null`, "it does not obey assay-result/1"},
		{"other_case", `"verdict": "fail"`, `"verdict": "fail", "Verdict": "pass"`, "contradicts the rest"},
		{"twice", `"defects": []`, `"defects": [], "run": {}`, "it does not obey assay-result/1"},
		{"text_and_template_differ", `"text": "failed: exposure.telnet-absent"`, `"text": "passed"`, "/why/text contradicts the rest"},
		{"trailing", "\n}\n", "\n}\n{}", "no JSON"},
		{"bad_time", `"time": "`, `"time": "x`, "it does not obey assay-result/1"},
		{"number_for_text", `"site": "lab"`, `"site": 5`, "it does not obey assay-result/1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := storedResult(t)
			require.True(t, tt.old == "" || bytes.Contains(text, []byte(tt.old)), "nothing to change")
			r, err := parseResult(bytes.Replace(text, []byte(tt.old), []byte(tt.new), 1))
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
				require.NotContains(t, err.Error(), "\n")
				return
			}
			require.NoError(t, err)
			require.Equal(t, "two-ports", r.Verdicts[0].Profile)
		})
	}
}

// What is read and written again is the same, for every result that is stored.
func TestParseResultReadsWhatIsWritten(t *testing.T) {
	for _, member := range members {
		w := newWorld("")
		w.assay("judge", storedBundle(member), "--format", "json")
		r, err := parseResult(w.out.Bytes())
		require.NoError(t, err)
		again, err := result.Encode(r)
		require.NoError(t, err)
		second, err := parseResult(again)
		require.NoError(t, err)
		require.Equal(t, r, second)
	}
}

func TestResultTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.json")
	require.NoError(t, os.WriteFile(path, []byte("{"+strings.Repeat(" ", maxPEM)), 0o600))
	_, err := readCapped(path, maxPEM)
	require.ErrorContains(t, err, "larger than")
}

// Whatever is in the file, reading it ends, and what is accepted reads again.
func FuzzParseResult(f *testing.F) {
	f.Add(storedResult(f))
	f.Add([]byte(`{"schema":"assay-result/1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseResult(b)
		if err != nil {
			return
		}
		again, err := result.Encode(r)
		require.NoError(t, err)
		_, err = parseResult(again)
		require.NoError(t, err)
	})
}
