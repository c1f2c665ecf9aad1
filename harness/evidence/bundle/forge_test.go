package bundle

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// forger takes a bundle apart and puts it together again, with every hash,
// count and checksum as they must be. What it lacks is the key.
type forger struct {
	manifest manifest
	data     map[evidence.Member][]byte
}

func takeApart(t *testing.T, raw []byte) *forger {
	b, err := checkBytes(raw)
	require.NoError(t, err)
	f := &forger{b.manifest, map[evidence.Member][]byte{}}
	f.manifest.Members = slices.Clone(b.manifest.Members)
	for name, a := range b.members {
		f.data[name] = raw[b.offsets[name]:][:a.Length]
	}
	if b.key != nil {
		f.data[signatureName] = raw[b.offsets[signatureName]:][:envelopeLen(b.manifest.encode())]
	}
	return f
}

// rehash makes the manifest say what the data is.
func (f *forger) rehash() {
	f.manifest.Members = nil
	for _, name := range sortedNames(f.data) {
		if name != signatureName {
			d := f.data[name]
			f.manifest.Members = append(f.manifest.Members, evidence.Attachment{Member: name, SHA256: digest(d), Length: int64(len(d))})
		}
	}
	f.manifest.Records = bytes.Count(f.data[recordsName], []byte("\n"))
}

func (f *forger) assemble(t *testing.T) []byte {
	var out bytes.Buffer
	z := &zipWriter{to: bufio.NewWriter(&out)}
	z.bytes(manifestName, f.manifest.encode())
	for _, name := range sortedNames(f.data) {
		z.bytes(name, f.data[name])
	}
	require.NoError(t, z.close())
	return out.Bytes()
}

func (f *forger) lines() [][]byte {
	return slices.Collect(bytes.Lines(f.data[recordsName]))
}

func TestForgerCanRebuildABundle(t *testing.T) {
	raw := read(t, packed(t, newIdentity(t), 3, signerOf(1)))
	f := takeApart(t, raw)
	f.rehash()
	require.Equal(t, raw, f.assemble(t))
}

// TestE2NothingIsCutOffOrSwappedIn is the work of somebody who can compute all
// but the signature.
func TestE2NothingIsCutOffOrSwappedIn(t *testing.T) {
	id := newIdentity(t)
	raw := read(t, packed(t, id, 3, signerOf(1)))
	other := takeApart(t, read(t, packed(t, id, 2, signerOf(1))))
	tests := []struct {
		name   string
		forge  func(*forger)
		member evidence.Member // broken if nothing was recomputed
		line   int
	}{
		{"last_record_dropped", func(f *forger) { f.data[recordsName] = bytes.Join(f.lines()[:2], nil) }, recordsName, 3},
		{"last_line_cut", func(f *forger) { f.data[recordsName] = bytes.TrimRight(f.data[recordsName], "\n") }, recordsName, 3},
		{"records_swapped", func(f *forger) {
			l := f.lines()
			f.data[recordsName] = bytes.Join([][]byte{l[0], l[2], l[1]}, nil)
		}, recordsName, 2},
		{"record_repeated", func(f *forger) {
			l := f.lines()
			f.data[recordsName] = bytes.Join([][]byte{l[0], l[1], l[1]}, nil)
		}, recordsName, 3},
		{"records_of_another_run", func(f *forger) { f.data[recordsName] = other.data[recordsName] }, recordsName, 3},
		{"sealed_of_another_run", func(f *forger) { f.data[sealedName] = other.data[sealedName] }, sealedName, 0},
		{"run_replaced", func(f *forger) { f.data[RunName] = []byte(`{"run":"run-2"}`) }, RunName, 0},
		{"transcripts_swapped", func(f *forger) {
			f.data["transcript/000001"], f.data["transcript/000002"] = f.data["transcript/000002"], f.data["transcript/000001"]
		}, "transcript/000001", 0},
		{"signature_of_another_run", func(f *forger) { f.data[signatureName] = other.data[signatureName] }, signatureName, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := takeApart(t, raw)
			tt.forge(f)
			requireForged(t, f, tt.member, tt.line)
		})
	}
}

