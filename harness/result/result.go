// Package result holds a finished run: all that a report may show.
package result

import (
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/verdict"
)

// Schema names the format. Fields are added to it, never changed.
const Schema = "assay-result/1"

// A Result is one run, judged under one profile or more.
type Result struct {
	Schema       string        `json:"schema"`
	Run          Run           `json:"run"`
	Units        []Unit        `json:"units"`        // the unit under test first, then by name
	Verdicts     []Profile     `json:"verdicts"`     // in the order in which the profiles were named
	Decisions    []Decision    `json:"decisions"`    // by check, then parameters
	Requirements []Requirement `json:"requirements"` // profile by profile, in the profile's order
	Records      []Record      `json:"records"`      // in order of collection
	Defects      []Defect      `json:"defects"`
	// Surface draws the network side of each unit that was looked at. No
	// verdict rests on it.
	Surface []Surface `json:"surface,omitempty"`
}

// Run says how the evidence came about and who judged it.
type Run struct {
	ID           string          `json:"id"`
	Operator     string          `json:"operator"`
	Site         string          `json:"site"`
	Sample       string          `json:"sample"`
	Clock        Clock           `json:"clock"`
	CollectedBy  string          `json:"collected_by"` // name and version of the program
	JudgedBy     string          `json:"judged_by"`
	Profiles     []Source        `json:"profiles"`
	Effect       string          `json:"effect"` // the most that was allowed
	Consent      string          `json:"consent"`
	Pace         string          `json:"pace"`
	Scope        []string        `json:"scope"`
	Vantage      string          `json:"vantage"`    // of the capture
	Deviations   []Deviation     `json:"deviations"` // from a complete run, such as --only or --quick
	BundleSHA256 evidence.Digest `json:"bundle_sha256"`
}

// Clock is the one clock of a run.
type Clock struct {
	Time     time.Time `json:"time"`      // UTC, start of collection, or what judge --at said
	Source   string    `json:"source"`    // as the clock probe names it, or "stated"
	OffsetNS int64     `json:"offset_ns"` // estimated error of the source, 0 if not known
}

// Source is a profile as it was judged.
type Source struct {
	ID      string          `json:"id"`
	Version string          `json:"version"`
	SHA256  evidence.Digest `json:"sha256"`
}

// A Deviation is something that the operator left out or changed.
type Deviation struct {
	What   msg.Text `json:"what"`
	Reason msg.Text `json:"reason,omitzero"`
}

// Unit is one physical device of the model.
type Unit struct {
	Unit         string   `json:"unit"` // "dut" or a name of its own
	Role         string   `json:"role"` // "under test" or "comparison"
	ID           string   `json:"id"`
	Manufacturer string   `json:"manufacturer"`
	Model        string   `json:"model"`
	Hardware     string   `json:"hardware"`
	Firmware     string   `json:"firmware"`
	Serial       string   `json:"serial"`
	Addresses    []string `json:"addresses"`
	Identity     []string `json:"identity"` // what the device showed: MAC, fingerprints
}

// Profile is the verdict under one profile.
type Profile struct {
	Profile     string          `json:"profile"`
	Title       string          `json:"title"`
	Verdict     verdict.Verdict `json:"verdict"`
	Counts      Counts          `json:"counts"` // of all requirements
	Mandatory   Counts          `json:"mandatory"`
	Coverage    Coverage        `json:"coverage"`
	Consistency verdict.Verdict `json:"consistency"` // of the declaration with the evidence
}

// Counts counts verdicts of requirements.
type Counts struct {
	Pass          int `json:"pass"`
	Fail          int `json:"fail"`
	Inconclusive  int `json:"inconclusive"`
	NotApplicable int `json:"not_applicable"`
}

// Coverage counts the decided requirements by what decided them.
type Coverage struct {
	Tested    int `json:"tested"`
	Inspected int `json:"inspected"`
	Declared  int `json:"declared"`
	Undecided int `json:"undecided"`
}

// An Item is what a check says about one thing that it looked at.
type Item struct {
	Endpoint string          `json:"endpoint"` // as in evidence.Endpoint
	Unit     string          `json:"unit"`
	Key      string          `json:"key"`
	Verdict  verdict.Verdict `json:"verdict"`
	Advisory msg.Text        `json:"advisory,omitzero"` // weak but allowed; changes no verdict
	Why      msg.Text        `json:"why"`               // what was seen
	Next     msg.Text        `json:"next,omitzero"`     // what would decide it, if inconclusive
	Refs     []evidence.Ref  `json:"refs"`
	// Excerpts show what the first of Refs point at, in their order. Of a
	// decision with many items not every one has some.
	Excerpts []Excerpt `json:"excerpts,omitempty"`
}

// An Excerpt is what one reference points at.
type Excerpt struct {
	Ref    evidence.Ref `json:"ref"`
	Record int          `json:"record"` // its number in the bundle
	// Value is the field as it is stored, in JSON, with what a device sent in
	// quoted ASCII in place of its base64 form.
	Value   string        `json:"value"`
	LeftOut int           `json:"left_out_bytes,omitempty"` // of Value
	Span    evidence.Span `json:"span,omitzero"`            // where the bytes lie that show it
}

// A Decision is what one check says with one set of parameters.
type Decision struct {
	Check   string          `json:"check"`
	With    string          `json:"with,omitempty"` // JSON, names in order
	Title   msg.Text        `json:"title"`
	Verdict verdict.Verdict `json:"verdict"`
	Basis   verdict.Basis   `json:"basis,omitempty"`
	Items   []Item          `json:"items"`
	Remedy  msg.Text        `json:"remedy,omitzero"` // set if the verdict is fail
}

// A Requirement is the outcome of one provision.
type Requirement struct {
	Profile    string          `json:"profile"`
	ID         string          `json:"id"`
	Level      string          `json:"level"`
	Text       string          `json:"text"`       // the requirement in our own words
	Applicable evidence.Tri    `json:"applicable"` // as declared
	Verdict    verdict.Verdict `json:"verdict"`
	Basis      verdict.Basis   `json:"basis,omitempty"`
	Why        msg.Text        `json:"why"`
	Next       msg.Text        `json:"next,omitzero"`
	Checks     []string        `json:"checks"` // keys of decisions
	// FailedBy are those of Checks that make it fail. One that fails and can
	// only support is not among them.
	FailedBy []string `json:"failed_by,omitempty"`
	Cases    []Case   `json:"cases,omitempty"`
	Verified string   `json:"verified"` // how the clause was verified against its source
	Waiver   string   `json:"waiver,omitempty"`
}

// A Case is the outcome of one numbered test case of a requirement.
type Case struct {
	ID      string          `json:"id"`
	Verdict verdict.Verdict `json:"verdict"`
}

// A Record is one run of one probe, without its evidence.
type Record struct {
	Seq     int             `json:"seq"`
	Unit    string          `json:"unit"`
	Phase   string          `json:"phase,omitempty"`
	Probe   string          `json:"probe"`
	Version int             `json:"version"`
	Status  evidence.Status `json:"status"`
	Reason  msg.Text        `json:"reason,omitzero"`
	Missing []string        `json:"missing,omitempty"`
	Effect  string          `json:"effect"`
	Started time.Time       `json:"started"`
	Took    time.Duration   `json:"took_ns"`
	SHA256  evidence.Digest `json:"sha256"` // of the record's line in the bundle
}

// A Defect is a mistake in this program, found while it ran. It ends the run
// with exit code 4.
type Defect struct {
	Where string `json:"where"`
	What  string `json:"what"`
}

// Key returns the name under which requirements cite d.
func (d Decision) Key() string { return d.Check + d.With }
