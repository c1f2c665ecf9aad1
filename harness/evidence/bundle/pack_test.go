package bundle

import (
	"archive/zip"
	"crypto/ed25519"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

func TestRoundTrip(t *testing.T) {
	id, signer := newIdentity(t), signerOf(1)
	j, dir := begin(t, id)
	fill(t, j, 3)
	out := filepath.Join(t.TempDir(), "lamp.assay")
	sum, err := Pack(j, out, signer)
	require.NoError(t, err)
	require.Equal(t, digest(read(t, out)), sum)

	b, err := Open(out, Limits{})
	require.NoError(t, err)
	defer b.Close()
	require.Equal(t, j.Log(), b.Log())
	require.Equal(t, Head{"run-1", "assay test"}, b.Head())
	require.Equal(t, sum, b.Digest())
	require.Equal(t, signer.Public(), b.Signer())
	run, err := b.Run()
	require.NoError(t, err)
	require.JSONEq(t, `{"run":"run-1"}`, string(run))
	m, err := b.Member("transcript/000002")
	require.NoError(t, err)
	text, err := io.ReadAll(m)
	require.NoError(t, err)
	require.Equal(t, "000002 login **************************** ok\n", string(text))
	hash, err := b.RecordHash(3)
	require.NoError(t, err)
	require.Equal(t, digest(j.state.records[2]), hash)
	for _, seq := range []int{0, 4, -1} {
		_, err := b.RecordHash(seq)
		require.Error(t, err)
	}
	_, err = b.Member("transcript/000009")
	require.Error(t, err)

	require.NoError(t, j.Remove())
	require.NoDirExists(t, dir)
}

func TestMembersStandInOrder(t *testing.T) {
	out := packed(t, newIdentity(t), 2, signerOf(1))
	z, err := zip.OpenReader(out)
	require.NoError(t, err)
	defer z.Close()
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		require.Equal(t, zip.Store, f.Method)
		require.Empty(t, f.Extra)
		require.Zero(t, f.Flags)
		r, err := f.Open()
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, r) // compares the checksum
		require.NoError(t, err)
	}
	require.Equal(t, []string{
		"manifest.json", "run.json", "device.yaml", "records.jsonl", "transcript/000001", "transcript/000002",
		"capture.pcapng", "inputs/profile.yaml", "sealed.age", "signature",
	}, names)
}

func TestPackingAgainGivesTheSameBytes(t *testing.T) {
	id, signer := newIdentity(t), signerOf(1)
	j, dir := begin(t, id)
	fill(t, j, 2)
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	sum, err := Pack(j, first, signer)
	require.NoError(t, err)
	require.NoError(t, j.Close())

	j, err = Resume(dir) // by another process, without the sealing key
	require.NoError(t, err)
	defer j.Close()
	require.True(t, j.Ended())
	again, err := Pack(j, second, signer)
	require.NoError(t, err)
	require.Equal(t, sum, again)
	require.Equal(t, read(t, first), read(t, second))
	_, err = Pack(j, second, signer)
	require.NoError(t, err, "the same bundle may be there already")
}

func TestTwoRunsWithTheSameEvidenceDifferInWhatIsSealedOnly(t *testing.T) {
	id := newIdentity(t)
	a, err := checkBytes(read(t, packed(t, id, 2, signerOf(1))))
	require.NoError(t, err)
	b, err := checkBytes(read(t, packed(t, id, 2, signerOf(1))))
	require.NoError(t, err)
	for i, m := range a.Members() {
		if m.Member != sealedName {
			require.Equal(t, m, b.Members()[i])
		}
	}
	require.NotEqual(t, a.members[sealedName], b.members[sealedName])
}

func TestPackTouchesNoOtherFile(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	fill(t, j, 1)
	out := filepath.Join(t.TempDir(), "mine")
	require.NoError(t, os.WriteFile(out, []byte("precious"), 0o600))
	_, err := Pack(j, out, nil)
	require.ErrorIs(t, err, os.ErrExist)
	require.Equal(t, "precious", string(read(t, out)))
	left, err := os.ReadDir(filepath.Dir(out))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestPackRefusesWhatIsNotFinished(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	out := filepath.Join(t.TempDir(), "x")
	_, err := Pack(j, out, nil)
	require.ErrorContains(t, err, `"run.json" is missing`)
	fill(t, j, 1)
	require.ErrorContains(t, j.Remove(), "has not been packed")
	w, err := j.Member("transcript/000099")
	require.NoError(t, err)
	_, err = Pack(j, out, nil)
	require.ErrorContains(t, err, `"transcript/000099" is still open`)
	require.NoError(t, w.Close())
	_, err = Pack(j, out, nil)
	require.NoError(t, err)
	require.Error(t, j.Record(record(2, 1)), "after the end")
	require.Error(t, j.Seal("transcript/000001", 0, []byte("x")))
	_, err = j.Member("transcript/000100")
	require.Error(t, err)
	require.Error(t, j.Input("inputs/late", nil))
}

func TestPackSeesAMemberThatChanged(t *testing.T) {
	j, dir := begin(t, newIdentity(t))
	fill(t, j, 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "transcript/000001"), []byte("other"), 0o600))
	out := filepath.Join(t.TempDir(), "x")
	_, err := Pack(j, out, nil)
	require.ErrorContains(t, err, `"transcript/000001" has changed`)
	require.NoFileExists(t, out)
}

func TestAttachmentsAreMembers(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	require.NoError(t, j.Input(RunName, nil))
	write(t, j, "attachments/ports.jsonl", "{}\n")
	r := record(1, struct{}{})
	r.Attachments = []evidence.Attachment{{Member: "attachments/ports.jsonl", SHA256: digest([]byte("{}\n")), Length: 3}}
	wrong := r
	wrong.Attachments = []evidence.Attachment{{Member: "attachments/ports.jsonl", SHA256: digest(nil), Length: 3}}
	require.ErrorContains(t, j.Record(wrong), "no finished member")
	require.NoError(t, j.Record(r))
	_, err := Pack(j, filepath.Join(t.TempDir(), "x"), nil)
	require.NoError(t, err)
}

func TestVerifySaysWhoSigned(t *testing.T) {
	id, signer := newIdentity(t), signerOf(1)
	signed, unsigned := packed(t, id, 1, signer), packed(t, id, 1, nil)
	tests := []struct {
		name, path string
		trusted    []ed25519.PublicKey
		want       string
	}{
		{"trusted", signed, []ed25519.PublicKey{signerOf(2).Public(), signer.Public()}, "intact, 1 records, signed by " + ShortFingerprint(signer.Public()) + ", trusted"},
		{"unknown", signed, []ed25519.PublicKey{signerOf(2).Public()}, "intact, 1 records, signed by " + Fingerprint(signer.Public()) + ", unknown"},
		{"unsigned", unsigned, []ed25519.PublicKey{signer.Public()}, "intact, 1 records, UNSIGNED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Verify(tt.path, tt.trusted)
			require.NoError(t, err)
			require.NoError(t, r.Text().Err())
			require.Equal(t, tt.want, r.Text().String())
		})
	}
	_, err := Verify(filepath.Join(t.TempDir(), "nothing"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestLimits(t *testing.T) {
	out := packed(t, newIdentity(t), 2, nil)
	for name, l := range map[string]Limits{"bytes": {Bytes: 100}, "members": {Members: 3}, "line": {Line: 20}} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(out, l)
			require.Error(t, err)
		})
	}
}
