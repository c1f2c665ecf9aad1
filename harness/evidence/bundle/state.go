package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// state is what the lines of a journal add up to.
type state struct {
	head    headEvent
	records []json.RawMessage // as they are stored
	log     evidence.Log
	steps   map[[2]string]Progress // by unit and probe
	logins  map[loginEvent]int
	members map[evidence.Member]evidence.Attachment // finished ones
	// partial is how far a member had come that was open when a record that
	// points into it was finished.
	partial map[evidence.Member]evidence.Attachment
	sealed  []sealedEvent
	ended   bool
}

func newState() *state {
	return &state{
		steps:   map[[2]string]Progress{},
		logins:  map[loginEvent]int{},
		members: map[evidence.Member]evidence.Attachment{},
		partial: map[evidence.Member]evidence.Attachment{},
	}
}

// Progress is how far a procedure has come. The zero value is a procedure that
// has not begun.
type Progress struct {
	Begun    []string // steps that were announced
	Finished []string // of these, the ones that were done
	Undone   []string // of these, the ones that were put back
	Evidence json.RawMessage
}

// event is what one line says. Its check does not change the state, so that a
// line can be refused before it is written and counts only once it is on disk.
type event interface {
	kind() string
	check(*state) error
	apply(*state)
}

// admit reports why e must not follow.
func (s *state) admit(e event) error {
	_, first := e.(*headEvent)
	switch {
	case first != (s.head.Format == ""):
		return errors.New("a journal has one head, and begins with it")
	case s.ended:
		return errors.New("the journal has ended")
	}
	return e.check(s)
}

// decodeEvent reads what a line says.
func decodeEvent(l line) (event, error) {
	var e event
	switch l.Kind {
	case "head":
		e = &headEvent{}
	case "record":
		e = &recordEvent{}
	case before, done, undone:
		e = &stepEvent{what: l.Kind}
	case "login":
		e = &loginEvent{}
	case "sealed":
		e = &sealedEvent{}
	case "member":
		e = &memberEvent{}
	case "end":
		e = &endEvent{}
	default:
		return nil, fmt.Errorf("kind %q is not known", l.Kind)
	}
	if err := strict(l.Data, e); err != nil {
		return nil, err
	}
	if r, ok := e.(*recordEvent); ok {
		err := r.decode()
		return e, err
	}
	return e, nil
}

// checkRecord reports why r must not follow the records of log in a bundle that
// has the members.
func checkRecord(r evidence.Record, log evidence.Log, members map[evidence.Member]evidence.Attachment) error {
	if r.Seq != len(log)+1 {
		return fmt.Errorf("record %d follows record %d", r.Seq, len(log))
	}
	if r.Unit == "" || r.Probe == "" {
		return fmt.Errorf("record %d names no unit or no probe", r.Seq)
	}
	if slices.ContainsFunc(log, func(o evidence.Record) bool {
		return o.Unit == r.Unit && o.Phase == r.Phase && o.Probe == r.Probe
	}) {
		return fmt.Errorf("a second record of probe %q for unit %q in phase %q", r.Probe, r.Unit, r.Phase)
	}
	for _, a := range r.Attachments {
		if members[a.Member] != a {
			return fmt.Errorf("its attachment %q is no finished member with that length and hash", a.Member)
		}
	}
	return nil
}
