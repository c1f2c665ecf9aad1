package legacytls

import (
	"crypto/dsa" //nolint:staticcheck // old devices have such keys, and are played here
	"crypto/ecdsa"
	"crypto/rsa"
	"slices"
)

// Choice is what a server chooses of a hello.
type Choice struct {
	Version  uint16 // 0 if none is in common
	Suite    uint16
	Group    uint16 // 0 if the suite needs none
	Compress bool
}

// Choose returns what the server would answer to a hello. Not ok is nothing in
// common; if the version is, it is in the choice.
func (s *Server) Choose(h Hello) (c Choice, ok bool) {
	for _, v := range s.Versions {
		if v <= h.Version {
			c.Version = max(c.Version, v)
		}
	}
	if c.Version == 0 {
		return c, false
	}
	mine, theirs := s.Suites, h.Suites
	if s.ClientOrder {
		mine, theirs = theirs, mine
	}
	for _, suite := range mine {
		if !slices.Contains(theirs, suite) {
			continue
		}
		if group, ok := s.takes(suite, c.Version, h); ok {
			const deflate = 1
			c.Suite, c.Group, c.Compress = suite, group, s.Deflate && slices.Contains(h.Compressions, deflate)
			return c, true
		}
	}
	return c, false
}

// takes says whether the server can answer with a suite, and with which group.
func (s *Server) takes(suite, version uint16, h Hello) (group uint16, ok bool) {
	m, known := methodOf(suite)
	if !known || version < m.from || m.by != nobody && m.by != s.signs() {
		return 0, false
	}
	if m.kx == kxECDHE {
		group = s.group(h)
		return group, group != 0
	}
	return 0, true
}

// group is the first of the server's groups that the client knows. One that
// names none knows P-256 (RFC 4492, 4).
func (s *Server) group(h Hello) uint16 {
	mine, theirs := s.Groups, h.Groups
	if len(mine) == 0 {
		mine = []uint16{P256}
	}
	if theirs == nil {
		theirs = []uint16{P256}
	}
	for _, g := range mine {
		if slices.Contains(theirs, g) {
			return g
		}
	}
	return 0
}

// signs says of which kind the server's key is.
func (s *Server) signs() signer {
	switch s.Key.(type) {
	case *rsa.PrivateKey:
		return byRSA
	case *ecdsa.PrivateKey:
		return byECDSA
	case *dsa.PrivateKey:
		return byDSS
	}
	return nobody
}
