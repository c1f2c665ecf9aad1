package dtlsserver

import (
	"bytes"
	"maps"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

const (
	// mostChains and mostHints bound what a listener shows that is never the same
	// twice.
	mostChains, mostHints = 8, 8
	// mostHint is the longest hint that is kept: RFC 4279, 5.3, wants 128 to be
	// enough for everybody.
	mostHint = 512
	// mostKey is the longest raw public key that is kept: RSA with 16,384 bits.
	mostKey = 4096
)

// note keeps what an exchange shows beside its outcome.
func (l *look) note(x *exchange) {
	if l.First.Received*x.first.Sent < x.first.Received*max(l.First.Sent, 1) {
		l.First = x.first
	}
	if x.flight.Bytes > l.Flight.Bytes {
		l.Flight = Flight{x.flight.Datagrams, x.flight.Fragments, x.flight.Bytes}
	}
	if x.outcome != Accepted {
		return
	}
	l.cookies[x.cookies > 0] = true
	if i := slices.Index(versions, x.choice.Version); i >= 0 {
		l.Versions[i].Seen++
	}
	if x.choice.Version == dtlswire.V13 {
		l.groups[x.choice.Group] = x.choice.Group != 0
		return
	}
	suite, _ := tlswire.Lookup(x.choice.Suite)
	l.messages(x, suite)
}

// messages keeps what the messages of a flight say.
func (l *look) messages(x *exchange, suite tlswire.Suite) {
	kind, asked := PSK, false
	for _, m := range x.flight.Messages() {
		switch m.Type {
		case dtlswire.Certificate:
			kind = l.shows(x, m.Body)
		case dtlswire.ServerKeyExchange:
			l.exchanges(x, m.Body, suite)
		case dtlswire.CertificateRequest:
			asked = true
		}
	}
	if kind != PSK {
		l.asked[asked] = true
	}
	if kind != PSK || suite.Authentication == "PSK" {
		l.modes[kind]++
	}
}

// shows keeps a certificate message and returns of which kind it is.
func (l *look) shows(x *exchange, body []byte) Kind {
	if x.choice.Type == dtlswire.RawPublicKey {
		if spki, err := dtlswire.ParseRawPublicKey(body); err == nil && len(spki) <= mostKey {
			l.rawKey(spki, x.conn.Span())
		}
		return RawKey7250
	}
	if ders, served, err := tlswire.ParseCertificate(body); err == nil && served > 0 {
		l.chain(l.store.Places(ders), served, x.conn.Span())
	}
	return Certificate
}

func (l *look) chain(places []int, served int, at evidence.Span) {
	i := slices.IndexFunc(l.Chains, func(c tlsserver.Chain) bool { return c.Served == served && slices.Equal(c.Places, places) })
	switch {
	case i >= 0:
		l.Chains[i].Seen++
	case len(l.Chains) < mostChains:
		l.Chains = append(l.Chains, tlsserver.Chain{Places: places, Served: served, Seen: 1, Span: at})
	}
}

func (l *look) rawKey(spki []byte, at evidence.Span) {
	i := slices.IndexFunc(l.Keys, func(k RawKey) bool { return bytes.Equal(k.SPKI, spki) })
	switch {
	case i >= 0:
		l.Keys[i].Seen++
	case len(l.Keys) < mostChains:
		l.Keys = append(l.Keys, RawKey{SPKI: spki, Key: keyOf(spki), Seen: 1, Span: at})
	}
}

// exchanges keeps what a ServerKeyExchange says. One that is not understood says
// nothing.
func (l *look) exchanges(x *exchange, body []byte, suite tlswire.Suite) {
	k, err := dtlswire.ParseServerKeyExchange(body, suite, x.choice.Version)
	if err != nil {
		return
	}
	l.groups[k.Group] = k.Group != 0
	l.signatures[k.Signature] = k.Signature != 0
	known := slices.ContainsFunc(l.Hints, func(h Hint) bool { return bytes.Equal(h.Text, k.Hint) })
	if len(k.Hint) > 0 && !known && len(l.Hints) < mostHints {
		l.Hints = append(l.Hints, Hint{Text: k.Hint[:min(len(k.Hint), mostHint)], Span: x.conn.Span()})
	}
}

// summarise writes down what all exchanges agree on.
func (l *look) summarise() {
	l.Cookie, l.Asked = agreed(l.cookies), agreed(l.asked)
	l.Groups, l.Signatures = codes(l.groups), codes(l.signatures)
	for _, k := range []Kind{PSK, Certificate, RawKey7250} {
		if l.modes[k] > 0 {
			l.Modes = append(l.Modes, Mode{k, l.modes[k]})
		}
	}
}

func agreed(seen map[bool]bool) evidence.Tri {
	switch {
	case seen[true] && !seen[false]:
		return evidence.Yes
	case seen[false] && !seen[true]:
		return evidence.No
	}
	return evidence.Unknown
}

// codes returns what was seen, ascending.
func codes(seen map[uint16]bool) []tlsserver.Code {
	var all []tlsserver.Code
	for _, c := range slices.Sorted(maps.Keys(seen)) {
		if seen[c] {
			all = append(all, tlsserver.Code(c))
		}
	}
	return all
}
