package reports

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/verdict"
)

const (
	pass      = verdict.Pass
	fail      = verdict.Fail
	undecided = verdict.Inconclusive
	none      = verdict.NotApplicable
)

func drawn(t *testing.T, rows []MatrixRow, o Options) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Matrix(&b, rows, o))
	return b.String()
}

// byProfiles has few columns and every kind of cell.
func byProfiles() []MatrixRow {
	return []MatrixRow{
		{"door-lock-insecure", []MatrixCell{{etsi, fail, fail}, {psti, fail, fail}}},
		{"door-lock-half-fixed", []MatrixCell{{etsi, fail, undecided}, {psti, undecided, undecided}}},
		{"door-lock-hardened", []MatrixCell{{etsi, pass, pass}, {psti, none, ""}}},
		{"door-lock-flaky", []MatrixCell{{etsi, undecided, undecided}, {psti, "", pass}}},
		{"門鎖-decoy \x1b[2J with a name that is too long for its column", []MatrixCell{{psti, pass, pass}}},
	}
}

// byChecks has more columns than a line has room for.
func byChecks() []MatrixRow {
	var rows []MatrixRow
	for d := range 4 {
		row := MatrixRow{Device: fmt.Sprint("camera-", d)}
		for c := range 24 {
			v := []verdict.Verdict{pass, fail, undecided, none}[(c+d)%4]
			cell := MatrixCell{Column: fmt.Sprintf("family.assertion-%d", c+1), Seen: v, Expected: v}
			if d == 2 && c == 20 {
				cell.Expected = none
			}
			row.Cells = append(row.Cells, cell)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestMatrix(t *testing.T) {
	golden(t, "matrix-words.txt", []byte(drawn(t, byProfiles(), Options{})))
	golden(t, "matrix-letters.txt", []byte(drawn(t, byChecks(), Options{})))
	golden(t, "matrix-colour.txt", []byte(drawn(t, byProfiles(), Options{Colour: true})))
}

func TestMatrixKeepsToItsWidth(t *testing.T) {
	for _, rows := range [][]MatrixRow{byProfiles(), byChecks(), nil, {{Device: "x"}}} {
		for _, width := range []int{0, 40, 80, 200} {
			for line := range strings.Lines(drawn(t, rows, Options{Width: width})) {
				line = strings.TrimSuffix(line, "\n")
				require.LessOrEqual(t, cells(line), max(minWidth, width+80*(1-min(1, width))), line)
				require.Equal(t, strings.TrimRight(line, " "), line)
			}
		}
	}
}

func TestMatrixHoldsOffHostileNames(t *testing.T) {
	for _, h := range hostile {
		rows := []MatrixRow{{canary + h.text, []MatrixCell{{canary + h.text, verdict.Verdict(canary + h.text), pass}}}}
		out := drawn(t, rows, Options{})
		require.Empty(t, harm(Format{Ext: ".txt"}, out, Options{}), h.name)
		require.Contains(t, out, canary)
		require.Equal(t, out, ourColours.ReplaceAllString(drawn(t, rows, Options{Colour: true}), ""))
	}
}

// What is not as expected is marked where it stands, named in words, and
// counted.
func TestMatrixSaysWhatDiffers(t *testing.T) {
	out := drawn(t, byProfiles(), Options{})
	require.Contains(t, out, "fail !")
	require.Contains(t, out, " ! door-lock-half-fixed, etsi-en-303-645-v3.1.3: expected inconclusive, seen\n   fail\n")
	require.Contains(t, out, "expected pass, seen no verdict")
	require.Contains(t, out, "devices 5, verdicts as expected 6, not as expected 2, without expectation 1")

	out = drawn(t, byProfiles()[:1], Options{})
	require.NotContains(t, out, "!")
	require.NotContains(t, out, "NOT AS EXPECTED")
}

func TestMatrixCellDiffers(t *testing.T) {
	require.False(t, MatrixCell{Seen: pass}.Differs(), "nothing was expected")
	require.False(t, MatrixCell{Seen: pass, Expected: pass}.Differs())
	require.True(t, MatrixCell{Seen: pass, Expected: fail}.Differs())
	require.True(t, MatrixCell{Expected: pass}.Differs(), "no verdict is not a pass")
}

func TestMatrixNumbersManyColumns(t *testing.T) {
	row := MatrixRow{Device: "camera"}
	for c := range 120 {
		row.Cells = append(row.Cells, MatrixCell{Column: fmt.Sprint("check.", c), Seen: pass})
	}
	out := drawn(t, []MatrixRow{row}, Options{})
	require.Contains(t, out, "118 119 120\n")
	require.Equal(t, 120, strings.Count(out, "check."))
}
