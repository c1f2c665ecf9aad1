// Package bundle keeps the evidence of a run: on disk while the run lasts, as a
// journal that survives a kill at any moment, and afterwards as one sealed file
// in which no byte can change unseen. It knows nothing of probes, checks or
// results: what it stores beside records is opaque to it.
package bundle

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
)

// The members that every bundle may have, beside the numbered and the named
// ones.
const (
	manifestName  evidence.Member = "manifest.json"
	RunName       evidence.Member = "run.json"    // required
	DeviceName    evidence.Member = "device.yaml" // absent if only an address was given
	recordsName   evidence.Member = "records.jsonl"
	CaptureName   evidence.Member = "capture.pcapng"
	sealedName    evidence.Member = "sealed.age"
	signatureName evidence.Member = "signature"
)

// The places of members in a bundle.
const (
	manifestRank = iota
	runRank
	deviceRank
	recordsRank
	transcriptRank
	captureRank
	attachmentRank
	inputRank
	sealedRank
	signatureRank
)

// layout says which names a bundle knows and in which order they stand. A slash
// stands for the names that are in a folder.
var layout = [...]string{
	manifestRank:   string(manifestName),
	runRank:        string(RunName),
	deviceRank:     string(DeviceName),
	recordsRank:    string(recordsName),
	transcriptRank: "transcript/",
	captureRank:    string(CaptureName),
	attachmentRank: "attachments/",
	inputRank:      "inputs/",
	sealedRank:     string(sealedName),
	signatureRank:  string(signatureName),
}

// Names that differ in case only, climb, or need escaping cannot be written. Of
// a connection, NNNNNN is what was received and NNNNNN.out what was sent.
var (
	numbered = regexp.MustCompile(`^[0-9]{6}(\.out)?$`)
	named    = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)
)

// rank returns the place of a name, -1 if no bundle has such a member.
func rank(m evidence.Member) int {
	slash := strings.Index(string(m), "/")
	if slash < 0 {
		return slices.Index(layout[:], string(m))
	}
	r, base := slices.Index(layout[:], string(m[:slash+1])), string(m[slash+1:])
	if r == transcriptRank && numbered.MatchString(base) || r != transcriptRank && named.MatchString(base) {
		return r
	}
	return -1
}

// inOrder compares two names by their places.
func inOrder(a, b evidence.Member) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}

// collected reports whether a probe writes m, input whether the operator gave
// it.
func collected(m evidence.Member) bool {
	r := rank(m)
	return r == transcriptRank || r == captureRank || r == attachmentRank
}

func input(m evidence.Member) bool {
	r := rank(m)
	return r == runRank || r == deviceRank || r == inputRank
}

var runID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func checkRunID(id string) error {
	if !runID.MatchString(id) {
		return fmt.Errorf("run id %q: want up to 100 letters, digits, dots, dashes and underscores", id)
	}
	return nil
}
