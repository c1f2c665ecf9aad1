package bundle

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", 10000) // more than a buffer of bufio holds
	tests := []struct {
		name, text string
		limit      int
		lines      []string
		end        error
	}{
		{"nothing", "", 10, nil, io.EOF},
		{"one", "a\n", 10, []string{"a"}, io.EOF},
		{"empty_lines", "\n\n", 10, []string{"", ""}, io.EOF},
		{"cut", "a\nb", 10, []string{"a"}, io.ErrUnexpectedEOF},
		{"long", long + "\nb\n", 10001, []string{long, "b"}, io.EOF},
		{"too_long", "a\n" + long + "\n", 10000, []string{"a"}, errLong},
		{"too_long_and_cut", long, 9999, nil, errLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := bufio.NewReader(strings.NewReader(tt.text))
			var lines []string
			for {
				line, err := readLine(r, tt.limit)
				if err != nil {
					require.ErrorIs(t, err, tt.end)
					break
				}
				lines = append(lines, string(line))
			}
			require.Equal(t, tt.lines, lines)
		})
	}
	_, err := readLine(bufio.NewReader(iotest.ErrReader(io.ErrClosedPipe)), 10)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestStrict(t *testing.T) {
	var l line
	require.NoError(t, strict([]byte(`{"seq":1,"kind":"k","data":{}}`), &l))
	for _, bad := range []string{``, `{`, `[]`, `{"seq":1} {}`, `{"seq":1}x`, `{"other":1}`, `{"seq":"1"}`} {
		require.Error(t, strict([]byte(bad), &l), bad)
	}
}

// TestChainEachLineVouchesForTheOnesBefore: the same words after other lines
// are another line.
func TestChainEachLineVouchesForTheOnesBefore(t *testing.T) {
	var start chain
	first, a, err := start.encode("login", []byte(`{}`))
	require.NoError(t, err)
	_, b, err := start.encode("login", []byte(`{"unit":"x"}`))
	require.NoError(t, err)
	second, _, err := a.encode("login", []byte(`{}`))
	require.NoError(t, err)
	_, _, err = a.decode(bytes.TrimSuffix(second, []byte("\n")))
	require.NoError(t, err)
	_, _, err = b.decode(bytes.TrimSuffix(second, []byte("\n")))
	require.ErrorContains(t, err, "its sum")
	_, _, err = start.decode(bytes.TrimSuffix(second, []byte("\n")))
	require.ErrorContains(t, err, "its sum")
	require.NotContains(t, string(second), string(first))
	_, _, err = start.encode("done", bytes.Repeat([]byte("1"), maxLine))
	require.ErrorContains(t, err, "the most")
	_, _, err = start.encode("done", []byte(`{`))
	require.Error(t, err)
}

func TestOrderOfMembers(t *testing.T) {
	want := []evidence.Member{
		manifestName, RunName, DeviceName, recordsName, "transcript/000001", "transcript/000010", CaptureName,
		"attachments/a", "inputs/a", "inputs/b", sealedName, signatureName,
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, inOrder)
	require.Equal(t, want, got)
	for i, m := range want {
		require.GreaterOrEqual(t, rank(m), 0, m)
		require.Equal(t, i < 1 || i == 3 || i > 9, !collected(m) && !input(m), m)
	}
}

// TestDiskErrorIsNoBrokenBundle: what we could not read says nothing about what
// is written there.
func TestDiskErrorIsNoBrokenBundle(t *testing.T) {
	raw := read(t, packed(t, newIdentity(t), 2, signerOf(1)))
	bad := errors.New("input/output error")
	for n := range raw {
		r := io.MultiReader(bytes.NewReader(raw[:n]), iotest.ErrReader(bad))
		_, err := check(r, int64(len(raw)), Limits{})
		if _, broken := errors.AsType[*Broken](err); broken || !errors.Is(err, bad) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}

func TestBrokenSaysWhere(t *testing.T) {
	cause := errors.New("why")
	for want, b := range map[string]*Broken{
		`the zip directory does not hold: why`:              {"", 0, cause},
		`member "run.json" does not hold: why`:              {RunName, 0, cause},
		`member "records.jsonl", line 7 does not hold: why`: {recordsName, 7, cause},
	} {
		require.EqualError(t, b, want)
		require.ErrorIs(t, b, cause)
	}
}

// TestRecordLinesThatAreRefused are of the right hash of something else.
func TestRecordLinesThatAreRefused(t *testing.T) {
	good := strings.TrimSuffix(string(recordLine([]byte(`{"seq":1}`))), "\n")
	r, hash, err := parseRecordLine([]byte(good))
	require.NoError(t, err)
	require.Equal(t, 1, r.Seq)
	require.Equal(t, digest([]byte(`{"seq":1}`)), hash)
	for name, bad := range map[string]string{
		"empty":     "",
		"other":     strings.Replace(good, `{"seq":1}`, `{"seq":2}`, 1),
		"upper":     strings.ToUpper(good),
		"no_brace":  good[:len(good)-1] + "]",
		"trailing":  good + " ",
		"not_json":  strings.TrimSuffix(string(recordLine([]byte(`{"seq":`))), "\n"),
		"no_record": strings.TrimSuffix(string(recordLine(nil)), "\n"),
	} {
		_, _, err := parseRecordLine([]byte(bad))
		require.Error(t, err, name)
	}
}

// TestEnvelopesThatAreRefused all hold a signature that verifies.
func TestEnvelopesThatAreRefused(t *testing.T) {
	s := signerOf(1)
	head := []byte("{}\n")
	good := string(s.sign(head))
	require.NoError(t, verifyEnvelope([]byte(good), head, s.Public()))
	require.Len(t, good, envelopeLen(head))
	for name, bad := range map[string]string{
		"nothing":       "",
		"spaces":        strings.Replace(good, ":", ": ", 1),
		"trailing":      good + "\n",
		"other_type":    strings.Replace(good, "assay.manifest", "other.manifest", 1),
		"other_key_id":  strings.Replace(good, `"keyid":"3`, `"keyid":"4`, 1),
		"other_payload": strings.Replace(good, `"payload":"e`, `"payload":"f`, 1),
		"no_signature":  good[:strings.Index(good, `[`)] + "[]}\n",
		"twice":         strings.Replace(good, `[{`, `[{"keyid":"","sig":""},{`, 1),
		"not_base64":    strings.Replace(good, `"sig":"`, `"sig":"!`, 1),
	} {
		require.NotEqual(t, good, bad, name)
		require.Error(t, verifyEnvelope([]byte(bad), head, s.Public()), name)
	}
	require.Error(t, verifyEnvelope([]byte(good), head, signerOf(2).Public()))
	require.Error(t, verifyEnvelope([]byte(good), []byte("{ }\n"), s.Public()))
}
