package bundle

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// Pack ends the run and writes its bundle to out, whole or not at all; without
// a signer it is unsigned. The journal stays until Remove. Sealing draws random
// numbers, once, when the journal ends; everything after that is determined, so
// packing again gives the same bytes. A file at out that is no such bundle is
// not touched: that is an error.
func Pack(j *Journal, out string, signer *Signer) (evidence.Digest, error) {
	d, err := openDisk(filepath.Dir(out))
	if err != nil {
		return "", fmt.Errorf("pack: %w", err)
	}
	sum, err := packOn(d, filepath.Base(out), j, signer)
	if err = closeAfter(d, err); err != nil {
		return "", fmt.Errorf("pack %q into %q: %w", j.dir, out, err)
	}
	return sum, nil
}

func packOn(d disk, name string, j *Journal, signer *Signer) (evidence.Digest, error) {
	if err := j.finish(); err != nil {
		return "", err
	}
	temporary := "." + name + ".part"
	if err := d.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	f, err := create(d, temporary)
	if err != nil {
		return "", err
	}
	if err = j.write(f, signer); err == nil {
		err = f.Sync()
	}
	if err = closeAfter(f, err); err != nil {
		return "", errors.Join(err, d.Remove(temporary))
	}
	return publish(d, temporary, name)
}

// publish reads a bundle back, as everybody will, before it gives it its name.
func publish(d disk, temporary, name string) (evidence.Digest, error) {
	sum, err := readBack(d, temporary)
	if err != nil {
		return "", errors.Join(err, d.Remove(temporary))
	}
	old, err := readBack(d, name)
	if err == nil && old == sum {
		return sum, errors.Join(d.Remove(temporary), syncName(d, name))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", errors.Join(fmt.Errorf("another file is there already: %w", os.ErrExist), d.Remove(temporary))
	}
	if err := d.Rename(temporary, name); err != nil {
		return "", errors.Join(err, d.Remove(temporary))
	}
	return sum, syncName(d, name)
}

func readBack(d disk, name string) (evidence.Digest, error) {
	f, err := d.FS().Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	b, err := check(f, info.Size(), Limits{})
	if err != nil {
		return "", err
	}
	return b.digest, nil
}

// finish ends the journal, unless it has ended before.
func (j *Journal) finish() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state.ended {
		return j.fault.get()
	}
	if open := sortedNames(j.open); len(open) > 0 {
		return fmt.Errorf("member %q is still open", open[0])
	}
	if _, ok := j.state.members[RunName]; !ok {
		return fmt.Errorf("member %q is missing", RunName)
	}
	w, err := j.openMember(sealedName)
	if err != nil {
		return err
	}
	if err := j.writeSealed(w); err != nil {
		return j.fault.set(err)
	}
	sealed, err := w.finish()
	if err != nil {
		return err
	}
	delete(j.open, sealedName)
	return j.append(&endEvent{len(j.state.log), sealed})
}

// write writes the bundle of a journal that has ended.
func (j *Journal) write(to io.Writer, signer *Signer) error {
	var records []byte
	for _, r := range j.state.records {
		records = append(records, recordLine(r)...)
	}
	m := j.manifest(records, signer)
	z := &zipWriter{to: bufio.NewWriter(to)}
	head := m.encode()
	z.bytes(manifestName, head)
	for _, a := range m.Members {
		if a.Member == recordsName {
			z.bytes(recordsName, records)
			continue
		}
		z.file(j.disk, a)
	}
	if signer != nil {
		z.bytes(signatureName, signer.sign(head))
	}
	return z.close()
}

func (j *Journal) manifest(records []byte, signer *Signer) manifest {
	m := manifest{
		Schema: schema, Run: j.state.head.Run, Tool: j.state.head.Tool,
		Records: len(j.state.log), Recipients: j.state.head.Recipients,
		Members: []evidence.Attachment{{Member: recordsName, SHA256: digest(records), Length: int64(len(records))}},
	}
	if signer != nil {
		m.Signer = base64.StdEncoding.EncodeToString(signer.Public())
	}
	for _, a := range j.state.members {
		m.Members = append(m.Members, a)
	}
	slices.SortFunc(m.Members, func(a, b evidence.Attachment) int { return inOrder(a.Member, b.Member) })
	return m
}

// zipWriter writes members one after the other and keeps the first error.
type zipWriter struct {
	to    *bufio.Writer
	parts []part
	at    int64
	err   error
}

func (z *zipWriter) bytes(name evidence.Member, data []byte) {
	if z.err == nil {
		z.err = z.add(part{name, int64(len(data)), crc32.ChecksumIEEE(data)}, bytes.NewReader(data))
	}
}

// file adds a member of the journal.
func (z *zipWriter) file(d disk, a evidence.Attachment) {
	if z.err != nil {
		return
	}
	f, err := d.OpenFile(string(a.Member), os.O_RDONLY, 0)
	if err != nil {
		z.err = err
		return
	}
	z.err = closeAfter(f, z.copy(f, a))
}

// copy reads a file twice: its checksum stands before it.
func (z *zipWriter) copy(f file, a evidence.Attachment) error {
	hash, crc := sha256.New(), crc32.NewIEEE()
	n, err := io.Copy(io.MultiWriter(hash, crc), f)
	if err != nil {
		return err
	}
	if n != a.Length || hex.EncodeToString(hash.Sum(nil)) != string(a.SHA256) {
		return fmt.Errorf("member %q has changed since it was finished", a.Member)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return z.add(part{a.Member, a.Length, crc.Sum32()}, f)
}

func (z *zipWriter) add(p part, data io.Reader) error {
	if z.at = p.end(z.at); z.at > math.MaxUint32 {
		return errors.New("more than a zip without extra fields can hold")
	}
	z.parts = append(z.parts, p)
	if _, err := z.to.Write(p.header()); err != nil {
		return err
	}
	_, err := io.CopyN(z.to, data, p.length)
	return err
}

func (z *zipWriter) close() error {
	if z.err == nil {
		_, z.err = z.to.Write(directory(z.parts))
	}
	if z.err == nil {
		z.err = z.to.Flush()
	}
	return z.err
}
