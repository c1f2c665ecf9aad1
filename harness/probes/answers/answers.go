// Package answers records what a person was asked and said.
package answers

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/device"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/verdict"
)

// OtherDevice asks whether the unit is a device of its own, not the unit under
// test at another address.
const OtherDevice Question = "is-another-device"

// Probe puts the answers in the device file on record. Without a device file
// the list is empty: nobody was asked.
var Probe = &probe.Probe[Evidence]{
	Name:    "answers",
	Version: 1,
	Doc:     "what a person inspected and answered",
	Effect:  probe.Passive,
	Basis:   verdict.Inspected,
	Bound:   func(probe.Target) probe.Bound { return probe.Bound{Time: longest} },
	Run:     run,
}

// longest bounds the copying of what is in memory already.
const longest = time.Second

var errNothingGiven = errors.New("nothing was handed in for the record")

func run(_ context.Context, in probe.Input) (Evidence, error) {
	switch {
	case in.Given == nil:
		return Evidence{}, errNothingGiven
	case in.Given.Device == nil:
		return Evidence{}, nil
	}
	var e Evidence
	for _, a := range in.Given.Device.Answers {
		e.Answers = append(e.Answers, answer(a))
	}
	return e, nil
}

func answer(a device.Answer) Answer {
	out := Answer{Question: Question(a.Question), Answer: a.Answer.Tri(), Note: Text(a.Note), Who: Person(a.Who), When: a.When.UTC()}
	for _, at := range a.Attachments {
		out.Attachments = append(out.Attachments, evidence.Digest(at.SHA256))
	}
	return out
}
