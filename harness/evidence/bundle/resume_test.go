package bundle

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// copyOf copies a journal's directory, with another journal.jsonl.
func copyOf(t *testing.T, dir string, journal []byte) string {
	to := filepath.Join(t.TempDir(), "copy.assay.d")
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	require.NoError(t, os.WriteFile(filepath.Join(to, journalName), journal, 0o600))
	return to
}

// TestE6CutAtEveryLength cuts the journal where a kill can cut it: what was
// finished is there, and nothing else.
func TestE6CutAtEveryLength(t *testing.T) {
	j, dir := begin(t, newIdentity(t))
	fill(t, j, 2)
	require.NoError(t, j.Before(evidence.DUT, "update", "send"))
	log := j.Log()
	require.NoError(t, j.Close())
	raw := read(t, filepath.Join(dir, journalName))
	work := copyOf(t, dir, raw)
	headEnd := bytes.IndexByte(raw, '\n') + 1
	for n := len(raw); n >= 0; n-- {
		require.NoError(t, os.WriteFile(filepath.Join(work, journalName), raw[:n], 0o600))
		j, err := resumeOn(noSync(t, work), work, nil)
		if n < headEnd {
			require.ErrorContains(t, err, "line 1: there is no head", "%d bytes", n)
			continue
		}
		require.NoError(t, err, "%d bytes", n)
		finished := bytes.Count(raw[:n], []byte(`"kind":"record"`))
		if whole := raw[:bytes.LastIndexByte(raw[:n], '\n')+1]; len(whole) < n {
			finished = bytes.Count(whole, []byte(`"kind":"record"`))
		}
		if got := len(j.Log()); got != finished {
			t.Fatalf("%d bytes: %d records, want %d", n, got, finished)
		}
		for i, r := range j.Log() {
			require.Equal(t, log[i], r)
		}
		require.NoError(t, j.Close())
	}
}

// TestE7FlippedByteInTheJournal wants the file and the line named, for each
// byte: nothing is repaired but a cut end.
func TestE7FlippedByteInTheJournal(t *testing.T) {
	j, dir := begin(t, newIdentity(t))
	fill(t, j, 1)
	require.NoError(t, j.Close())
	raw := read(t, filepath.Join(dir, journalName))
	for i := range raw {
		line := bytes.Count(raw[:i], []byte("\n")) + 1
		raw[i] ^= 1
		_, at, _, err := replay(bytes.NewReader(raw))
		raw[i] ^= 1
		if err == nil || at.seq+1 != line {
			t.Fatalf("byte %d: line %d, %v, want line %d", i, at.seq+1, err, line)
		}
	}
	raw[len(raw)-1] = '\v' // the newline that finished the last line
	_, err := Resume(copyOf(t, dir, raw))
	require.ErrorContains(t, err, filepath.Join("copy.assay.d", journalName)+", line ")
}

func TestResumeRefusesAnotherVersion(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	require.NoError(t, os.Mkdir(dir, 0o700))
	head := `{"seq":1,"kind":"head","data":{"format":"assay-journal/2","new":true},"checksum":"other"}` + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, journalName), []byte(head), 0o600))
	_, err := Resume(dir)
	require.ErrorContains(t, err, `its format is "assay-journal/2", and this program reads "assay-journal/1"`)
}

