package reports

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
	"github.com/assay-iot/assay/harness/verdict"
)

func onTerminal(t *testing.T, r result.Result, o Options) string {
	t.Helper()
	return string(render(t, formats["terminal"], r, o))
}

func TestTerminalOptions(t *testing.T) {
	golden(t, "terminal-verbose.txt", []byte(onTerminal(t, shared(), Options{Verbose: true})))
	golden(t, "terminal-colour.txt", []byte(onTerminal(t, shared(), Options{Colour: true})))
	golden(t, "terminal-narrow.txt", []byte(onTerminal(t, shared(), Options{Width: 50})))
}

func TestTerminalKeepsToItsWidth(t *testing.T) {
	for _, width := range []int{1, 40, 57, 80, 132} {
		for line := range strings.Lines(onTerminal(t, shared(), Options{Width: width, Verbose: true})) {
			line = strings.TrimSuffix(line, "\n")
			require.LessOrEqual(t, cells(line), max(width, minWidth), line)
			require.Equal(t, strings.TrimRight(line, " "), line)
		}
	}
}

// What fails comes before what needs somebody, and that before what was left
// out; the last line says how it stands.
func TestTerminalOrder(t *testing.T) {
	out := onTerminal(t, shared(), Options{})
	at := -1
	for _, part := range []string{
		"DEVICE ", "decided by   test 3, inspection 1, declaration 2, nobody 5", "declaration  CONTRADICTED", "DEFECTS OF THIS PROGRAM: 1",
		"FAILURES PROVEN: 3", "exposure.telnet-absent", "remedy    Remove the Telnet server", "NEEDS YOU: 3", "WEAK BUT ALLOWED: 1", "PASS ",
		"NOT TESTED", "EVIDENCE THAT IS MISSING", "NOT A COMPLETE RUN", "bundle ", "3 failures proven, 3 need you, next: ",
	} {
		next := strings.Index(out, part)
		require.Greater(t, next, at, part)
		at = next
	}
	require.Equal(t, 1, strings.Count(strings.TrimSpace(out[at:]), "\n")+1, "one line closes")
}

// manyOpen is a result in which 60 requirements wait for the same answer and 30
// each for one of their own.
func manyOpen() result.Result {
	r := result.Result{Schema: result.Schema}
	for i := range 90 {
		next := msg.T("answer in the device file: {features}", "features", "network")
		if i >= 60 {
			next = msg.T("read document {n}", "n", i)
		}
		r.Requirements = append(r.Requirements, result.Requirement{
			Profile: etsi, ID: fmt.Sprint("5.1-", i), Level: "mandatory", Verdict: verdict.Inconclusive, Why: msg.T("nobody said"), Next: next,
		})
	}
	return r
}

func TestTerminalSixtyRowsDoNotDrownTheReader(t *testing.T) {
	out := onTerminal(t, manyOpen(), Options{})
	require.Contains(t, out, "NEEDS YOU: 31 (open requirements: 90)\n 1. answer in the device file: network\n")
	require.Contains(t, out, "    and 21 more, for 21 requirements: -v lists them\n")
	require.Contains(t, out, "no failure proven, 31 need you, next: answer in the device file: network\n")
	require.Less(t, strings.Count(out, "\n"), 50)
	require.Contains(t, out, "5.1-59", "a group names all of its own")
	require.Contains(t, onTerminal(t, manyOpen(), Options{Verbose: true}), "31. read document 89")
}

func TestTerminalListsManySightingsShort(t *testing.T) {
	d := result.Decision{Check: "a.b", Title: msg.T("It holds"), Verdict: verdict.Fail}
	for i := range 8 {
		d.Items = append(d.Items, result.Item{Endpoint: fmt.Sprint("tcp/192.0.2.1:", i), Verdict: verdict.Fail, Why: msg.T("it said {n}", "n", i)})
	}
	r := result.Result{
		Decisions:    []result.Decision{d},
		Requirements: []result.Requirement{{Profile: etsi, ID: "1", Level: "mandatory", Verdict: verdict.Fail, Checks: []string{"a.b"}}},
	}
	require.Contains(t, onTerminal(t, r, Options{}), "seen      and 3 more: -v lists them\n")
	require.Contains(t, onTerminal(t, r, Options{Verbose: true}), "seen      tcp/192.0.2.1:7: it said 7\n")
}

// An error is never a pass, nor is a word that is none of the four.
func TestTerminalShowsWhatIsNoVerdict(t *testing.T) {
	r := result.Result{
		Verdicts:     []result.Profile{{Profile: etsi, Verdict: "PASS"}},
		Requirements: []result.Requirement{{Profile: etsi, ID: "5.1-1", Level: "mandatory", Verdict: "passed"}},
	}
	out := onTerminal(t, r, Options{})
	require.Contains(t, out, "NO VERDICT: PASS")
	require.Contains(t, out, "NEEDS YOU: 1 (open requirements: 1)")
	require.Contains(t, out, "the result does not say what would decide this")
	require.NotContains(t, out, "\nPASS")
}

func TestTerminalSpeaksTheReadersLanguage(t *testing.T) {
	o := Options{Catalogue: msg.Catalogue{
		"pass": "réussi", "NEEDS YOU: {n} (open requirements: {open})": "À FAIRE : {n} (exigences ouvertes : {open})",
		"answer in the device file: {features}": "répondre dans le fichier de l'appareil : {features}",
	}}
	out := onTerminal(t, shared(), o)
	require.Contains(t, out, "RÉUSSI ")
	require.Contains(t, out, "À FAIRE : 3 (exigences ouvertes : 7)")
	require.Contains(t, out, "répondre dans le fichier de l'appareil : passwords")
}

func TestTerminalColourRepeatsWords(t *testing.T) {
	out := onTerminal(t, shared(), Options{Colour: true})
	require.Contains(t, out, "\x1b[1;31mFAIL\x1b[0m")
	require.Equal(t, onTerminal(t, shared(), Options{}), ourColours.ReplaceAllString(out, ""))
	require.NotContains(t, onTerminal(t, shared(), Options{}), "\x1b")
}

func TestTerminalNamesUnitsOfWhatIsBarred(t *testing.T) {
	out := onTerminal(t, result.Result{Records: []result.Record{
		{Unit: evidence.DUT, Probe: "ssh-write", Status: evidence.NotPermitted, Effect: "intrusive"},
		{Unit: "unit-2", Probe: "ssh-write", Status: evidence.NotPermitted, Effect: "intrusive"},
		{Unit: "unit-2", Phase: "after reset", Probe: "ssh-write", Status: evidence.NotPermitted, Effect: "intrusive"},
	}}, Options{})
	require.Contains(t, out, " intrusive    ssh-write, ssh-write (unit-2)\n              allow it with --effect intrusive\n")
}
