package device

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Open opens a file that the device file names. It never leaves the folder of
// the device file, also not by a symbolic link, and opens nothing but regular
// files: a named pipe would block.
func (f *File) Open(file string) (*os.File, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.FromSlash(file)
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no regular file", file)
	}
	return root.Open(name)
}

// errTooLarge says that a file has more bytes than it can sensibly have.
var errTooLarge = errors.New("it is too large")

// readFile reads at most limit bytes of a file that the device file names.
func (f *File) readFile(file string, limit int64) ([]byte, error) {
	r, err := f.Open(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	}
	return b, err
}

// checkFiles sees to it that each file that f names is there, that attachments
// are what was answered on, and that anchors can be read: before a run begins,
// not in the middle of it.
func (f *File) checkFiles() error {
	for _, n := range f.files() {
		if err := f.checkFile(n); err != nil {
			return f.fault(n.path, "", "file %q", n.file).because(err)
		}
	}
	if _, err := f.Anchors(); err != nil {
		return err
	}
	_, err := f.TestCA()
	return err
}

func (f *File) checkFile(n named) error {
	r, err := f.Open(n.file)
	if err != nil {
		return plain(err)
	}
	defer r.Close()
	if n.sha256 == "" {
		return nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != n.sha256 {
		return fmt.Errorf("it has the SHA-256 %s: it is not the file that the answer rests on", got)
	}
	return nil
}

// plain takes the operation and the path off an error: the message names the
// file already.
func plain(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// maxPEM bounds a file of certificates; the bundle of a whole system has about
// a quarter of it.
const maxPEM = 1 << 20

// Anchors returns the certificates that the manufacturer says are to be
// trusted, in the order of the file.
func (f *File) Anchors() ([]*Certificate, error) {
	var all []*Certificate
	for i, file := range f.Trust.Anchors {
		path := entry("trust.anchors", i)
		b, err := f.readFile(file, maxPEM)
		if err != nil {
			return nil, f.fault(path, "", "file %q", file).because(plain(err))
		}
		certs, err := Certificates(b)
		if err != nil {
			return nil, f.fault(path, "", "file %q", file).because(err)
		}
		all = append(all, certs...)
	}
	return all, nil
}

// TestCA returns the PEM file of the manufacturer's test CA, certificate and
// key, or nothing if there is none.
func (f *File) TestCA() ([]byte, error) {
	if f.Trust.TestCA == "" {
		return nil, nil
	}
	b, err := f.readFile(f.Trust.TestCA, maxPEM)
	if err == nil {
		_, err = ParseTestCA(b)
	}
	if err != nil {
		return nil, f.fault("trust.test_ca", "", "file %q", f.Trust.TestCA).because(plain(err))
	}
	return slices.Clip(b), nil
}
