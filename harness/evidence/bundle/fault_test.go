package bundle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// faultyDisk is a disk of which the operation with the number at fails as a
// full one does; a write fails after half of its bytes.
type faultyDisk struct {
	disk
	n, at *int
}

// noSync is a disk that never fails and never waits.
func noSync(t *testing.T, dir string) disk {
	d, err := openDisk(dir)
	require.NoError(t, err)
	return faultyDisk{d, new(int), new(int)}
}

func (d faultyDisk) op() error {
	*d.n++
	if *d.n == *d.at {
		return syscall.ENOSPC
	}
	return nil
}

func (d faultyDisk) OpenFile(name string, flag int, perm fs.FileMode) (file, error) {
	if err := d.op(); err != nil {
		return nil, err
	}
	f, err := d.disk.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return faultyFile{f, d, flag != os.O_RDONLY}, nil
}

func (d faultyDisk) Mkdir(name string, perm fs.FileMode) error {
	if err := d.op(); err != nil {
		return err
	}
	return d.disk.Mkdir(name, perm)
}

func (d faultyDisk) Remove(name string) error {
	if err := d.op(); err != nil {
		return err
	}
	return d.disk.Remove(name)
}

func (d faultyDisk) Rename(from, to string) error {
	if err := d.op(); err != nil {
		return err
	}
	return d.disk.Rename(from, to)
}

type faultyFile struct {
	file
	disk     faultyDisk
	writable bool
}

func (f faultyFile) Write(b []byte) (int, error) {
	if err := f.disk.op(); err != nil {
		n, _ := f.file.Write(b[:len(b)/2])
		return n, err
	}
	return f.file.Write(b)
}

// Sync fails after all was written, so what it was called for may be there. It
// does not wait for the real disk: no power is cut here.
func (f faultyFile) Sync() error { return f.disk.op() }

func (f faultyFile) Truncate(size int64) error {
	if err := f.disk.op(); err != nil {
		return err
	}
	return f.file.Truncate(size)
}

func (f faultyFile) Close() error {
	err := f.file.Close()
	if f.writable {
		err = errors.Join(f.disk.op(), err)
	}
	return err
}

const faultyRecords = 3

// collect continues a run to its end, from wherever it stands, and counts what
// was announced.
func collect(j *Journal, announced *int) error {
	if err := j.Input(RunName, []byte("{}")); err != nil {
		return err
	}
	for seq := len(j.Log()) + 1; seq <= faultyRecords; seq++ {
		if err := collectOne(j, seq); err != nil {
			return err
		}
		*announced = seq
	}
	return nil
}

func collectOne(j *Journal, seq int) error {
	m := j.NextTranscript()
	w, err := j.Member(m)
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte("said ****")); err != nil {
		return err
	}
	if err := j.Seal(m, 5, []byte("word")); err != nil {
		return err
	}
	if _, err := j.Login(evidence.DUT, "ssh", "root"); err != nil {
		return err
	}
	if err := j.Before(evidence.DUT, "p", "s"); err != nil {
		return err
	}
	if seq == 2 { // one that is still open when its record is taken
		if err := j.Record(record(seq, points{evidence.Span{Member: m, Length: 4}})); err != nil {
			return err
		}
		return w.Close()
	}
	if err := w.Close(); err != nil {
		return err
	}
	return j.Record(record(seq, points{evidence.Span{Member: m, Length: 4}}))
}

// TestE7EachWriteFailsOnce fails each operation of a whole run in turn. Each
// time there is an error, no bundle, and nothing announced is lost: a clean disk
// finishes the run.
func TestE7EachWriteFailsOnce(t *testing.T) {
	id := newIdentity(t)
	for at := 1; ; at++ {
		n, announced := 0, 0
		dir, out := filepath.Join(t.TempDir(), "d"), t.TempDir()
		err := wholeRun(t, dir, out, id, &n, &at, &announced)
		if n < at {
			require.NoError(t, err)
			require.Greater(t, at, 80, "operations of a run")
			return
		}
		require.ErrorIs(t, err, syscall.ENOSPC, "operation %d", at)
		finish(t, dir, out, id, announced, at)
	}
}

