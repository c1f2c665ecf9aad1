package harness

import (
	"fmt"
	"path"

	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/result"
)

// A Selection is what the operator left out of a run, or took in. The zero value
// takes what the profiles map.
type Selection struct {
	Only []string `json:"only"` // globs of check IDs; empty for all
	Skip []Skip   `json:"skip"`
	// Also are checks that are decided although no profile maps them.
	Also []string `json:"also,omitempty"`
}

// A Skip leaves out one check, for a reason that is shown with it.
type Skip struct {
	Check  string `json:"check"`
	Reason string `json:"reason"`
}

// Err reports a glob that cannot be read or that matches none of the checks.
func (s Selection) Err(ids []string) error {
	for _, glob := range s.Only {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("--only %q: %w", glob, err)
		}
		if !matchesAny(glob, ids) {
			return fmt.Errorf("--only %q matches no check of the profiles; assay profile show PROFILE names them", glob)
		}
	}
	for _, skip := range s.Skip {
		if !matchesAny(skip.Check, ids) {
			return fmt.Errorf("--skip %q is no check of the profiles; assay profile show PROFILE names them", skip.Check)
		}
		if skip.Reason == "" {
			return fmt.Errorf("--skip %q needs a reason", skip.Check)
		}
	}
	return nil
}

func matchesAny(glob string, ids []string) bool {
	for _, id := range ids {
		if ok, err := path.Match(glob, id); err == nil && ok {
			return true
		}
	}
	return false
}

// leavesOut reports whether a check is left out, why, and how to take it in.
func (s Selection) leavesOut(id string) (reason, next msg.Text, out bool) {
	for _, skip := range s.Skip {
		if skip.Check == id {
			return msg.T("left out by --skip: {reason}", "reason", skip.Reason), msg.T("run without --skip {check}", "check", id), true
		}
	}
	if len(s.Only) == 0 {
		return reason, next, false
	}
	for _, glob := range s.Only {
		if matchesAny(glob, []string{id}) {
			return reason, next, false
		}
	}
	return msg.T("left out by --only"), msg.T("run without --only, or with --only {check}", "check", id), true
}

// deviations says what is left out, for the head of the result.
func (s Selection) deviations() []result.Deviation {
	var list []result.Deviation
	for _, glob := range s.Only {
		list = append(list, result.Deviation{What: msg.T("only the checks {glob} were run", "glob", glob)})
	}
	for _, skip := range s.Skip {
		list = append(list, result.Deviation{
			What:   msg.T("the check {check} was left out", "check", skip.Check),
			Reason: msg.T("{reason}", "reason", skip.Reason),
		})
	}
	return list
}
