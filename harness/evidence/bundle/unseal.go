package bundle

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/assay-iot/assay/harness/evidence"
)

// An Original is what was masked in a member.
type Original struct {
	Member evidence.Member
	Offset int64
	Bytes  []byte
}

// Unsealed is the part of a bundle that only its recipients can read.
type Unsealed struct {
	CompareKey []byte
	Originals  []Original
}

// Unseal returns what was masked, in the order in which it was sealed.
func Unseal(path string, identities ...age.Identity) (Unsealed, error) {
	b, err := Open(path, Limits{})
	if err != nil {
		return Unsealed{}, err
	}
	u, err := b.unseal(identities)
	if err = closeAfter(b, err); err != nil {
		return Unsealed{}, fmt.Errorf("bundle %q: member %q: %w", path, sealedName, err)
	}
	return u, nil
}

func (b *Bundle) unseal(identities []age.Identity) (Unsealed, error) {
	var u Unsealed
	sealed, err := b.Member(sealedName)
	if err != nil {
		return u, err
	}
	plain, err := age.Decrypt(sealed, identities...)
	if err != nil {
		return u, err
	}
	lines := bufio.NewReader(plain)
	for n := 1; ; n++ {
		text, err := readLine(lines, maxLine)
		if errors.Is(err, io.EOF) {
			err = u.check(b)
			return u, err
		}
		if err == nil {
			err = u.add(text, identities)
		}
		if err != nil {
			return u, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// add takes one line, or the one that is sealed once more within it.
func (u *Unsealed) add(text []byte, identities []age.Identity) error {
	var s secret
	err := strict(text, &s)
	if err == nil && s.Age != nil {
		s, err = unseal(s.Age, identities)
	}
	switch {
	case err != nil:
		return err
	case s.CompareKey != nil && u.CompareKey == nil:
		u.CompareKey = s.CompareKey
	case s.Original != nil:
		u.Originals = append(u.Originals, Original{s.Member, s.Offset, s.Original})
	default:
		return errors.New("it holds neither the compare key nor an original")
	}
	return nil
}

// check reports what cannot have been masked in b.
func (u *Unsealed) check(b *Bundle) error {
	if len(u.CompareKey) != compareKeyLen {
		return errors.New("it holds no compare key")
	}
	for _, o := range u.Originals {
		if end := o.Offset + int64(len(o.Bytes)); o.Offset < 0 || end < 0 || end > b.members[o.Member].Length {
			return fmt.Errorf("an original of %d bytes at %d is no part of %q", len(o.Bytes), o.Offset, o.Member)
		}
	}
	return nil
}
