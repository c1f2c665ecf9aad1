package dtlsserver

import (
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// The versions, as they stand on the wire.
const (
	DTLS10 tlsserver.Code = 0xfeff
	DTLS12 tlsserver.Code = 0xfefd
	DTLS13 tlsserver.Code = 0xfefc
)

// NotAnswered reports whether the hello was not answered in three rounds, be it
// that nothing came or one more request for a cookie, while the controls between
// them were, with nothing lost.
func (t Try) NotAnswered() bool {
	return (t.Outcome == Silent || t.Outcome == CookieLoop) && t.Rounds >= rounds && t.Controls.Asked >= rounds-1 && t.Controls.Answered == t.Controls.Asked
}

// TurnedAway reports whether the hello was refused in DTLS's words, answered with
// an older version or a certificate of another type, or not answered. All of that means something only where the
// listener was Served.
func (t Try) TurnedAway() bool {
	return t.Outcome == Alerted || t.Outcome == Older || t.Outcome == OtherType || t.NotAnswered()
}

// Served reports whether both control hellos were taken.
func (l Listener) Served() bool { return l.Before.Outcome == Accepted && l.After.Outcome == Accepted }

// Complete reports whether all suites of the offer are known: what was left at
// last was turned away, in two exchanges if by an alert.
func (o Offer) Complete() bool {
	if len(o.Suites) == o.Offered {
		return true
	}
	for _, t := range o.Ends {
		if !t.TurnedAway() {
			return false
		}
	}
	return len(o.Ends) >= 2 || len(o.Ends) == 1 && o.Ends[0].NotAnswered()
}

// Keyed returns the suites of a version that go by a pre-shared key.
func (v Version) Keyed() []tlsserver.Suite {
	var found []tlsserver.Suite
	for _, o := range v.Offers {
		for _, s := range o.Suites {
			if s.Authentication == "PSK" || s.KeyExchange == "RSA_PSK" {
				found = append(found, s)
			}
		}
	}
	return found
}

// Enumerated reports whether all suites of a version are known.
func (v Version) Enumerated() bool {
	for _, o := range v.Offers {
		if !o.Complete() {
			return false
		}
	}
	return len(v.Offers) > 0
}

// Of returns what was seen of a version.
func (l Listener) Of(code tlsserver.Code) (Version, bool) {
	for _, v := range l.Versions {
		if v.Code == code {
			return v, true
		}
	}
	return Version{}, false
}

// Enumerated reports whether all suites before 1.3 are known.
func (l Listener) Enumerated() bool {
	old, had := l.Of(DTLS10)
	now, has := l.Of(DTLS12)
	return had && has && l.Served() && l.Cut == Whole && old.Enumerated() && now.Enumerated()
}

// Certified says whether the listener shows certificates: no if all its suites
// are known, and it showed none with any.
func (l Listener) Certified() evidence.Tri {
	if len(l.Chains) > 0 {
		return evidence.Yes
	}
	for _, m := range l.Modes {
		if m.Kind == Certificate {
			return evidence.Unknown // there was no room for it, or it was not read
		}
	}
	if modern, ok := l.Of(DTLS13); ok && l.Enumerated() && modern.Seen == 0 && modern.Enumerated() && len(l.Modes) > 0 {
		return evidence.No
	}
	return evidence.Unknown
}

// Of returns the certificates of a chain, the server's own first.
func (e Evidence) Of(c tlsserver.Chain) []tlsserver.Certificate {
	return tlsserver.Evidence{Certificates: e.Certificates}.Of(c)
}
