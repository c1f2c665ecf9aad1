// Package secretpattern recognises secrets in what a device says: private keys
// that parse, tokens whose checksum holds, and random values under a name such
// as "password". It is strict: a name alone, a placeholder, a sentence or the
// name of a sensor is no secret. What it reads is hostile; it works in time
// proportional to the length.
package secretpattern

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// Version is that of the set. It rises with every change of what is recognised.
const Version = 1

// The classes of what is recognised, beside the names in names.
const (
	PrivateKey evidence.SecretClass = "private_key"
	Token      evidence.SecretClass = "token"
)

// A Finding is one secret in a text.
type Finding struct {
	Class evidence.SecretClass
	Name  []byte // under which the value stands; nil if the value speaks for itself
	From  int    // where the secret itself begins
	To    int    // and ends
}

// maxText bounds how much of one text is searched, in bytes: more than any
// message of a small device.
const maxText = 256 << 10

// Find returns the secrets in text, in order and without overlap. Name is what
// the whole text stands under, such as the last level of a topic; it may be
// empty.
func Find(name, text []byte) []Finding {
	text = text[:min(len(text), maxText)]
	found := slices.Concat(privateKeys(text), tokens(text), userInfo(text), pairs(text), whole(name, text))
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(b.To, a.To)) })
	end := 0
	return slices.DeleteFunc(found, func(f Finding) bool {
		if f.From < end {
			return true
		}
		end = f.To
		return false
	})
}

// whole takes the text for the value of name.
func whole(name, text []byte) []Finding {
	value := bytes.TrimSpace(text)
	class := classOf(name)
	if class == "" || !random(class, value) {
		return nil
	}
	from := bytes.Index(text, value)
	return []Finding{{class, name, from, from + len(value)}}
}

// Names returns the names in text under which a secret would stand, whatever
// stands there. They are worth a remark, and no more.
func Names(text []byte) [][]byte {
	var names [][]byte
	for _, a := range assignments(text[:min(len(text), maxText)]) {
		name := text[a.nameFrom:a.nameTo]
		known := func(n []byte) bool { return bytes.Equal(n, name) }
		if classOf(name) != "" && !slices.ContainsFunc(names, known) {
			names = append(names, name)
		}
	}
	return names
}
