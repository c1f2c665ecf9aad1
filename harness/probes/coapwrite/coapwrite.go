package coapwrite

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/coapread"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/internal/coapdoor"
	"github.com/assay-iot/assay/harness/verdict"
)

// Probe writes and puts back. It is a procedure, so that what it changed is put
// back even after a run was cut short or killed.
var Probe = &probe.Probe[Evidence]{
	Name:    "coap-write",
	Version: 1,
	Doc:     "who can change the resources of each CoAP server that may be written for a test",
	Effect:  probe.Intrusive,
	Basis:   verdict.Tested,
	Needs:   []probe.Any{coapread.Probe, declaration.Probe},
	Bound:   bound,
	Steps:   steps,
}

const (
	// maxResources bounds how many are written; the others are named as missing.
	maxResources = 8
	// maxValue bounds what is put back, in bytes: more is no setting.
	maxValue = 4096
	// maxKept bounds what is kept of each reading, in bytes.
	maxKept = 256
	// maxDoors is how many doors coap-read visits.
	maxDoors = 8
	// tries is how many writes of one kind there are, two and a third.
	tries = 3
	// perTry is the most connections of one try: to write, to read, to put back
	// and to look whether it is.
	perTry = 8
	// longest bounds one try: a dozen exchanges with a device that is slow.
	longest = 2 * time.Minute
	// stay is how long one session lasts.
	stay = longest
)

func bound(t probe.Target) probe.Bound {
	attempts := maxResources * (tries*min(maxDoors, coapdoor.Most(t)) + 4)
	return probe.Bound{
		Time:        time.Duration(attempts) * longest,
		Connections: attempts * perTry,
		Logins:      attempts,
	}
}

// steps reads each resource, and then writes to it. What is there is journalled
// before the first write.
func steps(in probe.Input, e *Evidence) []probe.Step {
	w := newWriter(in, e)
	var list []probe.Step
	for i, v := range w.values {
		list = append(list,
			probe.Step{Name: fmt.Sprintf("read %s", v.path), Effect: probe.Active, Do: w.at(i, w.note)},
			probe.Step{Name: fmt.Sprintf("write %s", v.path), Effect: probe.Intrusive, Do: w.at(i, w.write), Undo: w.at(i, w.undo)})
	}
	if more := w.left; more > 0 {
		list = append(list, probe.Step{Name: fmt.Sprintf("%d more resources", more), Effect: probe.Passive, Do: tooMany})
	}
	return list
}

func tooMany(context.Context) error {
	return fmt.Errorf("more than %d resources to write", maxResources)
}

// values are what may be written to a resource.
type values struct {
	path string
	test []declaration.Text
}

// writable returns the resources that the device file allows to write, the
// first ones, and how many more there are.
func writable(said declaration.Evidence) (list []values, left int) {
	seen := map[declaration.Text]bool{}
	for _, s := range said.Services {
		for _, r := range s.CoAP.Resources {
			switch {
			case s.Enabled == evidence.No || len(r.TestValues) < 2 || seen[r.Path]:
			case len(list) == maxResources:
				left++
			default:
				list = append(list, values{string(r.Path), r.TestValues})
			}
			seen[r.Path] = true
		}
	}
	return list, left
}
