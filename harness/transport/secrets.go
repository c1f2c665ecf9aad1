package transport

import (
	"bytes"
	"slices"
	"sync"
)

// minSecret is the length in bytes from which a secret is looked for in what is
// received: shorter ones occur by chance.
const minSecret = 4

// secrets are what must not be readable in a transcript.
type secrets struct {
	mu      sync.RWMutex
	list    [][]byte
	longest int
}

// add takes up a secret unless it is too short.
func (s *secrets) add(secret []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	same := func(old []byte) bool { return bytes.Equal(old, secret) }
	if len(secret) < minSecret || slices.ContainsFunc(s.list, same) {
		return
	}
	s.list = append(s.list, bytes.Clone(secret))
	s.longest = max(s.longest, len(secret))
}

// held is how many bytes at the end of a stream may be the beginning of a
// secret.
func (s *secrets) held() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return max(0, s.longest-1)
}

// each calls found with each place in b, both ends, where a secret lies.
// Places may overlap.
func (s *secrets) each(b []byte, found func(from, to int)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.list {
		for at := 0; ; at++ {
			i := bytes.Index(b[at:], secret)
			if i < 0 {
				break
			}
			at += i
			found(at, at+len(secret))
		}
	}
}

// stars overwrites b.
func stars(b []byte) {
	for i := range b {
		b[i] = '*'
	}
}
