package bundle

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/assay-iot/assay/harness/evidence"
)

// Resume continues a journal that a process left behind, however it ended. A
// last line that is cut was never announced and is dropped; anything else that
// does not hold is an error that names the file and the line. The identities
// recover the compare key; without them the journal can be packed, but
// CompareKey fails.
func Resume(dir string, identities ...age.Identity) (*Journal, error) {
	d, err := openDisk(dir)
	if err != nil {
		return nil, fmt.Errorf("resume: %w", err)
	}
	return resumeOn(d, dir, identities)
}

func resumeOn(d disk, dir string, identities []age.Identity) (*Journal, error) {
	j := &Journal{dir: dir, disk: d, open: map[evidence.Member]*memberWriter{}, burnt: map[evidence.Member]bool{}}
	err := j.reopen()
	if err == nil {
		err = j.recoverMembers()
	}
	if err == nil {
		err = j.unsealAll(identities)
	}
	if err != nil {
		return nil, fmt.Errorf("resume: %w", closeAfter(j, err))
	}
	return j, nil
}

// reopen locks and reads the journal proper, and cuts off what was torn.
func (j *Journal) reopen() error {
	name := filepath.Join(j.dir, journalName)
	f, err := j.disk.OpenFile(journalName, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	j.file = f
	if err := lock(f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var whole int64
	if j.state, j.end, whole, err = replay(f); err != nil {
		return fmt.Errorf("%s, line %d: %w", name, j.end.seq+1, err)
	}
	if err := f.Truncate(whole); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := syncName(j.disk, journalName); err != nil { // a folder may be new
		return err
	}
	j.recipients, err = parseRecipients(j.state.head.Recipients)
	return err
}

// replay adds up the lines of a journal. It returns where they end: in the
// chain, and in the file.
func replay(r io.Reader) (*state, chain, int64, error) {
	s, at, whole := newState(), chain{}, int64(0)
	lines := bufio.NewReader(r)
	for {
		text, err := readLine(lines, maxLine)
		if torn(err, text, at) {
			err = io.EOF
		}
		if errors.Is(err, io.EOF) && at.seq > 0 {
			return s, at, whole, nil
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("there is no head: no run has begun")
		}
		if err != nil {
			return nil, at, whole, err
		}
		next, err := s.take(at, text)
		if err != nil {
			return nil, at, whole, err
		}
		at, whole = next, whole+int64(len(text))+1
	}
}

// torn reports whether what follows the last newline is a line that was being
// written. A whole line with something else in the place of its newline was
// finished, and damaged afterwards.
func torn(err error, text []byte, at chain) bool {
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	_, _, whole := at.decode(text[:len(text)-1])
	return whole != nil
}

// take adds one line, which follows at.
func (s *state) take(at chain, text []byte) (chain, error) {
	if at.seq == 0 {
		if err := checkFormat(text); err != nil {
			return at, err
		}
	}
	l, next, err := at.decode(text)
	if err != nil {
		return at, err
	}
	e, err := decodeEvent(l)
	if err != nil {
		return at, err
	}
	if err := s.admit(e); err != nil {
		return at, err
	}
	e.apply(s)
	return next, nil
}

// checkFormat names a format that is not ours, of which nothing else can be
// understood.
func checkFormat(head []byte) error {
	var h struct{ Data struct{ Format string } }
	if json.Unmarshal(head, &h) == nil && h.Data.Format != "" && h.Data.Format != journalFormat {
		return (&headEvent{Format: h.Data.Format}).check(nil)
	}
	return nil
}

// recoverMembers compares the members with the journal. What was not finished is
// dropped, or cut back to what a finished record points into.
func (j *Journal) recoverMembers() error {
	var total int64
	for _, name := range sortedNames(j.state.members) {
		a := j.state.members[name]
		if err := j.verify(a, true); err != nil {
			return err
		}
		total += a.Length
		j.used(name)
	}
	for _, r := range j.state.records {
		total += int64(len(r))
	}
	j.written.Store(total)
	for _, name := range sortedNames(j.state.partial) {
		if err := j.cutBack(j.state.partial[name]); err != nil {
			return err
		}
	}
	for _, e := range j.state.sealed {
		if _, ok := j.state.members[e.Member]; !ok {
			j.burnt[e.Member] = true
		}
		j.used(e.Member)
	}
	return j.dropRest()
}

// verify compares a file with what the journal says of it, or of its beginning.
func (j *Journal) verify(a evidence.Attachment, whole bool) error {
	path := filepath.Join(j.dir, string(a.Member))
	f, err := j.disk.FS().Open(string(a.Member))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.CopyN(h, f, a.Length)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if n < a.Length || whole && info.Size() != a.Length || evidence.Digest(hex.EncodeToString(h.Sum(nil))) != a.SHA256 {
		return fmt.Errorf("%s: it is not what the journal says that it is", path)
	}
	return nil
}

// cutBack finishes a member that was open when the process was killed, with
// what it held when the last record that points into it was taken.
func (j *Journal) cutBack(a evidence.Attachment) error {
	if err := j.verify(a, false); err != nil {
		return err
	}
	f, err := j.disk.OpenFile(string(a.Member), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Truncate(a.Length)
	if err == nil {
		err = f.Sync()
	}
	if err := closeAfter(f, err); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(j.dir, string(a.Member)), err)
	}
	j.used(a.Member)
	j.written.Add(a.Length)
	return j.append(&memberEvent{a})
}

// dropRest removes the members that were not finished. A file that no journal
// makes is somebody else's, and is refused.
func (j *Journal) dropRest() error {
	return fs.WalkDir(j.disk.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == journalName {
			return err
		}
		m := evidence.Member(name)
		if _, finished := j.state.members[m]; finished {
			return nil
		}
		if !collected(m) && !input(m) && m != sealedName {
			return fmt.Errorf("%s does not belong into a journal", filepath.Join(j.dir, name))
		}
		return j.disk.Remove(name)
	})
}

// unsealAll reads the compare key and the originals of earlier processes. An
// identity that opens one must open all: they have the same recipients.
func (j *Journal) unsealAll(identities []age.Identity) error {
	key, err := unseal(j.state.head.CompareKey, identities)
	if err != nil || len(key.CompareKey) != compareKeyLen {
		j.keyErr = errors.Join(errors.New("it needs an identity of one of the run's recipients"), err)
		return nil
	}
	j.compareKey = key.CompareKey
	for i, e := range j.state.sealed {
		s, err := unseal(e.Age, identities)
		if err != nil || s.Member != e.Member || s.Offset != e.Offset || int64(len(s.Original)) != e.Length {
			return errors.Join(fmt.Errorf("%s: what was sealed of %q at %d cannot be read", j.dir, e.Member, e.Offset), err)
		}
		j.state.sealed[i].original = s.Original
	}
	return nil
}