func wholeRun(t *testing.T, dir, out string, id *age.X25519Identity, n, at, announced *int) error {
	require.NoError(t, os.Mkdir(dir, 0o700))
	real, err := openDisk(dir)
	require.NoError(t, err)
	j, err := createOn(faultyDisk{real, n, at}, dir, Head{"r", "t"}, []age.Recipient{id.Recipient()})
	if err != nil {
		return err
	}
	defer func() { // letting go is no part of the run
		taken := *n
		j.Close()
		*n = taken
	}()
	if err := collect(j, announced); err != nil {
		require.Error(t, j.Record(record(len(j.Log())+1, 1)), "operation %d: it goes on after a failed write", *at)
		_, perr := Pack(j, filepath.Join(out, "early"), nil)
		require.Error(t, perr, "operation %d: a shorter run", *at)
		return err
	}
	target, err := openDisk(out)
	require.NoError(t, err)
	defer target.Close()
	_, err = packOn(faultyDisk{target, n, at}, "x", j, signerOf(1))
	return err
}

// finish resumes on a disk that works.
func finish(t *testing.T, dir, out string, id *age.X25519Identity, announced, at int) {
	t.Helper()
	if b, err := Open(filepath.Join(out, "x"), Limits{}); err == nil {
		require.Len(t, b.Log(), faultyRecords, "operation %d", at)
		require.NoError(t, b.Close())
	} else {
		require.ErrorIs(t, err, os.ErrNotExist, "operation %d: half a bundle", at)
	}
	j, err := resumeOn(noSync(t, dir), dir, []age.Identity{id})
	if err != nil {
		require.Zero(t, announced, "operation %d: %v", at, err)
		require.Less(t, at, 10, "operation %d: %v", at, err) // the head was not on disk
		return
	}
	defer j.Close()
	require.GreaterOrEqual(t, len(j.Log()), announced, "operation %d: a finished record is lost", at)
	require.LessOrEqual(t, len(j.Log()), announced+1, "operation %d", at)
	if !j.Ended() {
		require.NoError(t, collect(j, &announced), "operation %d", at)
	}
	require.Len(t, j.Log(), faultyRecords)
	require.LessOrEqual(t, j.Logins(evidence.DUT, "ssh", "root"), faultyRecords+1)
	_, err = Pack(j, filepath.Join(out, "x"), signerOf(1))
	require.NoError(t, err, "operation %d", at)
	u, err := Unseal(filepath.Join(out, "x"), id)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(u.Originals), faultyRecords)
}

// TestE7ResumeOnAFullDisk fails each operation of a resumption in turn.
func TestE7ResumeOnAFullDisk(t *testing.T) {
	id := newIdentity(t)
	j, dir := begin(t, id)
	require.NoError(t, j.Input(RunName, nil))
	for _, m := range []evidence.Member{"transcript/000001", "transcript/000002"} {
		w, err := j.Member(m)
		require.NoError(t, err)
		_, err = w.Write([]byte("seen"))
		require.NoError(t, err)
	}
	require.NoError(t, j.Record(record(1, points{evidence.Span{Member: "transcript/000001", Length: 4}})))
	require.NoError(t, j.Close())
	torn := append(read(t, filepath.Join(dir, journalName)), `{"seq":4,"ki`...)
	for at := 1; ; at++ {
		work, n := copyOf(t, dir, torn), 0
		real, err := openDisk(work)
		require.NoError(t, err)
		resumed, err := resumeOn(faultyDisk{real, &n, &at}, work, nil)
		if n < at {
			require.NoError(t, err)
			at = 0 // closing may work
			require.NoError(t, resumed.Close())
			require.Greater(t, n, 8)
			return
		}
		require.ErrorIs(t, err, syscall.ENOSPC, "operation %d", at)
		resumed, err = resumeOn(noSync(t, work), work, nil)
		require.NoError(t, err, "operation %d", at)
		require.Len(t, resumed.Log(), 1)
		require.NoError(t, resumed.Close())
	}
}

func TestMoreThanABundleHolds(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	j.written.Store(MaxBundle - 3)
	w, err := j.Member(CaptureName)
	require.NoError(t, err)
	_, err = w.Write([]byte("abc"))
	require.NoError(t, err)
	_, err = w.Write([]byte("d"))
	require.ErrorContains(t, err, "of a bundle")
	require.Error(t, j.Record(record(1, 1)), "never a shorter run")
}
