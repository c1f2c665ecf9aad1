package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"filippo.io/age"
)

// The files of a key directory.
const (
	SigningKey = "signing.key" // Ed25519, PEM, PKCS #8
	SigningPub = "signing.pub" // its public half, PEM, PKIX
	SealingKey = "sealing.key" // age X25519 identity
)

// A KeySet is what one user signs and seals with.
type KeySet struct {
	Signer  *Signer
	Sealing *age.X25519Identity
	Created []string // files that were made just now, to be named on screen
}

// Recipients are those for whom a run of this user is sealed.
func (k KeySet) Recipients() []age.Recipient { return []age.Recipient{k.Sealing.Recipient()} }

// Keys loads the keys in dir and creates those that are not there. It refuses
// private keys that others could read, and never replaces a file.
func Keys(dir string) (KeySet, error) {
	var k KeySet
	if err := os.MkdirAll(dir, dirPerm); err != nil {
		return k, fmt.Errorf("keys: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return k, fmt.Errorf("keys: %w", err)
	}
	defer root.Close()
	if err := errors.Join(k.signing(root), k.sealing(root)); err != nil {
		return KeySet{}, fmt.Errorf("keys: %w", err)
	}
	return k, nil
}

// signing loads or makes the signing key, and its public half for others.
func (k *KeySet) signing(root *os.Root) error {
	text, err := k.private(root, SigningKey, newSigningKey)
	if err != nil {
		return err
	}
	path := filepath.Join(root.Name(), SigningKey)
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return fmt.Errorf("%s: want one PEM block", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return fmt.Errorf("%s: it is a %T, want an Ed25519 key", path, key)
	}
	k.Signer = NewSigner(private)
	return k.public(root)
}

// public writes the public half, or sees to it that what is there belongs to
// the private one.
func (k *KeySet) public(root *os.Root) error {
	der, err := x509.MarshalPKIXPublicKey(k.Signer.Public())
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	made, err := writeNew(root, SigningPub, text, 0o644)
	if err != nil {
		return err
	}
	path := filepath.Join(root.Name(), SigningPub)
	if made {
		k.Created = append(k.Created, path)
	}
	there, err := ReadPublicKey(path)
	if err == nil && !there.Equal(k.Signer.Public()) {
		err = fmt.Errorf("%s does not belong to %s", path, SigningKey)
	}
	return err
}

// sealing loads or makes the key that opens what was masked.
func (k *KeySet) sealing(root *os.Root) error {
	text, err := k.private(root, SealingKey, newSealingKey)
	if err != nil {
		return err
	}
	path := filepath.Join(root.Name(), SealingKey)
	identities, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	id, ok := identities[0].(*age.X25519Identity)
	if !ok || len(identities) != 1 {
		return fmt.Errorf("%s: want one X25519 identity", path)
	}
	k.Sealing = id
	return nil
}

// private reads a private key, which it makes if it is not there.
func (k *KeySet) private(root *os.Root, name string, generate func() ([]byte, error)) ([]byte, error) {
	path := filepath.Join(root.Name(), name)
	if _, err := root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		text, err := generate()
		if err != nil {
			return nil, err
		}
		made, err := writeNew(root, name, text, filePerm)
		if err != nil {
			return nil, err
		}
		if made {
			k.Created = append(k.Created, path)
		}
	}
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others can read it (mode %#o): set its mode to %#o", path, info.Mode().Perm(), filePerm)
	}
	return root.ReadFile(name)
}

// writeNew writes a file that is there whole or not at all. It reports false if
// another process was first: that one's file is the one that counts.
func writeNew(root *os.Root, name string, text []byte, perm fs.FileMode) (made bool, err error) {
	if _, err := root.Lstat(name); err == nil {
		return false, nil
	}
	var random [8]byte
	rand.Read(random[:])
	temporary := "." + name + "." + hex.EncodeToString(random[:])
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, root.Remove(temporary)) }()
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = closeAfter(f, err); err != nil {
		return false, err
	}
	err = root.Link(temporary, name)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

func newSigningKey() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

func newSealingKey() ([]byte, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "# public key: %s\n%s\n", id.Recipient(), id), nil
}

// ReadPublicKey reads the public half of a signing key.
func ReadPublicKey(path string) (ed25519.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: want a PEM block", path)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%s: it is a %T, want an Ed25519 key", path, key)
	}
	return public, nil
}
