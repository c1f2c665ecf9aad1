package bundle

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"filippo.io/age"

	"github.com/assay-iot/assay/harness/evidence"
)

// journalName is the file in a journal's directory that says what holds.
const journalName = "journal.jsonl"

// Head says of which run a journal is.
type Head struct {
	Run  string // id: letters, digits, dots, dashes and underscores
	Tool string // name, version and hash of the program that collects
}

// A Journal is the evidence of a run that has not been packed. What a method
// has taken is on disk before it returns. After a write has failed every
// further call returns that error: a run with a hole in it is never continued.
// Its methods may be called from several goroutines.
type Journal struct {
	dir        string
	disk       disk
	file       file // the journal proper, locked
	recipients []age.Recipient
	written    atomic.Int64 // bytes for the bundle

	mu          sync.Mutex
	end         chain
	state       *state
	compareKey  []byte // nil if it could not be recovered
	keyErr      error  // why not
	open        map[evidence.Member]*memberWriter
	burnt       map[evidence.Member]bool // names that must not be used again
	transcripts int                      // the highest number in use

	fault fault
}

// Create begins a journal in dir, which must not exist yet. The recipients are
// those who may later read what was masked; their own String must tell who they
// are, as those of age's X25519 and hybrid keys do.
func Create(dir string, h Head, recipients []age.Recipient) (*Journal, error) {
	if err := os.Mkdir(dir, dirPerm); err != nil {
		return nil, fmt.Errorf("begin a journal: %w", err)
	}
	d, err := openDisk(dir)
	if err != nil {
		return nil, fmt.Errorf("begin a journal: %w", err)
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return nil, fmt.Errorf("begin a journal: %w", err)
	}
	return createOn(d, dir, h, recipients)
}

func createOn(d disk, dir string, h Head, recipients []age.Recipient) (*Journal, error) {
	j := &Journal{dir: dir, disk: d, recipients: recipients, state: newState(), open: map[evidence.Member]*memberWriter{}}
	if err := j.begin(h); err != nil {
		return nil, fmt.Errorf("begin journal %q: %w", dir, closeAfter(j, err))
	}
	return j, nil
}

// begin writes the head.
func (j *Journal) begin(h Head) error {
	names, err := recipientNames(j.recipients)
	if err != nil {
		return err
	}
	j.compareKey = newCompareKey()
	key, err := seal(j.recipients, secret{CompareKey: j.compareKey})
	if err != nil {
		return err
	}
	if j.file, err = create(j.disk, journalName); err != nil {
		return err
	}
	if err := lock(j.file); err != nil {
		return err
	}
	if err := j.append(&headEvent{journalFormat, h.Run, h.Tool, names, key}); err != nil {
		return err
	}
	return syncName(j.disk, journalName)
}

// append writes e. The caller holds j.mu, or is the only one to know j.
func (j *Journal) append(e event) error {
	if err := j.fault.get(); err != nil {
		return err
	}
	if err := j.state.admit(e); err != nil {
		return j.refuse(e, err)
	}
	data, err := json.Marshal(e)
	if err != nil {
		return j.refuse(e, err)
	}
	text, next, err := j.end.encode(e.kind(), data)
	if err != nil {
		return j.refuse(e, err)
	}
	if _, err = j.file.Write(text); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return j.fault.set(fmt.Errorf("journal %q cannot be written any more: %w", j.dir, err))
	}
	j.end = next
	e.apply(j.state)
	return nil
}

// refuse says that e was not written; the journal stays as it was.
func (j *Journal) refuse(e event, err error) error {
	return fmt.Errorf("journal %q: %s: %w", j.dir, e.kind(), err)
}

// put is append for callers that do not hold j.mu.
func (j *Journal) put(e event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.append(e)
}

// Head returns what Create was told.
func (j *Journal) Head() Head { return Head{j.state.head.Run, j.state.head.Tool} }

// Dir returns the directory that holds the journal.
func (j *Journal) Dir() string { return j.dir }

// Log returns the finished records, as a reader of the bundle will see them.
func (j *Journal) Log() evidence.Log {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.state.log)
}

// Ended reports whether the run is over and only Pack is left to do.
func (j *Journal) Ended() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.ended
}

// Close lets go of the journal, which can be resumed. Members that are open
// are left as a kill would leave them.
func (j *Journal) Close() error {
	_ = j.fault.set(fmt.Errorf("journal %q: %w", j.dir, os.ErrClosed)) // an earlier one stays
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, w := range j.open {
		w.abandon()
	}
	var err error
	if j.file != nil {
		err = j.file.Close()
	}
	return closeAfter(j.disk, err)
}

// Remove deletes a journal that has ended and closes it. It is for after the
// bundle has been packed, and nothing else deletes evidence.
func (j *Journal) Remove() error {
	if !j.Ended() {
		return fmt.Errorf("journal %q has not been packed", j.dir)
	}
	if err := j.disk.Remove(journalName); err != nil {
		return fmt.Errorf("remove journal: %w", err)
	}
	return closeAfter(j, os.RemoveAll(j.dir))
}

// fault keeps the first error that ended the writing.
type fault struct {
	mu  sync.Mutex
	err error
}

func (f *fault) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// set keeps err unless another came first, and returns the one that is kept.
func (f *fault) set(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	return f.err
}
