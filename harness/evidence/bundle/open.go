package bundle

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/assay-iot/assay/harness/evidence"
)

// Limits bound what Open reads. A zero stands for the most that Pack writes.
type Limits struct {
	Bytes   int64 // of the whole file
	Members int
	Line    int // bytes of one line of the records
}

func (l Limits) orDefault() Limits {
	if l.Bytes == 0 {
		l.Bytes = 4<<30 - 1
	}
	if l.Members == 0 {
		l.Members = MaxMembers
	}
	if l.Line == 0 {
		l.Line = maxLine
	}
	return l
}

// A Broken bundle is not what was packed. It names the first member and, in the
// records, the first line that does not hold.
type Broken struct {
	Member evidence.Member // empty for the zip's own directory
	Line   int             // of records.jsonl, from 1; 0 if it is no matter of a line
	Cause  error
}

// Error says where the bundle is broken and why.
func (b *Broken) Error() string {
	switch {
	case b.Member == "":
		return fmt.Sprintf("the zip directory does not hold: %v", b.Cause)
	case b.Line > 0:
		return fmt.Sprintf("member %q, line %d does not hold: %v", b.Member, b.Line, b.Cause)
	}
	return fmt.Sprintf("member %q does not hold: %v", b.Member, b.Cause)
}

// Unwrap returns the cause.
func (b *Broken) Unwrap() error { return b.Cause }

// A Bundle is the evidence of one run. It was checked from the first byte to
// the last when it was opened.
type Bundle struct {
	file     *os.File
	manifest manifest
	key      ed25519.PublicKey // nil if unsigned
	log      evidence.Log
	hashes   []evidence.Digest
	members  map[evidence.Member]evidence.Attachment
	offsets  map[evidence.Member]int64
	digest   evidence.Digest
}

// Open reads a bundle. It checks all that can be checked without keys from
// elsewhere: each byte of the zip, each hash, the counts, and that the signature
// is that of the key which the manifest names. A bundle that does not hold is a
// *Broken error. Whether the key is to be trusted says Verify.
func Open(path string, limits Limits) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	b, err := check(f, info.Size(), limits)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("bundle %q: %w", path, err)
	}
	b.file = f
	return b, nil
}

// Close closes the file.
func (b *Bundle) Close() error { return b.file.Close() }

// Head returns the run's id and the tool that collected it.
func (b *Bundle) Head() Head { return Head{b.manifest.Run, b.manifest.Tool} }

// Log returns the records.
func (b *Bundle) Log() evidence.Log { return b.log }

// RecordHash returns the hash of the record with that number, from 1.
func (b *Bundle) RecordHash(seq int) (evidence.Digest, error) {
	if seq < 1 || seq > len(b.hashes) {
		return "", fmt.Errorf("the bundle has no record %d", seq)
	}
	return b.hashes[seq-1], nil
}

// Digest returns the hash of the whole file.
func (b *Bundle) Digest() evidence.Digest { return b.digest }

// Signer returns the key that signed the bundle, nil if it is unsigned.
func (b *Bundle) Signer() ed25519.PublicKey { return b.key }

// Members returns what the manifest says of each member, in order.
func (b *Bundle) Members() []evidence.Attachment { return b.manifest.Members }

// Member opens a member that the manifest lists.
func (b *Bundle) Member(name evidence.Member) (*io.SectionReader, error) {
	a, ok := b.members[name]
	if !ok {
		return nil, fmt.Errorf("the bundle has no member %q", name)
	}
	return io.NewSectionReader(b.file, b.offsets[name], a.Length), nil
}

// Run returns run.json.
func (b *Bundle) Run() (json.RawMessage, error) {
	r, err := b.Member(RunName)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
