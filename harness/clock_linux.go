package harness

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/assay-iot/assay/harness/probe"
)

// timeError is the state of a kernel clock that nothing disciplines
// (adjtimex(2)).
const timeError = 5

// SystemClock says how good the clock of this machine is, as its kernel knows.
func SystemClock() probe.ClockSource {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	switch {
	case err != nil:
		return probe.ClockSource{Name: "unknown"}
	case state == timeError:
		return probe.ClockSource{Name: "unsynchronised"}
	}
	return probe.ClockSource{Name: "synchronised", Error: time.Duration(t.Esterror) * time.Microsecond}
}
