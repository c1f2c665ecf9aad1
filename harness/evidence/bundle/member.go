package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/assay-iot/assay/harness/evidence"
)

const (
	// MaxBundle bounds the members of one bundle together, in bytes: beyond, a
	// zip would need extra fields. A write that goes beyond ends the journal like
	// any that fails: who captures must stop in time.
	MaxBundle = 4<<30 - 1<<27
	// MaxMembers bounds their number, for the same reason.
	MaxMembers = 65000
)

// Member opens a member for a probe to write: a transcript, the capture or an
// attachment ("transcript/000001", "capture.pcapng", "attachments/NAME").
// Secrets must be masked in what is written. A member that is open when the
// run is killed was not finished: it is dropped, unless a finished record points
// into it; then it is kept as it was when that record was taken.
func (j *Journal) Member(m evidence.Member) (io.WriteCloser, error) {
	if !collected(m) {
		return nil, fmt.Errorf("journal %q: %q is no name for a member", j.dir, m)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	w, err := j.openMember(m)
	if err != nil {
		return nil, err // a nil *memberWriter would not be a nil writer
	}
	return w, nil
}

func (j *Journal) openMember(m evidence.Member) (*memberWriter, error) {
	if err := j.fault.get(); err != nil {
		return nil, err
	}
	_, finished := j.state.members[m]
	_, open := j.open[m]
	switch {
	case finished || open || j.burnt[m] || j.state.ended:
		return nil, fmt.Errorf("journal %q: member %q cannot be opened again", j.dir, m)
	case len(j.state.members)+len(j.open) >= MaxMembers:
		return nil, fmt.Errorf("journal %q has %d members, the most that a bundle holds", j.dir, MaxMembers)
	}
	f, err := create(j.disk, string(m))
	if err != nil {
		return nil, j.fault.set(fmt.Errorf("journal %q: %w", j.dir, err))
	}
	w := &memberWriter{journal: j, name: m, file: f, hash: sha256.New()}
	j.open[m] = w
	j.used(m)
	return w, nil
}

// NextTranscript returns the name of a transcript after all that the run has or
// had.
func (j *Journal) NextTranscript() evidence.Member {
	j.mu.Lock()
	defer j.mu.Unlock()
	return transcriptName(j.transcripts + 1)
}

func transcriptName(n int) evidence.Member { return evidence.Member(fmt.Sprintf("transcript/%06d", n)) }

// used keeps a name from being proposed again.
func (j *Journal) used(m evidence.Member) {
	if rank(m) == transcriptRank {
		// Of a connection on which nothing came there is only what was sent.
		number := strings.TrimSuffix(path.Base(string(m)), ".out")
		n, _ := strconv.Atoi(number) // six digits, as the rank says
		j.transcripts = max(j.transcripts, n)
	}
}

// Input keeps what the operator gave: RunName, DeviceName, or "inputs/NAME". To
// give the same again changes nothing; to give another under that name is an
// error.
func (j *Journal) Input(m evidence.Member, data []byte) error {
	if !input(m) {
		return fmt.Errorf("journal %q: %q is no name for an input", j.dir, m)
	}
	j.mu.Lock()
	a := evidence.Attachment{Member: m, SHA256: digest(data), Length: int64(len(data))}
	if old, ok := j.state.members[m]; ok {
		defer j.mu.Unlock()
		if old != a {
			return fmt.Errorf("journal %q holds another %q", j.dir, m)
		}
		return j.fault.get()
	}
	w, err := j.openMember(m)
	j.mu.Unlock()
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
		return err
	}
	return w.Close()
}

// memberWriter writes one member and remembers its hash. Any failure ends the
// whole journal: a transcript with a hole would show what never happened.
type memberWriter struct {
	journal *Journal
	name    evidence.Member

	mu     sync.Mutex
	file   file // nil once it is closed
	hash   hash.Hash
	length int64
}

// Write appends to the member.
func (w *memberWriter) Write(b []byte) (int, error) {
	if err := w.journal.fault.get(); err != nil {
		return 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return 0, fmt.Errorf("member %q is closed", w.name)
	}
	if err := w.journal.room(len(b)); err != nil {
		return 0, err
	}
	n, err := w.file.Write(b)
	w.hash.Write(b[:n])
	w.length += int64(n)
	if err != nil {
		return n, w.failed(err)
	}
	return n, nil
}

// Close finishes the member. It is on disk, with its name and hash, before
// Close returns.
func (w *memberWriter) Close() error {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	a, err := w.finish()
	if err != nil {
		return err
	}
	delete(w.journal.open, w.name)
	return w.journal.append(&memberEvent{a})
}

// finish brings the member to disk and closes its file.
func (w *memberWriter) finish() (evidence.Attachment, error) {
	a, err := w.sync()
	if err != nil {
		return a, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	err = w.file.Close()
	w.file = nil
	if err != nil {
		return a, w.failed(err)
	}
	return a, nil
}

// sync brings what was written so far to disk and says what it is.
func (w *memberWriter) sync() (evidence.Attachment, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.journal.fault.get(); err != nil {
		return evidence.Attachment{}, err
	}
	if w.file == nil {
		return evidence.Attachment{}, fmt.Errorf("member %q is closed", w.name)
	}
	err := w.file.Sync()
	if err == nil {
		err = syncName(w.journal.disk, string(w.name))
	}
	if err != nil {
		return evidence.Attachment{}, w.failed(err)
	}
	sum := evidence.Digest(hex.EncodeToString(w.hash.Sum(nil)))
	return evidence.Attachment{Member: w.name, SHA256: sum, Length: w.length}, nil
}

// abandon closes the file of a member that will not be finished.
func (w *memberWriter) abandon() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file != nil {
		_ = w.file.Close() // what it holds was never promised
		w.file = nil
	}
}

func (w *memberWriter) failed(err error) error {
	return w.journal.fault.set(fmt.Errorf("member %q cannot be written: %w", w.name, err))
}

// sortedNames returns the names of members in their order in a bundle.
func sortedNames[V any](members map[evidence.Member]V) []evidence.Member {
	return slices.SortedFunc(maps.Keys(members), inOrder)
}

// room takes n bytes of what the bundle may hold.
func (j *Journal) room(n int) error {
	if j.written.Add(int64(n)) > MaxBundle {
		return j.fault.set(fmt.Errorf("journal %q holds more than the %d bytes of a bundle", j.dir, int64(MaxBundle)))
	}
	return nil
}