func TestResumeRefuses(t *testing.T) {
	id := newIdentity(t)
	j, dir := begin(t, id)
	fill(t, j, 1)
	require.NoError(t, j.Close())
	raw := read(t, filepath.Join(dir, journalName))
	lines := bytes.SplitAfter(raw, []byte("\n"))
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	tests := []struct {
		name    string
		journal []byte
		spoil   func(dir string) error
		want    string
	}{
		{"line_dropped", join(append([][]byte{lines[0]}, lines[2:]...)...), nil, "line 2: its sum"},
		{"lines_swapped", join(append([][]byte{lines[0], lines[2], lines[1]}, lines[3:]...)...), nil, "line 2: its sum"},
		{"line_repeated", join(append([][]byte{lines[0], lines[0]}, lines[1:]...)...), nil, "line 2: its sum"},
		{"empty_line", join(lines[0], []byte("\n")), nil, "line 2: it is no line"},
		{"endless_line", append(bytes.Repeat([]byte("x"), maxLine+1), '\n'), nil, "line 1: it is longer"},
		{"member_changed", raw, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "transcript/000001"), []byte("x"), 0o600)
		}, "transcript/000001: it is not what the journal says"},
		{"member_gone", raw, func(dir string) error { return os.Remove(filepath.Join(dir, "capture.pcapng")) }, "capture.pcapng: "},
		{"foreign_file", raw, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600)
		}, "notes.txt does not belong"},
		{"no_journal", raw, func(dir string) error { return os.Remove(filepath.Join(dir, journalName)) }, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := copyOf(t, dir, tt.journal)
			if tt.spoil != nil {
				require.NoError(t, tt.spoil(dir))
			}
			_, err := Resume(dir, id)
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := Resume(filepath.Join(dir, "nothing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestEventsThatMustNotFollow are lines with a right sum.
func TestEventsThatMustNotFollow(t *testing.T) {
	head := &headEvent{journalFormat, "r", "t", []string{"age1"}, []byte("k")}
	a := evidence.Attachment{Member: "transcript/000001"}
	run := &memberEvent{evidence.Attachment{Member: RunName}}
	sealed := evidence.Attachment{Member: sealedName}
	tests := []struct {
		name   string
		events []event
		want   string
	}{
		{"no_head", []event{run}, "one head"},
		{"two_heads", []event{head, head}, "one head"},
		{"head_without_recipients", []event{&headEvent{journalFormat, "r", "t", nil, []byte("k")}}, "without recipients"},
		{"member_twice", []event{head, run, run}, "finished twice"},
		{"member_name", []event{head, &memberEvent{sealed}}, "no name"},
		{"record_of_a_finished_member", []event{head, &memberEvent{a}, &recordEvent{Record: []byte(`{}`), Open: []evidence.Attachment{a}}}, "cannot be open"},
		{"record_without_a_unit", []event{head, &recordEvent{Record: []byte(`{"seq":1}`)}}, "no unit"},
		{"record_is_none", []event{head, &recordEvent{Record: []byte(`[]`)}}, "cannot unmarshal"},
		{"seal_nothing", []event{head, &sealedEvent{Member: a.Member}}, "cannot be masked"},
		{"seal_overflow", []event{head, &sealedEvent{Member: a.Member, Offset: 1<<63 - 1, Length: 1}}, "cannot be masked"},
		{"end_without_run", []event{head, &endEvent{0, sealed}}, "it lacks"},
		{"end_with_another_count", []event{head, run, &endEvent{1, sealed}}, "it counts 1 records of 0"},
		{"after_the_end", []event{head, run, &endEvent{0, sealed}, &loginEvent{}}, "has ended"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, at, _, err := replay(strings.NewReader(journalOf(t, tt.events...)))
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, len(tt.events), at.seq+1, "the last line is named")
		})
	}
}

func journalOf(t *testing.T, events ...event) string {
	var all strings.Builder
	var at chain
	for _, e := range events {
		text, next, err := at.encode(e.kind(), mustJSON(t, e))
		require.NoError(t, err)
		all.Write(text)
		at = next
	}
	return all.String()
}

// TestMemberOpenAtTheKill is dropped if no finished record points into it.
func TestMemberOpenAtTheKill(t *testing.T) {
	j, dir := begin(t, newIdentity(t))
	kept, err := j.Member("transcript/000001")
	require.NoError(t, err)
	dropped, err := j.Member("transcript/000002")
	require.NoError(t, err)
	for _, w := range []interface{ Write([]byte) (int, error) }{kept, dropped} {
		_, err = w.Write([]byte("seen by probe 1"))
		require.NoError(t, err)
	}
	require.NoError(t, j.Record(record(1, points{evidence.Span{Member: "transcript/000001", Length: 4}})))
	_, err = kept.Write([]byte(", and more"))
	require.NoError(t, err)

	for range 2 { // a second restart changes nothing
		j = again(t, j)
		require.Equal(t, "seen by probe 1", string(read(t, filepath.Join(dir, "transcript/000001"))))
		require.NoFileExists(t, filepath.Join(dir, "transcript/000002"))
		require.Equal(t, evidence.Member("transcript/000002"), j.NextTranscript(), "nothing remembers it")
		_, err = j.Member("transcript/000001")
		require.ErrorContains(t, err, "cannot be opened again")
	}
	require.NoError(t, j.Input(RunName, nil))
	_, err = Pack(j, filepath.Join(t.TempDir(), "x"), nil)
	require.NoError(t, err)
}

// TestMemberThatLostWhatARecordSaw is a disk that did not keep what it had said
// to keep.
func TestMemberThatLostWhatARecordSaw(t *testing.T) {
	j, dir := begin(t, newIdentity(t))
	w, err := j.Member("transcript/000001")
	require.NoError(t, err)
	_, err = w.Write([]byte("seen"))
	require.NoError(t, err)
	require.NoError(t, j.Record(record(1, points{evidence.Span{Member: "transcript/000001", Length: 4}})))
	require.NoError(t, j.Close())
	require.NoError(t, os.Truncate(filepath.Join(dir, "transcript/000001"), 3))
	_, err = Resume(dir)
	require.ErrorContains(t, err, "transcript/000001: it is not what the journal says")
}

// TestSealedMemberOpenAtTheKill must not lend its secrets to another member.
func TestSealedMemberOpenAtTheKill(t *testing.T) {
	id := newIdentity(t)
	j, _ := begin(t, id)
	w, err := j.Member("transcript/000001")
	require.NoError(t, err)
	_, err = w.Write([]byte("****"))
	require.NoError(t, err)
	require.NoError(t, j.Seal("transcript/000001", 0, []byte("lost")))
	require.ErrorContains(t, j.Seal("transcript/000002", 0, []byte("x")), "no member")

	j = again(t, j, id)
	require.Equal(t, evidence.Member("transcript/000002"), j.NextTranscript())
	_, err = j.Member("transcript/000001")
	require.ErrorContains(t, err, "cannot be opened again")
	require.NoError(t, j.Input(RunName, nil))
	out := filepath.Join(t.TempDir(), "x")
	_, err = Pack(j, out, nil)
	require.NoError(t, err)
	u, err := Unseal(out, id)
	require.NoError(t, err)
	require.Empty(t, u.Originals)
}
