package bundle

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// memberAt returns the member in which an offset of the file lies, and in the records
// the line.
func (b *Bundle) memberAt(raw []byte, offset int64) (evidence.Member, int) {
	names := append([]evidence.Member{manifestName}, sortedNames(b.members)...)
	if b.key != nil {
		names = append(names, signatureName)
	}
	for _, name := range names {
		start := b.offsets[name]
		length := b.members[name].Length
		switch name {
		case manifestName:
			length = int64(len(b.manifest.encode()))
		case signatureName:
			length = int64(envelopeLen(b.manifest.encode()))
		}
		if offset >= start+length {
			continue
		}
		if name == recordsName && offset >= start {
			return name, 1 + bytes.Count(raw[start:offset], []byte("\n"))
		}
		return name, 0
	}
	return "", 0
}

// TestE1EachFlippedByteIsFound flips every byte of a small bundle, signed and
// not, and wants the member and the line named.
func TestE1EachFlippedByteIsFound(t *testing.T) {
	id := newIdentity(t)
	for name, signer := range map[string]*Signer{"signed": signerOf(1), "unsigned": nil} {
		t.Run(name, func(t *testing.T) {
			raw := read(t, packed(t, id, 2, signer))
			good, err := checkBytes(raw)
			require.NoError(t, err)
			for i := range raw {
				for _, flip := range []byte{1, 0x20} {
					raw[i] ^= flip
					_, err := checkBytes(raw)
					raw[i] ^= flip
					want, line := good.memberAt(raw, int64(i))
					requireBroken(t, err, want, line, i)
				}
			}
		})
	}
}

// requireBroken does not go through require.ErrorAs for each of many bytes: it
// is called some hundred thousand times.
func requireBroken(t *testing.T, err error, member evidence.Member, line, at int) {
	t.Helper()
	b, ok := errors.AsType[*Broken](err)
	if !ok || b.Member != member || b.Line != line {
		t.Fatalf("byte %d: got %v, want %q, line %d", at, err, member, line)
	}
}

// TestE1VerifyReadsTheFile is the same through the front door, for one byte of
// each member.
func TestE1VerifyReadsTheFile(t *testing.T) {
	path := packed(t, newIdentity(t), 2, signerOf(1))
	raw := read(t, path)
	good, err := checkBytes(raw)
	require.NoError(t, err)
	for name, offset := range good.offsets {
		changed := slices.Clone(raw)
		changed[offset+3] ^= 1
		require.NoError(t, os.WriteFile(path, changed, 0o600))
		r, err := Verify(path, nil)
		require.NoError(t, err)
		require.NotNil(t, r.Broken)
		require.Equal(t, name, r.Broken.Member)
		require.Empty(t, r.Digest, "nothing is said of a broken bundle")
		require.True(t, strings.HasPrefix(r.Text().String(), "broken: member "), r.Text())
		_, err = Open(path, Limits{})
		require.ErrorContains(t, err, string(name))
	}
}

// TestE1RandomDamageIsFound changes, cuts, inserts into and appends to a bigger
// bundle, 1,000 times each.
func TestE1RandomDamageIsFound(t *testing.T) {
	raw := read(t, bigBundle(t))
	good, err := checkBytes(raw)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 2))
	damage := map[string]func() []byte{
		"change": func() []byte {
			b := slices.Clone(raw)
			b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
			return b
		},
		"cut":      func() []byte { return raw[:rng.IntN(len(raw))] },
		"cut_head": func() []byte { return raw[1+rng.IntN(len(raw)-1):] },
		"remove": func() []byte {
			at := rng.IntN(len(raw))
			return slices.Delete(slices.Clone(raw), at, min(len(raw), at+1+rng.IntN(100)))
		},
		"insert": func() []byte {
			return slices.Insert(slices.Clone(raw), rng.IntN(len(raw)), byte(rng.IntN(256)))
		},
		"append": func() []byte { return append(slices.Clone(raw), make([]byte, 1+rng.IntN(100))...) },
	}
	for name, do := range damage {
		t.Run(name, func(t *testing.T) {
			for range 1000 {
				if _, err := checkBytes(do()); err == nil {
					t.Fatal("not found")
				}
			}
		})
	}
	require.Greater(t, len(good.Log()), 20)
}

// bigBundle holds many transcripts and some ten kilobytes.
func bigBundle(t testing.TB) string {
	j, _ := begin(t, newIdentity(t))
	fill(t, j, 25)
	write(t, j, "attachments/table", strings.Repeat("0123456789abcdef", 2<<10))
	out := filepath.Join(t.TempDir(), "big.assay")
	_, err := Pack(j, out, signerOf(1))
	require.NoError(t, err)
	return out
}
