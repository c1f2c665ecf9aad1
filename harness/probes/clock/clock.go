// Package clock records when a run began and how good the clock was that said
// so. Whatever depends on the date is decided by this record, never by the
// clock of the machine that judges.
package clock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/verdict"
)

// Evidence is the one clock of a run.
type Evidence struct {
	Time     time.Time `json:"time"` // start of collection, UTC
	Source   Source    `json:"source"`
	OffsetNS int64     `json:"offset_ns"` // estimated error of the source, 0 if not known
}

// Source says how good the clock was.
type Source string

// The sources.
const (
	Synchronised   Source = "synchronised"   // the system says that a time server disciplines it
	Unsynchronised Source = "unsynchronised" // the system says that none does
	Stated         Source = "stated"         // the operator said what time it was
	Unknown        Source = "unknown"        // the system does not say
)

var sources = []Source{Synchronised, Unsynchronised, Stated, Unknown}

// Probe puts the clock on record. Its basis is declared although nobody
// declares it: the basis of a verdict says how the device was looked at, and a
// clock looks at no device. Beside an observation or an inspection it so leaves
// that basis as it is, and a date that was only declared, held against the
// clock, stays declared. Were it tested, such a date would become tested.
var Probe = &probe.Probe[Evidence]{
	Name:    "clock",
	Version: 1,
	Doc:     "when the run began, and how good the clock was",
	Effect:  probe.Passive,
	Basis:   verdict.Declared,
	Bound:   func(probe.Target) probe.Bound { return probe.Bound{Time: longest} },
	Run:     run,
}

// longest bounds the copying of what is in memory already.
const longest = time.Second

func run(_ context.Context, in probe.Input) (Evidence, error) {
	if in.Given == nil || in.Given.Now.IsZero() {
		return Evidence{}, errors.New("no time was handed in for the record")
	}
	source := Source(in.Given.Clock.Name)
	if !slices.Contains(sources, source) {
		return Evidence{}, fmt.Errorf("clock source %q is none of %q", source, sources)
	}
	return Evidence{in.Given.Now.UTC().Round(0), source, in.Given.Clock.Error.Nanoseconds()}, nil
}
