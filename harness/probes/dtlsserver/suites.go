package dtlsserver

import (
	"slices"

	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// kinds are those of a version, in the order in which they are offered. Few
// enough suites stand in each for stacks that read a short list only.
func kinds(v dtlswire.Version) []Kind {
	if v == dtlswire.V13 {
		return []Kind{Modern}
	}
	return []Kind{PSK, Certificate, RawKey7250, Doubtful}
}

// suites returns those of a kind that a version may have, what is common first:
// the rest may lie behind the end of what a small stack reads.
func suites(v dtlswire.Version, k Kind) []uint16 {
	if k == RawKey7250 {
		k = Certificate // it is the same suites that show one or the other
	}
	var all []uint16
	for _, s := range tlswire.Suites() {
		if kindOf(s) == k && (v != dtlswire.V10 || s.MAC != "AEAD") {
			all = append(all, s.Code)
		}
	}
	slices.SortStableFunc(all, func(a, b uint16) int { return rank(a) - rank(b) })
	return all
}

// rank is the place of a suite among the common ones, or after them.
func rank(code uint16) int {
	if i := slices.Index(common, code); i >= 0 {
		return i
	}
	return len(common)
}

// common are suites that small stacks have, by the numbers of the registry: CCM_8
// and CCM, GCM, ChaCha20, CBC, of PSK, ECDHE_PSK, ECDHE_ECDSA, ECDHE_RSA, RSA.
var common = []uint16{
	0xc0a8, 0xc0a4, 0xc0a9, 0xc0a5, 0x00a8, 0x00a9, 0xccab, 0x00ae, 0x00af, 0x008c, 0x008d, 0xd001, 0xd003, 0xd005, 0xccac, 0xc037, 0xc035,
	0xc0ae, 0xc0ac, 0xc0af, 0xc0ad, 0xc02b, 0xc02c, 0xcca9, 0xc023, 0xc009, 0xc00a, 0xc02f, 0xc030, 0xcca8, 0xc027, 0xc013, 0xc014,
	0x009e, 0x009f, 0xc09c, 0xc09d, 0x009c, 0x009d, 0x003c, 0x003d, 0x002f, 0x0035,
}

// kindOf returns the kind that a suite is offered with.
func kindOf(w tlswire.Suite) Kind {
	s := tlsserver.SuiteOf(tlsserver.Code(w.Code))
	switch {
	case w.TLS13 && w.Encryption == "NULL":
		return "" // RFC 9150 leaves DTLS out
	case w.TLS13:
		return Modern
	case s.HasAny(tlsserver.Doubtful()):
		return Doubtful
	case s.Certified():
		return Certificate
	}
	return PSK
}

// hello offers suites of a kind in one version. Types of certificates are named
// only where it has to be: servers without any turn away who names them.
func hello(v dtlswire.Version, k Kind, codes []uint16) dtlswire.Hello {
	h := dtlswire.Hello{Version: v, Suites: codes, Signatures: tlswire.Signatures()}
	if k == RawKey7250 {
		h.Types = []dtlswire.CertificateType{dtlswire.RawPublicKey}
	}
	like := uint16(tlswire.TLS12)
	if v == dtlswire.V13 {
		like = tlswire.TLS13
		h.Version, h.Versions = dtlswire.V12, []dtlswire.Version{v}
		h.Shares = []tlswire.Share{dtlswire.RandomShare()}
	}
	for _, g := range tlswire.Groups(like) {
		if len(h.Groups) < mostGroups && g.Code < firstHybrid {
			h.Groups = append(h.Groups, g.Code)
		}
	}
	return h
}

const (
	// mostGroups is how many groups are offered: small stacks read no more.
	mostGroups = 16
	// firstHybrid is from where on a share takes more than a datagram can hold.
	firstHybrid = 0x0200
)
