package bundle

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/assay-iot/assay/harness/evidence"
)

// compareKeyLen is the length of a compare key, as long as its HMAC's hash.
const compareKeyLen = 32

// maxOriginal bounds what Seal takes at once: passwords, keys, tokens.
const maxOriginal = 1 << 20

// secret is what is encrypted, by itself in the journal and, one a line, in the
// bundle. Either the compare key is set, or an original, or Age: another
// secret, which the process that packed could not read.
type secret struct {
	CompareKey []byte          `json:"compare_key,omitempty"`
	Member     evidence.Member `json:"member,omitempty"`
	Offset     int64           `json:"offset,omitempty"`
	Original   []byte          `json:"original,omitempty"`
	Age        []byte          `json:"age,omitempty"`
}

// seal encrypts s to the recipients.
func seal(recipients []age.Recipient, s secret) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipients...)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if err := closeAfter(w, json.NewEncoder(w).Encode(s)); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed.Bytes(), nil
}

// unseal decrypts what seal wrote.
func unseal(sealed []byte, identities []age.Identity) (secret, error) {
	var s secret
	if len(identities) == 0 {
		return s, errors.New("unseal: no identity was given")
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), identities...)
	if err != nil {
		return s, fmt.Errorf("unseal: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxLine))
	if err != nil {
		return s, fmt.Errorf("unseal: %w", err)
	}
	err = strict(text, &s)
	return s, err
}

func newCompareKey() []byte {
	key := make([]byte, compareKeyLen)
	rand.Read(key)
	return key
}

// recipientNames writes recipients down so that a resumed run can seal to the
// same ones.
func recipientNames(recipients []age.Recipient) ([]string, error) {
	var names []string
	for _, r := range recipients {
		name := fmt.Sprint(r)
		if again, err := parseRecipients([]string{name}); err != nil || len(again) != 1 {
			return nil, fmt.Errorf("recipient of type %T does not tell its name", r)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, errors.New("no recipient for what is masked")
	}
	return names, nil
}

func parseRecipients(names []string) ([]age.Recipient, error) {
	return age.ParseRecipients(strings.NewReader(strings.Join(names, "\n")))
}

// sealedEvent is an original that was masked in a member, encrypted.
type sealedEvent struct {
	Member evidence.Member `json:"member"`
	Offset int64           `json:"offset"`
	Length int64           `json:"length_bytes"`
	Age    []byte          `json:"age"`

	original []byte // nil if it could not be read
}

func (*sealedEvent) kind() string { return "sealed" }

func (e *sealedEvent) check(*state) error {
	if !collected(e.Member) || e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length < 0 {
		return fmt.Errorf("%d bytes at %d of %q cannot be masked", e.Length, e.Offset, e.Member)
	}
	return nil
}

func (e *sealedEvent) apply(s *state) { s.sealed = append(s.sealed, *e) }

// CompareKey returns the key under which the run's secrets are compared
// (evidence.Hide). It is random, and stored for the recipients only: a run that
// was resumed without one of their identities has none.
func (j *Journal) CompareKey() ([]byte, error) {
	if j.keyErr != nil {
		return nil, fmt.Errorf("journal %q: compare key: %w", j.dir, j.keyErr)
	}
	return bytes.Clone(j.compareKey), nil
}

// Seal keeps the original of what is masked at offset in a member that was
// opened before. It is encrypted before it touches the disk.
func (j *Journal) Seal(m evidence.Member, offset int64, original []byte) error {
	if len(original) > maxOriginal {
		return fmt.Errorf("journal %q: an original of %d bytes, and %d is the most", j.dir, len(original), maxOriginal)
	}
	sealed, err := seal(j.recipients, secret{Member: m, Offset: offset, Original: original})
	if err != nil {
		return fmt.Errorf("journal %q: %w", j.dir, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, finished := j.state.members[m]
	if _, open := j.open[m]; !open && !finished {
		return fmt.Errorf("journal %q has no member %q to seal a part of", j.dir, m)
	}
	if err := j.room(2 * len(sealed)); err != nil { // base64, at most twice
		return err
	}
	return j.append(&sealedEvent{m, offset, int64(len(original)), sealed, bytes.Clone(original)})
}

// writeSealed writes the sealed member of the bundle. Originals of members that
// a kill took, or of a part that it took, are left out.
func (j *Journal) writeSealed(to io.Writer) error {
	w, err := age.Encrypt(to, j.recipients...)
	if err != nil {
		return err
	}
	lines := bufio.NewWriter(w)
	enc := json.NewEncoder(lines)
	key := secret{CompareKey: j.compareKey}
	if j.keyErr != nil {
		key = secret{Age: j.state.head.CompareKey}
	}
	err = enc.Encode(key)
	for _, e := range j.state.sealed {
		if m, ok := j.state.members[e.Member]; err != nil || !ok || e.Offset+e.Length > m.Length {
			continue
		}
		s := secret{Member: e.Member, Offset: e.Offset, Original: e.original}
		if e.original == nil {
			s = secret{Age: e.Age}
		}
		err = enc.Encode(s)
	}
	if err == nil {
		err = lines.Flush()
	}
	return closeAfter(w, err)
}
