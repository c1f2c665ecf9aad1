package bundle

import (
	"crypto/ed25519"
	"errors"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
)

// A Report says whether a bundle is what was packed, and who vouches for it.
type Report struct {
	Broken  *Broken // nil if it is intact; then the rest holds
	Head    Head
	Records int
	Digest  evidence.Digest
	Key     ed25519.PublicKey // that signed it, nil if it is unsigned
	Trusted bool              // the key is one of those that the caller trusts
}

// Verify compares every byte of a bundle with what packing its members gives,
// and its signer with the keys that are trusted. A wrong signature is broken,
// not unsigned. An error says that the file could not be read, and nothing about
// what is in it.
//
// Whoever changes a bundle can also take the signer out of its manifest: an
// unsigned bundle is proof against accidents only.
func Verify(path string, trusted []ed25519.PublicKey) (Report, error) {
	b, err := Open(path, Limits{})
	if broken, ok := errors.AsType[*Broken](err); ok {
		return Report{Broken: broken}, nil
	}
	if err != nil {
		return Report{}, err
	}
	known := slices.ContainsFunc(trusted, func(k ed25519.PublicKey) bool { return b.key != nil && k.Equal(b.key) })
	return Report{Head: b.Head(), Records: len(b.log), Digest: b.digest, Key: b.key, Trusted: known}, b.Close()
}

// Text says it in a sentence.
func (r Report) Text() msg.Text {
	switch {
	case r.Broken != nil:
		return msg.T("broken: {cause}", "cause", r.Broken)
	case r.Key == nil:
		return msg.T("intact, {records} records, UNSIGNED", "records", r.Records)
	case r.Trusted:
		return msg.T("intact, {records} records, signed by {key}, trusted", "records", r.Records, "key", ShortFingerprint(r.Key))
	}
	return msg.T("intact, {records} records, signed by {key}, unknown", "records", r.Records, "key", Fingerprint(r.Key))
}
