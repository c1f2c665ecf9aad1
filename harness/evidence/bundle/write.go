package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/assay-iot/assay/harness/evidence"
)

// Record takes a finished record; only after that may its outcome be announced.
// It refuses one that is too large, out of turn, a second of the same unit,
// phase and probe, or whose attachments are not finished members. Members that
// are open and named in the record's data are brought to disk first, so that
// they can be kept, up to here, if the run is killed.
func (j *Journal) Record(r evidence.Record) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record %d: %w", r.Seq, err)
	}
	e := &recordEvent{Record: raw}
	if err := e.decode(); err != nil {
		return fmt.Errorf("record %d of probe %q: %w", r.Seq, r.Probe, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.room(len(raw)); err != nil {
		return err
	}
	if e.Open, err = j.pin(raw); err != nil {
		return err
	}
	return j.append(e)
}

// pin brings the open members that a record names to disk and says how far each
// has come.
func (j *Journal) pin(record []byte) ([]evidence.Attachment, error) {
	var pinned []evidence.Attachment
	for _, name := range sortedNames(j.open) {
		if !bytes.Contains(record, strconv.AppendQuote(nil, string(name))) {
			continue
		}
		a, err := j.open[name].sync()
		if err != nil {
			return nil, err
		}
		pinned = append(pinned, a)
	}
	return pinned, nil
}

// Before notes that a step of a procedure is about to be taken.
func (j *Journal) Before(unit, probe, step string) error {
	return j.put(&stepEvent{unit, probe, step, nil, before})
}

// Done notes that a step was taken, and the evidence as it stands after it.
func (j *Journal) Done(unit, probe, step string, data json.RawMessage) error {
	return j.put(&stepEvent{unit, probe, step, data, done})
}

// Undone notes that a step was put back.
func (j *Journal) Undone(unit, probe, step string) error {
	return j.put(&stepEvent{unit, probe, step, nil, undone})
}

// Progress returns how far the procedure of a probe has come, before a restart
// too.
func (j *Journal) Progress(unit, probe string) Progress {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.steps[[2]string{unit, probe}]
}

// Login notes that a try to log in is about to be made and returns the number
// of tries for that account and service, this one and those before a restart
// included.
func (j *Journal) Login(unit, service, account string) (int, error) {
	e := j.login(unit, service, account)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.append(&e); err != nil {
		return 0, err
	}
	return j.state.logins[e], nil
}

// Logins returns how many tries Login has noted.
func (j *Journal) Logins(unit, service, account string) int {
	e := j.login(unit, service, account)
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.logins[e]
}

// login names the account by a hash that differs from run to run: the journal
// has to count accounts, not to list them.
func (j *Journal) login(unit, service, account string) loginEvent {
	return loginEvent{unit, service, digest(fmt.Appendf(nil, "%q %q %q %q", j.state.head.Run, unit, service, account))}
}
