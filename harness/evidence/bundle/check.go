package bundle

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/assay-iot/assay/harness/evidence"
)

// check reads a bundle from its first byte to its last. The manifest comes
// first and determines all else: the order, names, lengths and hashes of the
// members, and with them every byte of the zip around them. So nothing in the
// file is searched or trusted; it is compared with what Pack would write.
func check(r io.Reader, size int64, limits Limits) (*Bundle, error) {
	limits = limits.orDefault()
	if size > limits.Bytes {
		return nil, fmt.Errorf("%d bytes, and %d is the limit", size, limits.Bytes)
	}
	whole, from := sha256.New(), &source{r: r}
	c := &checker{
		limits: limits,
		in:     bufio.NewReader(io.TeeReader(from, whole)),
		bundle: &Bundle{offsets: map[evidence.Member]int64{}},
	}
	if err := c.run(); err != nil {
		return nil, cmp.Or(from.err, err)
	}
	c.bundle.digest = evidence.Digest(hex.EncodeToString(whole.Sum(nil)))
	return c.bundle, nil
}

// source remembers an error of the disk, which says nothing about the bundle.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if !errors.Is(err, io.EOF) {
		s.err = cmp.Or(s.err, err)
	}
	return n, err
}

type checker struct {
	limits Limits
	in     *bufio.Reader
	at     int64 // where the next member begins
	parts  []part
	bundle *Bundle
}

func (c *checker) run() error {
	head, err := c.manifest()
	if err != nil {
		return err
	}
	for _, a := range c.bundle.manifest.Members {
		read := skip
		if a.Member == recordsName {
			read = c.records
		}
		if err := c.part(a, read); err != nil {
			return err
		}
	}
	if c.bundle.key != nil {
		if err := c.signature(head); err != nil {
			return err
		}
	}
	return c.directory()
}

func skip(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// manifest reads the one member whose length nothing before it tells.
func (c *checker) manifest() ([]byte, error) {
	start, err := c.in.Peek(localLen)
	if err != nil {
		return nil, broken(manifestName, err)
	}
	length := int64(binary.LittleEndian.Uint32(start[lengthAt:]))
	if length > maxManifest {
		return nil, broken(manifestName, fmt.Errorf("%d bytes, and %d is the most", length, maxManifest))
	}
	data, err := c.readPart(manifestName, length)
	if err != nil {
		return nil, err
	}
	b := c.bundle
	if b.manifest, err = parseManifest(data); err != nil {
		return nil, broken(manifestName, err)
	}
	if n := len(b.manifest.Members); n > c.limits.Members {
		return nil, fmt.Errorf("%d members, and %d is the limit", n, c.limits.Members)
	}
	b.members = b.manifest.byName()
	b.key, err = b.manifest.key()
	return data, err
}

// readPart reads a member that the manifest does not list.
func (c *checker) readPart(name evidence.Member, length int64) ([]byte, error) {
	var data bytes.Buffer
	err := c.part(evidence.Attachment{Member: name, Length: length}, func(r io.Reader) error {
		_, err := data.ReadFrom(r)
		return err
	})
	return data.Bytes(), err
}

// part reads one member and compares it, and the zip's header before it, with
// what a says. Without a hash in a, the data is the caller's to check.
func (c *checker) part(a evidence.Attachment, read func(io.Reader) error) error {
	header := make([]byte, localLen+len(a.Member))
	if _, err := io.ReadFull(c.in, header); err != nil {
		return broken(a.Member, err)
	}
	hash, crc := sha256.New(), crc32.NewIEEE()
	data := &io.LimitedReader{R: c.in, N: a.Length}
	if err := read(io.TeeReader(data, io.MultiWriter(hash, crc))); err != nil {
		return broken(a.Member, err)
	}
	if data.N > 0 {
		return broken(a.Member, io.ErrUnexpectedEOF)
	}
	if a.SHA256 != "" && hex.EncodeToString(hash.Sum(nil)) != string(a.SHA256) {
		return broken(a.Member, errors.New("its hash is not the one in the manifest"))
	}
	p := part{a.Member, a.Length, crc.Sum32()}
	if !bytes.Equal(header, p.header()) {
		return broken(a.Member, errors.New("the zip describes it otherwise than assay does"))
	}
	c.bundle.offsets[a.Member] = c.at + int64(len(header))
	c.parts, c.at = append(c.parts, p), p.end(c.at)
	return nil
}

// records reads the records, one a line.
func (c *checker) records(r io.Reader) error {
	b := c.bundle
	lines := bufio.NewReader(r)
	for {
		text, err := readLine(lines, c.limits.Line)
		if errors.Is(err, io.EOF) {
			break
		}
		var rec evidence.Record
		var hash evidence.Digest
		if err == nil {
			rec, hash, err = parseRecordLine(text)
		}
		if err == nil {
			err = checkRecord(rec, b.log, b.members)
		}
		if err != nil {
			return &Broken{recordsName, len(b.log) + 1, err}
		}
		b.log, b.hashes = append(b.log, rec), append(b.hashes, hash)
	}
	if len(b.log) != b.manifest.Records {
		return fmt.Errorf("it has %d records, and the manifest counts %d", len(b.log), b.manifest.Records)
	}
	return nil
}

// signature checks the last member, whose length the manifest determines.
func (c *checker) signature(manifest []byte) error {
	data, err := c.readPart(signatureName, int64(envelopeLen(manifest)))
	if err != nil {
		return err
	}
	if err := verifyEnvelope(data, manifest, c.bundle.key); err != nil {
		return broken(signatureName, err)
	}
	return nil
}

// directory compares what follows the last member.
func (c *checker) directory() error {
	want := directory(c.parts)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.in, got); err != nil {
		return broken("", err)
	}
	if !bytes.Equal(got, want) {
		return broken("", errors.New("it is not what the members call for"))
	}
	if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
		return broken("", errors.Join(errors.New("something follows it"), err))
	}
	return nil
}

// broken says that a member does not hold. It leaves alone errors that name a
// line already.
func broken(m evidence.Member, err error) error {
	if b, ok := errors.AsType[*Broken](err); ok {
		return b
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file ends before it does")
	}
	return &Broken{m, 0, err}
}
