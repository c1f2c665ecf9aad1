// Package profiles holds the profiles that come with the program, one file to
// each, and what is known of the power of evidence. It holds data alone; package
// profile reads it.
package profiles

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Ext ends the file name of a profile, which begins with the profile's ID.
const Ext = ".yaml"

// Default is the profile that is used where none is named.
const Default = "etsi-en-303-645-v3.1.3"

//go:embed *.yaml
var files embed.FS

//go:embed evidence-codes.csv
var evidenceCodes string

//go:embed check-powers.csv
var checkPowers string

// EvidenceCodes says, for each requirement, which kinds of evidence there are
// and which checks decide it, all of them together.
//
// The kinds are N network test, C capture, F firmware, D document, H human
// inspection. One that ends in "=" shows a pass and a fail, one that ends in
// "-" only a violation, and one without either contributes.
func EvidenceCodes() []byte { return []byte(evidenceCodes) }

// CheckPowers says of some checks what they can do at most, whatever the
// requirement.
func CheckPowers() []byte { return []byte(checkPowers) }

// FS returns the files of all profiles.
func FS() fs.FS { return files }

// IDs returns the IDs of all profiles, in order.
func IDs() []string {
	names, err := fs.Glob(files, "*"+Ext)
	if err != nil {
		panic(err) // the pattern is ours
	}
	for i, name := range names {
		names[i] = strings.TrimSuffix(path.Base(name), Ext)
	}
	return slices.Sorted(slices.Values(names))
}

// File returns the name of a profile's file in FS.
func File(id string) string { return id + Ext }
