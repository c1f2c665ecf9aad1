package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
)

// again closes j and resumes it, as after a restart.
func again(t *testing.T, j *Journal, ids ...age.Identity) *Journal {
	require.NoError(t, j.Close())
	j, err := Resume(j.dir, ids...)
	require.NoError(t, err)
	t.Cleanup(func() { j.Close() })
	return j
}

func TestRecordRefuses(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	require.NoError(t, j.Record(record(1, 1)))
	large := record(2, strings.Repeat("x", evidence.MaxRecord))
	twice, gap, nobody, none := record(2, 2), record(3, 3), record(2, 2), record(2, 2)
	twice.Probe, nobody.Unit, none.Probe = "probe-1", "", ""
	for want, r := range map[string]evidence.Record{
		"attach what is larger":    large,
		"a second record of probe": twice,
		"record 3 follows":         gap,
		"no unit":                  nobody,
		"no probe":                 none,
	} {
		require.ErrorContains(t, j.Record(r), want)
	}
	phase := twice
	phase.Phase = "after update"
	require.NoError(t, j.Record(phase), "another phase is another record, and a refusal breaks nothing")
	other := record(3, 1)
	other.Unit, other.Probe = "unit-2", "probe-1"
	require.NoError(t, j.Record(other))
	require.Len(t, j.Log(), 3)
}

func TestLogIsTheSameAfterARestart(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	r := record(1, map[string]string{"hostile": "<script>\u2028\x00"})
	require.NoError(t, j.Record(r))
	failed := record(2, nil)
	failed.Data, failed.Status, failed.Reason = nil, evidence.Failed, msg.T("no answer from {addr}", "addr", "192.0.2.1")
	require.NoError(t, j.Record(failed))
	log := j.Log()
	j = again(t, j)
	require.Equal(t, log, j.Log())
	require.Equal(t, "no answer from 192.0.2.1", j.Log()[1].Reason.String())
	require.Equal(t, Head{"run-1", "assay test"}, j.Head())
	require.NoError(t, j.Record(record(3, 3)))
}

func TestProgressOverARestart(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	require.Equal(t, Progress{}, j.Progress(evidence.DUT, "update"))
	require.NoError(t, j.Before(evidence.DUT, "update", "send"))
	require.NoError(t, j.Done(evidence.DUT, "update", "send", json.RawMessage(`{"sent":1}`)))
	require.NoError(t, j.Before(evidence.DUT, "update", "restart"))
	require.NoError(t, j.Undone(evidence.DUT, "update", "send"))
	require.ErrorContains(t, j.Undone(evidence.DUT, "update", "never"), "has not begun")
	require.ErrorContains(t, j.Done("unit-2", "update", "send", nil), "has not begun")
	require.Error(t, j.Done(evidence.DUT, "update", "restart", json.RawMessage(`{`)), "no JSON")
	want := Progress{[]string{"send", "restart"}, []string{"send"}, []string{"send"}, json.RawMessage(`{"sent":1}`)}
	require.Equal(t, want, j.Progress(evidence.DUT, "update"))
	require.Equal(t, want, again(t, j).Progress(evidence.DUT, "update"))
}

func TestLoginBudgetsHoldOverARestart(t *testing.T) {
	j, dir := begin(t, newIdentity(t))
	for want := 1; want <= 3; want++ {
		n, err := j.Login(evidence.DUT, "ssh", "admin-account")
		require.NoError(t, err)
		require.Equal(t, want, n)
		j = again(t, j)
	}
	for _, other := range [][3]string{{"unit-2", "ssh", "admin-account"}, {evidence.DUT, "http", "admin-account"}, {evidence.DUT, "ssh", "root"}} {
		require.Zero(t, j.Logins(other[0], other[1], other[2]))
	}
	require.Equal(t, 3, j.Logins(evidence.DUT, "ssh", "admin-account"))
	require.NotContains(t, string(read(t, filepath.Join(dir, journalName))), "admin-account")
}

func TestCompareKeyNeedsAnIdentityAfterARestart(t *testing.T) {
	id := newIdentity(t)
	j, _ := begin(t, id)
	key, err := j.CompareKey()
	require.NoError(t, err)
	require.Len(t, key, compareKeyLen)

	j = again(t, j, newIdentity(t))
	_, err = j.CompareKey()
	require.ErrorContains(t, err, "an identity of one of the run's recipients")
	j = again(t, j)
	_, err = j.CompareKey()
	require.ErrorContains(t, err, "no identity was given")

	j = again(t, j, newIdentity(t), id)
	recovered, err := j.CompareKey()
	require.NoError(t, err)
	require.Equal(t, key, recovered)

	other, _ := begin(t, id)
	k, err := other.CompareKey()
	require.NoError(t, err)
	require.NotEqual(t, key, k, "each run has its own")
}

