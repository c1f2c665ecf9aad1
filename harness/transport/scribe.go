package transport

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/assay-iot/assay/harness/evidence"
)

// A scribe writes down one direction of a connection, secrets masked at equal
// length. It holds back what may be the beginning of a secret until the rest
// came or the stream ended.
type scribe struct {
	log  *log
	name func() evidence.Member // called for the first byte
	late bool                   // all is held back until the stream ends: see Late

	mu     sync.Mutex
	member evidence.Member
	w      io.WriteCloser
	total  int64 // bytes taken
	done   int64 // bytes written, which is where buf begins
	buf    []byte
	secret []bool // of each byte of buf
}

// A log is what all scribes of a run share.
type log struct {
	open    func(evidence.Member) (io.WriteCloser, error)
	seal    func(evidence.Member, int64, []byte) error
	secrets *secrets
}

// sealAtOnce bounds a stretch of secrets that touch each other, in bytes; a
// longer one is sealed in pieces.
const sealAtOnce = 64 << 10

// write takes b, of which the bytes from from to to are secret by themselves.
func (s *scribe) write(b []byte, from, to int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(b) == 0 {
		return nil
	}
	if s.total == 0 {
		s.member = s.name()
	}
	s.total += int64(len(b))
	if s.log.open == nil {
		return nil
	}
	held := s.log.secrets.held()
	begun := len(s.buf)
	s.buf = append(s.buf, b...)
	s.secret = append(s.secret, make([]bool, len(b))...)
	s.mark(begun+from, begun+to)
	look := max(0, begun-held)
	s.log.secrets.each(s.buf[look:], func(from, to int) { s.mark(look+from, look+to) })
	return s.flush(s.settled(len(s.buf) - held))
}

func (s *scribe) mark(from, to int) {
	for i := from; i < to; i++ {
		s.secret[i] = true
	}
}

// settled returns how much of the first n bytes can be written without cutting
// a secret in two.
func (s *scribe) settled(n int) int {
	if s.late {
		return 0
	}
	n = max(0, n)
	for cut := n; cut > 0 && n-cut < sealAtOnce; cut-- {
		if cut == len(s.buf) || !s.secret[cut] || !s.secret[cut-1] {
			return cut
		}
	}
	if n < sealAtOnce {
		return 0
	}
	return n
}

// flush writes the first n bytes, and seals the secret ones.
func (s *scribe) flush(n int) error {
	if n == 0 {
		return nil
	}
	if err := s.ready(); err != nil {
		return err
	}
	for from := 0; from < n; from++ {
		to := from
		for to < n && s.secret[to] {
			to++
		}
		if err := s.mask(from, to); err != nil {
			return err
		}
		from = to
	}
	if _, err := s.w.Write(s.buf[:n]); err != nil {
		return fmt.Errorf("writing %q: %w", s.member, err)
	}
	s.done += int64(n)
	s.buf = append(s.buf[:0], s.buf[n:]...)
	s.secret = append(s.secret[:0], s.secret[n:]...)
	return nil
}

// ready opens the member.
func (s *scribe) ready() (err error) {
	if s.w == nil {
		if s.w, err = s.log.open(s.member); err != nil {
			return fmt.Errorf("opening %q: %w", s.member, err)
		}
	}
	return nil
}

// mask hands the original over before it overwrites it.
func (s *scribe) mask(from, to int) error {
	if from == to {
		return nil
	}
	if s.log.seal != nil {
		if err := s.log.seal(s.member, s.done+int64(from), bytes.Clone(s.buf[from:to])); err != nil {
			return fmt.Errorf("sealing a secret of %q: %w", s.member, err)
		}
	}
	stars(s.buf[from:to])
	return nil
}

// close writes what was held back.
func (s *scribe) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.late {
		s.log.secrets.each(s.buf, s.mark)
	}
	err := s.flush(len(s.buf))
	if s.w != nil {
		if closing := s.w.Close(); err == nil && closing != nil {
			err = fmt.Errorf("closing %q: %w", s.member, closing)
		}
		s.w = nil
	}
	return err
}

// span returns where everything lies that was taken.
func (s *scribe) span() evidence.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return evidence.Span{Member: s.member, Length: s.total}
}
