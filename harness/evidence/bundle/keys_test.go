package bundle

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
)

func TestKeysAreMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config", "assay")
	first, err := Keys(dir)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, SigningKey), filepath.Join(dir, SigningPub), filepath.Join(dir, SealingKey)}, first.Created)
	for name, want := range map[string]os.FileMode{SigningKey: 0o600, SealingKey: 0o600, SigningPub: 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm(), name)
	}
	second, err := Keys(dir)
	require.NoError(t, err)
	require.Empty(t, second.Created)
	require.Equal(t, first.Signer, second.Signer)
	require.Equal(t, first.Sealing.String(), second.Sealing.String())
	public, err := ReadPublicKey(filepath.Join(dir, SigningPub))
	require.NoError(t, err)
	require.Equal(t, first.Signer.Public(), public)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 3, "no temporary file is left")
}

func TestKeysOfTwoProcessesAreTheSame(t *testing.T) {
	dir := t.TempDir()
	sets := make([]KeySet, 8)
	var all sync.WaitGroup
	for i := range sets {
		all.Go(func() {
			var err error
			if sets[i], err = Keys(dir); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var created []string
	for _, s := range sets {
		require.Equal(t, sets[0].Signer, s.Signer)
		require.Equal(t, sets[0].Sealing.String(), s.Sealing.String())
		created = append(created, s.Created...)
	}
	slices.Sort(created)
	require.Len(t, slices.Compact(created), 3)
	require.Len(t, created, 3, "each file is told of once")
}

func TestKeysRefuses(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	require.NoError(t, err)
	elliptic := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	hybrid, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	foreign, err := x509.MarshalPKIXPublicKey(signerOf(9).Public())
	require.NoError(t, err)
	tests := []struct {
		name, file string
		content    []byte
		mode       os.FileMode
		want       string
	}{
		{"readable_by_others", SigningKey, nil, 0o644, "others can read it"},
		{"sealing_readable_by_group", SealingKey, nil, 0o640, "others can read it"},
		{"not_pem", SigningKey, []byte("x"), 0o600, "want one PEM block"},
		{"cut", SigningKey, elliptic[:20], 0o600, "want one PEM block"},
		{"not_ed25519", SigningKey, elliptic, 0o600, "want an Ed25519 key"},
		{"empty", SealingKey, []byte{}, 0o600, "sealing.key"},
		{"not_x25519", SealingKey, []byte(hybrid.String()), 0o600, "want one X25519 identity"},
		{"another_public_key", SigningPub, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: foreign}), 0o644, "does not belong"},
		{"public_key_is_none", SigningPub, []byte("x"), 0o644, "want a PEM block"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := Keys(dir)
			require.NoError(t, err)
			path := filepath.Join(dir, tt.file)
			if tt.content != nil {
				require.NoError(t, os.WriteFile(path, tt.content, tt.mode))
			}
			require.NoError(t, os.Chmod(path, tt.mode))
			before := read(t, path)
			_, err = Keys(dir)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, before, read(t, path), "never replaced")
		})
	}
}

func TestReadPublicKeyRefuses(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(ec.Public())
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "pub")
	_, err = ReadPublicKey(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	for want, content := range map[string][]byte{
		"want a PEM block":    []byte("ssh-ed25519 AAAA"),
		"asn1":                pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}),
		"want an Ed25519 key": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	} {
		require.NoError(t, os.WriteFile(path, content, 0o600))
		_, err := ReadPublicKey(path)
		require.ErrorContains(t, err, want)
	}
}

func TestFingerprints(t *testing.T) {
	key := signerOf(1).Public()
	require.Equal(t, "34750f98bd59fcfc946da45aaabe933be154a4b5094e1c4abf42866505f3c97e", Fingerprint(key))
	require.Equal(t, "3475-0f98-bd59-fcfc", ShortFingerprint(key))
	require.NotEqual(t, Fingerprint(key), Fingerprint(signerOf(2).Public()))
}