// requireForged wants the member named if only that was changed, and the
// signature if all around it was recomputed. Both are broken, not unsigned.
func requireForged(t *testing.T, f *forger, member evidence.Member, line int) {
	t.Helper()
	// The zip around a member of another length is rebuilt, the manifest not.
	r := verifyBytes(t, f.assemble(t))
	require.NotNil(t, r.Broken)
	require.Equal(t, member, r.Broken.Member)
	require.Equal(t, line, r.Broken.Line, r.Broken)

	f.rehash()
	r = verifyBytes(t, f.assemble(t))
	require.NotNil(t, r.Broken)
	require.Contains(t, []evidence.Member{signatureName, recordsName}, r.Broken.Member)
}

func verifyBytes(t *testing.T, raw []byte) Report {
	path := filepath.Join(t.TempDir(), "forged.assay")
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	r, err := Verify(path, nil)
	require.NoError(t, err)
	return r
}

func TestE2TheHeadIsSigned(t *testing.T) {
	raw := read(t, packed(t, newIdentity(t), 1, signerOf(1)))
	for name, change := range map[string]func(*manifest){
		"run":        func(m *manifest) { m.Run = "run-2" },
		"tool":       func(m *manifest) { m.Tool = "assay other" },
		"recipients": func(m *manifest) { m.Recipients = []string{"age1none"} },
	} {
		t.Run(name, func(t *testing.T) {
			f := takeApart(t, raw)
			change(&f.manifest)
			f.data[signatureName] = f.data[signatureName][:0]
			f.data[signatureName] = envelope(f.manifest.encode(), signerOf(1).Public(), make([]byte, 64))
			require.Equal(t, signatureName, verifyBytes(t, f.assemble(t)).Broken.Member)
		})
	}
}

func TestE2AnotherSignerIsNotTrusted(t *testing.T) {
	f := takeApart(t, read(t, packed(t, newIdentity(t), 2, signerOf(1))))
	f.data[recordsName] = f.lines()[0]
	f.manifest.Signer = base64.StdEncoding.EncodeToString(signerOf(2).Public())
	f.rehash()
	f.data[signatureName] = signerOf(2).sign(f.manifest.encode())
	r := verifyBytes(t, f.assemble(t))
	require.Nil(t, r.Broken)
	require.False(t, r.Trusted)
	require.Equal(t, signerOf(2).Public(), r.Key)
}

func TestE2ATakenSignatureShows(t *testing.T) {
	raw := read(t, packed(t, newIdentity(t), 1, signerOf(1)))
	f := takeApart(t, raw)
	delete(f.data, signatureName)
	require.Equal(t, signatureName, verifyBytes(t, f.assemble(t)).Broken.Member)

	f.manifest.Signer = "" // and with the manifest changed, nobody vouches for it
	r := verifyBytes(t, f.assemble(t))
	require.Nil(t, r.Broken)
	require.Equal(t, "intact, 1 records, UNSIGNED", r.Text().String())
}

// TestManifestsThatAreRefused are of the right checksum and the wrong content.
func TestManifestsThatAreRefused(t *testing.T) {
	raw := read(t, packed(t, newIdentity(t), 1, nil))
	tests := []struct {
		name   string
		change func(*manifest)
		want   string
	}{
		{"later_version", func(m *manifest) { m.Schema = "assay-bundle/2" }, `schema is "assay-bundle/2"`},
		{"no_run", func(m *manifest) { m.Run = "" }, "run id"},
		{"short_key", func(m *manifest) { m.Signer = "AAAA" }, "no Ed25519 key"},
		{"order", func(m *manifest) { slices.Reverse(m.Members) }, "has no place"},
		{"twice", func(m *manifest) { m.Members = append(m.Members, m.Members[len(m.Members)-1]) }, "has no place"},
		{"climbs", func(m *manifest) { m.Members[0].Member = "inputs/../../x" }, "has no place"},
		{"manifest_within", func(m *manifest) { m.Members[0].Member = manifestName }, "has no place"},
		{"negative", func(m *manifest) { m.Members[0].Length = -1 }, "no length"},
		{"huge", func(m *manifest) { m.Members[0].Length = 1 << 62 }, "no length"},
		{"hash", func(m *manifest) { m.Members[0].SHA256 = "AB" }, "no hash"},
		{"no_sealed", func(m *manifest) { m.Members = m.Members[:len(m.Members)-1] }, `"sealed.age" is missing`},
		{"count", func(m *manifest) { m.Records++ }, "1 records, and the manifest counts 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := takeApart(t, raw)
			f.data = maps.Clone(f.data)
			tt.change(&f.manifest)
			require.ErrorContains(t, verifyBytes(t, f.assemble(t)).Broken, tt.want)
		})
	}
}
