package bundle

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/assay-iot/assay/harness/evidence"
)

// forms are the ways in which the canary must not stand anywhere.
func forms(secret []byte) [][]byte {
	all := [][]byte{secret, []byte(hex.EncodeToString(secret)), slices.Clone(secret)}
	slices.Reverse(all[2])
	for skip := range 3 { // base64 within a longer text begins at any of three places
		text := base64.RawStdEncoding.EncodeToString(secret[skip:])
		all = append(all, []byte(text[:len(text)-4]))
	}
	return all
}

func requireNoSecret(t *testing.T, dir string, secrets ...[]byte) (files int) {
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data := read(t, filepath.Join(dir, name))
		for _, s := range secrets {
			for _, form := range forms(s) {
				if bytes.Contains(data, form) || bytes.Contains([]byte(name), form) {
					t.Errorf("%s holds %q", name, form)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	return files
}

// TestSecretsAreSealed looks through every byte on disk, while the run lasts
// and afterwards.
func TestSecretsAreSealed(t *testing.T) {
	id := newIdentity(t)
	j, dir := begin(t, id)
	key, err := j.CompareKey()
	require.NoError(t, err)
	fill(t, j, 3)
	stand := evidence.Hide(key, "password", []byte(canary))
	require.NoError(t, j.Record(record(4, stand)))
	require.Equal(t, 8, requireNoSecret(t, dir, []byte(canary), key))

	out := filepath.Join(t.TempDir(), "out.assay")
	_, err = Pack(j, out, signerOf(1))
	require.NoError(t, err)
	require.Equal(t, 9, requireNoSecret(t, dir, []byte(canary), key), "with sealed.age")
	require.Equal(t, 1, requireNoSecret(t, filepath.Dir(out), []byte(canary), key))

	u, err := Unseal(out, id)
	require.NoError(t, err)
	require.Equal(t, key, u.CompareKey)
	require.Equal(t, stand, evidence.Hide(u.CompareKey, "password", u.Originals[0].Bytes))
	requireOriginals(t, u, 3)
}

func requireOriginals(t *testing.T, u Unsealed, n int) {
	t.Helper()
	var want []Original
	for i := range n {
		want = append(want, Original{transcriptName(i + 1), 13, []byte(canary)})
	}
	require.Equal(t, want, u.Originals)
}

// TestOriginalsOfAnEarlierProcess can be unsealed whether or not the process
// that packed could read them.
func TestOriginalsOfAnEarlierProcess(t *testing.T) {
	for name, give := range map[string]bool{"with_the_identity": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			id := newIdentity(t)
			j, dir := begin(t, id)
			fill(t, j, 2)
			var ids []age.Identity
			if give {
				ids = append(ids, id)
			}
			j = again(t, j, ids...)
			write(t, j, "transcript/000003", "000003 login ****************************")
			require.NoError(t, j.Seal("transcript/000003", 13, []byte(canary)), "sealing needs no identity")
			require.NoError(t, j.Record(record(3, 3)))
			out := filepath.Join(filepath.Dir(dir), "out.assay")
			_, err := Pack(j, out, nil)
			require.NoError(t, err)
			requireNoSecret(t, filepath.Dir(dir), []byte(canary))
			u, err := Unseal(out, id)
			require.NoError(t, err)
			requireOriginals(t, u, 3)
			require.Len(t, u.CompareKey, compareKeyLen)
		})
	}
}

func TestUnsealNeedsTheIdentity(t *testing.T) {
	out := packed(t, newIdentity(t), 1, nil)
	for name, ids := range map[string][]age.Identity{"none": nil, "another": {newIdentity(t)}} {
		t.Run(name, func(t *testing.T) {
			u, err := Unseal(out, ids...)
			require.ErrorContains(t, err, `member "sealed.age"`)
			require.Zero(t, u)
		})
	}
}

func TestSeveralRecipients(t *testing.T) {
	one, two := newIdentity(t), newIdentity(t)
	hybrid, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	for name, to := range map[string][]age.Identity{"x25519": {one, two}, "hybrid": {hybrid}} {
		t.Run(name, func(t *testing.T) {
			var recipients []age.Recipient
			for _, id := range to {
				switch id := id.(type) {
				case *age.X25519Identity:
					recipients = append(recipients, id.Recipient())
				case *age.HybridIdentity:
					recipients = append(recipients, id.Recipient())
				}
			}
			dir := filepath.Join(t.TempDir(), "d")
			j, err := Create(dir, Head{"r", "t"}, recipients)
			require.NoError(t, err)
			j = again(t, j) // the recipients are read back
			fill(t, j, 1)
			out := filepath.Join(t.TempDir(), "x")
			_, err = Pack(j, out, nil)
			require.NoError(t, err)
			for _, id := range to {
				u, err := Unseal(out, id)
				require.NoError(t, err)
				requireOriginals(t, u, 1)
			}
		})
	}
}

// TestSealedPartsThatAreRefused are well encrypted and make no sense.
func TestSealedPartsThatAreRefused(t *testing.T) {
	id := newIdentity(t)
	f := takeApart(t, read(t, packed(t, id, 1, nil)))
	key := secret{CompareKey: make([]byte, compareKeyLen)}
	tests := []struct {
		name  string
		lines []secret
		want  string
	}{
		{"nothing", nil, "no compare key"},
		{"short_key", []secret{{CompareKey: []byte("x")}}, "no compare key"},
		{"two_keys", []secret{key, key}, "line 2: it holds neither"},
		{"empty_line", []secret{key, {}}, "line 2: it holds neither"},
		{"no_such_member", []secret{key, {Member: "transcript/000009", Original: []byte("x")}}, "is no part of"},
		{"outside", []secret{key, {Member: "transcript/000001", Offset: 1000, Original: []byte("x")}}, "is no part of"},
		{"before", []secret{key, {Member: "transcript/000001", Offset: -1, Original: []byte("x")}}, "is no part of"},
		{"no_age", []secret{key, {Age: []byte("x")}}, "line 2: unseal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sealed bytes.Buffer
			w, err := age.Encrypt(&sealed, id.Recipient())
			require.NoError(t, err)
			for _, l := range tt.lines {
				_, err := w.Write(append(mustJSON(t, l), '\n'))
				require.NoError(t, err)
			}
			require.NoError(t, w.Close())
			f.data[sealedName] = sealed.Bytes()
			f.rehash()
			path := filepath.Join(t.TempDir(), "x")
			require.NoError(t, os.WriteFile(path, f.assemble(t), 0o600))
			_, err = Unseal(path, id)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestSealRefuses(t *testing.T) {
	j, _ := begin(t, newIdentity(t))
	write(t, j, "transcript/000001", "x")
	require.ErrorContains(t, j.Seal("transcript/000001", 0, make([]byte, maxOriginal+1)), "the most")
	require.ErrorContains(t, j.Seal("transcript/000001", -1, []byte("x")), "cannot be masked")
	require.ErrorContains(t, j.Seal("transcript/000001", 0, nil), "cannot be masked")
	require.NoError(t, j.Seal("transcript/000001", 0, make([]byte, maxOriginal)))
}