func TestCreateRefuses(t *testing.T) {
	id := newIdentity(t)
	dir := t.TempDir()
	tests := []struct {
		name, dir  string
		run        string
		recipients []age.Recipient
		want       string
	}{
		{"there_already", ".", "r", []age.Recipient{id.Recipient()}, "exists"},
		{"no_recipient", "a", "r", nil, "no recipient"},
		{"recipient_without_a_name", "b", "r", []age.Recipient{&age.ScryptRecipient{}}, "does not tell its name"},
		{"run_id", "c", "../r", []age.Recipient{id.Recipient()}, "run id"},
		{"no_parent", "x/y", "r", []age.Recipient{id.Recipient()}, "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Create(filepath.Join(dir, tt.dir), Head{tt.run, "t"}, tt.recipients)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestMemberNames(t *testing.T) {
	j, dir := begin(t, newIdentity(t))
	for _, bad := range []evidence.Member{
		"", ".", "..", "/etc/passwd", "../x", "transcript", "transcript/", "transcript/1", "transcript/0000001", "transcript/00000a",
		"transcript/../000001", "transcript//000001", "transcript/000001/x", "Transcript/000001", "attachments/..", "attachments/.x",
		"attachments/A", "attachments/a b", "attachments/a\x00", "attachments/a\n", "attachments/é", "journal.jsonl", "manifest.json",
		"records.jsonl", "sealed.age", "signature", "run.json", "inputs/x", "attachments/a\\b",
		evidence.Member("attachments/" + strings.Repeat("a", 101)),
	} {
		_, err := j.Member(bad)
		require.ErrorContains(t, err, "no name for a member", "%q", bad)
	}
	for _, bad := range []evidence.Member{"", "inputs/", "inputs/../run.json", "inputs/a/b", "transcript/000001", "manifest.json", "inputs/X"} {
		require.ErrorContains(t, j.Input(bad, nil), "no name for an input", "%q", bad)
	}
	for _, good := range []evidence.Member{"transcript/000001", CaptureName, "attachments/a.b-c_9"} {
		write(t, j, good, "x")
		_, err := j.Member(good)
		require.ErrorContains(t, err, "cannot be opened again")
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*"))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing outside the directory")
}

func TestInputTwice(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	for range 2 {
		require.NoError(t, j.Input(DeviceName, []byte("a")))
		require.NoError(t, j.Input(DeviceName, []byte("a")), "the same again, as a resumed run gives it")
		require.ErrorContains(t, j.Input(DeviceName, []byte("b")), "holds another")
		j = again(t, j)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	j, dir := begin(t, newIdentity(t))
	_, err := Resume(dir)
	require.ErrorContains(t, err, "another process writes to it")
	require.NoError(t, j.Record(record(1, 1)), "the first goes on")
	j = again(t, j)
	require.Len(t, j.Log(), 1)
}

func TestClosedJournalTakesNothing(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	w, err := j.Member("transcript/000001")
	require.NoError(t, err)
	require.NoError(t, j.Close())
	require.ErrorIs(t, j.Record(record(1, 1)), os.ErrClosed)
	_, err = w.Write([]byte("x"))
	require.ErrorIs(t, err, os.ErrClosed)
	require.Error(t, w.Close())
	_, err = j.Member("transcript/000002")
	require.ErrorIs(t, err, os.ErrClosed)
	require.Error(t, j.Input(RunName, nil))
	require.Empty(t, j.Log())
}

// TestManyWritersAtOnce is for the race detector, too.
func TestManyWritersAtOnce(t *testing.T) {
	id := newIdentity(t)
	j, _ := begin(t, id)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			m := transcriptName(i + 1)
			w, err := j.Member(m)
			if err == nil {
				_, err = w.Write([]byte("12345"))
			}
			for _, step := range []func() error{
				func() error { return err },
				func() error { return j.Seal(m, 0, []byte("1")) },
				func() error { _, err := j.Login(evidence.DUT, "ssh", "root"); return err },
				w.Close,
			} {
				if err := step(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, 8, j.Logins(evidence.DUT, "ssh", "root"))
	j = again(t, j, id)
	require.Len(t, j.state.members, 8)
	require.Equal(t, evidence.Member("transcript/000009"), j.NextTranscript())
}
