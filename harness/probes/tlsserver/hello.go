package tlsserver

import (
	"fmt"
	"slices"

	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

// ordinary are suites that nearly every server takes one of. They come first in
// each hello, and alone in one that is short: a few servers take no long hello.
var ordinary = []uint16{
	0x1301, 0x1302, 0x1303, 0x1304, 0x1305,
	0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc0ac, 0xc0ae, 0xc009, 0xc013, 0xc00a, 0xc014, 0xc023, 0xc027,
	0x009e, 0x009f, 0x0033, 0x0039, 0x0067, 0x006b, 0xc09c, 0xc0a0, 0x009c, 0x009d, 0x002f, 0x0035, 0x003c, 0x003d,
	0x000a, 0x0005, 0x0004, 0x0009, 0x0003, 0x0016, 0x0032, 0x0038, 0x0001, 0x0002, 0x003b, 0x0018, 0x001b, 0x0034,
	0x00a8, 0x008c, 0x00ae, 0xc0a8, 0xc0a4, 0xc035, 0xc037,
}

// suitesFor returns every suite that a version may negotiate, the ordinary ones
// first.
func suitesFor(version Code) []uint16 {
	var first, rest []uint16
	for _, s := range tlswire.Suites() {
		switch {
		case s.TLS13 != (version == TLS13):
		case !slices.Contains(ordinary, s.Code):
			rest = append(rest, s.Code)
		}
	}
	for _, c := range ordinary {
		if s, _ := tlswire.Lookup(c); s.TLS13 == (version == TLS13) {
			first = append(first, c)
		}
	}
	return append(first, rest...)
}

// shortFor is suitesFor for a short hello.
func shortFor(version Code) []uint16 {
	return slices.DeleteFunc(suitesFor(version), func(c uint16) bool { return !slices.Contains(ordinary, c) })
}

func groupsFor(version Code) []uint16 {
	var all []uint16
	for _, g := range tlswire.Groups(uint16(version)) {
		all = append(all, g.Code)
	}
	return all
}

// makeShares makes the key shares that hellos of TLS 1.3 carry. They are the
// same in all of them, because no handshake is finished with one.
func makeShares() ([]tlswire.Share, error) {
	var all []tlswire.Share
	for _, g := range []uint16{tlswire.X25519, tlswire.P256} {
		s, err := tlswire.NewShare(g)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// hello offers suites in one version.
func (a *asker) hello(version Code, suites []uint16) tlswire.Hello {
	h := tlswire.Hello{Version: uint16(version), Suites: suites, Groups: groupsFor(version), Signatures: tlswire.Signatures()}
	if version == TLS13 {
		h.Shares = a.shares
	}
	return h
}

// controls are the hellos of which the first that is answered is the control: an
// ordinary one of today, one without TLS 1.3 and one of SSL 3.0.
func (a *asker) controls() []tlswire.Hello {
	modern := a.hello(TLS13, slices.Concat(shortFor(TLS13), shortFor(TLS12)))
	modern.Older = []uint16{tlswire.TLS12, tlswire.TLS11, tlswire.TLS10}
	modern.Groups = []uint16{tlswire.X25519, tlswire.P256, tlswire.P384, tlswire.P521}
	return []tlswire.Hello{modern, a.hello(TLS12, suitesFor(TLS12)), a.hello(SSL30, shortFor(SSL30))}
}

// fits reports whether an answer to a control is one: a server that knows only
// SSL 3.0 says so, though it was not offered.
func fits(got answer) bool {
	return got.Outcome == Accepted || got.Outcome == NotOffered && got.Version == SSL30
}

// versionName returns how a version is called.
func versionName(c Code) Name {
	if n := tlswire.VersionName(uint16(c)); n != "" {
		return Name(n)
	}
	return Name(fmt.Sprintf("%#04x", uint16(c)))
}
