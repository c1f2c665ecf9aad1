// Package evidence records what probes saw, so that it can be judged later,
// elsewhere and more than once.
package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/msg"
)

// Status says whether a probe brought evidence back and, if not, why not. What
// the device did is never a status: it is evidence.
type Status string

const (
	Collected    Status = "collected"     // Data holds all that the probe was asked for
	Partial      Status = "partial"       // Data lacks what Missing names
	Failed       Status = "failed"        // the probe could not do its work
	NotPermitted Status = "not_permitted" // its effect on the device was not allowed in this run
	NotRun       Status = "not_run"       // something it needs is missing, or the run was cut short
)

// DUT is the unit under test. Further units of the same model have names of
// their own.
const DUT = "dut"

// A Record is the outcome of one run of one probe against one unit.
type Record struct {
	Seq     int             `json:"seq"` // from 1, in order of collection
	Unit    string          `json:"unit"`
	Phase   string          `json:"phase,omitempty"` // empty but for what is seen again around a procedure
	Probe   string          `json:"probe"`
	Version int             `json:"version"` // of Data's format
	Status  Status          `json:"status"`
	Reason  msg.Text        `json:"reason,omitzero"`   // set unless Status is Collected
	Missing []string        `json:"missing,omitempty"` // set if Status is Partial
	Effect  string          `json:"effect"`
	Started time.Time       `json:"started"` // UTC
	Took    time.Duration   `json:"took_ns"`
	Data    json.RawMessage `json:"data,omitempty"`
	// Attachments are what is too large for Data, in the order in which the
	// evidence speaks of them.
	Attachments []Attachment `json:"attachments,omitempty"`
}

// An Attachment is a member of the bundle that belongs to a record.
type Attachment struct {
	Member Member `json:"member"`
	SHA256 Digest `json:"sha256"`
	Length int64  `json:"length_bytes"`
}

// MaxRecord bounds one encoded record, in bytes. What is larger is attached.
const MaxRecord = 4 << 20

// HasData reports whether the record holds evidence, complete or not.
func (r Record) HasData() bool { return r.Status == Collected || r.Status == Partial }

// Hash returns the SHA-256 of r as a bundle stores it.
func (r Record) Hash() Digest {
	b, err := json.Marshal(r)
	if err != nil { // a record that cannot be written has no hash, and no bundle holds it
		return ""
	}
	sum := sha256.Sum256(b)
	return Digest(hex.EncodeToString(sum[:]))
}

// A Log holds the records of one run.
type Log []Record

// Units returns the units that the log speaks of, the unit under test first,
// the others by name.
func (l Log) Units() []string {
	units := []string{DUT}
	for _, r := range l {
		if !slices.Contains(units, r.Unit) {
			units = append(units, r.Unit)
		}
	}
	slices.Sort(units[1:])
	return units
}

// Find returns the one record that the log holds of a probe for a unit, outside
// the phases of a procedure.
func (l Log) Find(unit, probe string) (Record, error) {
	var found []Record
	for _, r := range l {
		if r.Unit == unit && r.Probe == probe && r.Phase == "" {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		return Record{}, fmt.Errorf("%d records of probe %q for unit %q, want 1", len(found), probe, unit)
	}
	return found[0], nil
}
