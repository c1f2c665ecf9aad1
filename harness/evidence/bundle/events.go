package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// journalFormat is what this program writes and reads.
const journalFormat = "assay-journal/1"

// headEvent begins a journal.
type headEvent struct {
	Format     string   `json:"format"`
	Run        string   `json:"run"`
	Tool       string   `json:"tool"`
	Recipients []string `json:"recipients"` // who can unseal, as age writes them
	CompareKey []byte   `json:"compare_key"`
}

func (*headEvent) kind() string { return "head" }

func (e *headEvent) check(*state) error {
	if e.Format != journalFormat {
		return fmt.Errorf("its format is %q, and this program reads %q", e.Format, journalFormat)
	}
	if len(e.Recipients) == 0 || len(e.CompareKey) == 0 {
		return errors.New("a run without recipients or without a compare key")
	}
	return checkRunID(e.Run)
}

func (e *headEvent) apply(s *state) { s.head = *e }

// recordEvent is a finished record.
type recordEvent struct {
	Record json.RawMessage `json:"record"`
	// Open are the unfinished members that the record points into, as they
	// were on disk.
	Open []evidence.Attachment `json:"open,omitempty"`

	record evidence.Record
}

// decode reads the record from the bytes that are stored, so that a run that
// was resumed knows exactly what one that never stopped does.
func (e *recordEvent) decode() error {
	if len(e.Record) > evidence.MaxRecord {
		return fmt.Errorf("a record of %d bytes, and %d is the most: attach what is larger", len(e.Record), evidence.MaxRecord)
	}
	return json.Unmarshal(e.Record, &e.record)
}

func (*recordEvent) kind() string { return "record" }

func (e *recordEvent) check(s *state) error {
	for _, m := range e.Open {
		if _, finished := s.members[m.Member]; finished || !collected(m.Member) {
			return fmt.Errorf("member %q cannot be open", m.Member)
		}
	}
	return checkRecord(e.record, s.log, s.members)
}

func (e *recordEvent) apply(s *state) {
	s.records, s.log = append(s.records, e.Record), append(s.log, e.record)
	for _, m := range e.Open {
		s.partial[m.Member] = m
	}
}

// The kinds of a procedure's lines.
const (
	before = "before"
	done   = "done"
	undone = "undone"
)

// stepEvent says how far one step of a procedure has come.
type stepEvent struct {
	Unit     string          `json:"unit"`
	Probe    string          `json:"probe"`
	Step     string          `json:"step"`
	Evidence json.RawMessage `json:"evidence,omitempty"` // of kind done

	what string
}

func (e *stepEvent) kind() string { return e.what }

func (e *stepEvent) check(s *state) error {
	if begun := s.steps[[2]string{e.Unit, e.Probe}].Begun; e.what != before && !slices.Contains(begun, e.Step) {
		return fmt.Errorf("step %q of probe %q has not begun", e.Step, e.Probe)
	}
	if e.what == done && !json.Valid(e.Evidence) {
		return fmt.Errorf("step %q of probe %q brings no JSON", e.Step, e.Probe)
	}
	return nil
}

func (e *stepEvent) apply(s *state) {
	key := [2]string{e.Unit, e.Probe}
	p := s.steps[key]
	switch e.what {
	case before:
		p.Begun = append(p.Begun, e.Step)
	case done:
		p.Finished, p.Evidence = append(p.Finished, e.Step), e.Evidence
	case undone:
		p.Undone = append(p.Undone, e.Step)
	}
	s.steps[key] = p
}

// loginEvent is one try to log in.
type loginEvent struct {
	Unit    string          `json:"unit"`
	Service string          `json:"service"`
	Account evidence.Digest `json:"account"` // hash of the name and the run
}

func (*loginEvent) kind() string       { return "login" }
func (*loginEvent) check(*state) error { return nil }
func (e *loginEvent) apply(s *state)   { s.logins[*e]++ }

// memberEvent is a file that is finished.
type memberEvent struct{ evidence.Attachment }

func (*memberEvent) kind() string { return "member" }

func (e *memberEvent) check(s *state) error {
	if !collected(e.Member) && !input(e.Member) {
		return fmt.Errorf("%q is no name for a member", e.Member)
	}
	if _, ok := s.members[e.Member]; ok {
		return fmt.Errorf("member %q is finished twice", e.Member)
	}
	return nil
}

func (e *memberEvent) apply(s *state) {
	s.members[e.Member] = e.Attachment
	delete(s.partial, e.Member)
}

// endEvent closes the journal: what follows is packing alone.
type endEvent struct {
	Records int                 `json:"records"`
	Sealed  evidence.Attachment `json:"sealed"`
}

func (*endEvent) kind() string { return "end" }

func (e *endEvent) check(s *state) error {
	switch _, named := s.members[RunName]; {
	case e.Records != len(s.log):
		return fmt.Errorf("it counts %d records of %d", e.Records, len(s.log))
	case e.Sealed.Member != sealedName || !named || len(s.partial) > 0:
		return fmt.Errorf("it lacks %q or %q, or a member is open", RunName, sealedName)
	}
	return nil
}

func (e *endEvent) apply(s *state) {
	s.members[sealedName] = e.Sealed
	s.ended = true
}
