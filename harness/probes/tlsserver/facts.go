package tlsserver

import (
	"crypto/x509"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

// The versions, as they are written on the wire.
const (
	SSL30 Code = 0x0300
	TLS10 Code = 0x0301
	TLS11 Code = 0x0302
	TLS12 Code = 0x0303
	TLS13 Code = 0x0304
)

// The hybrid groups.
const (
	SecP256r1MLKEM768  Code = 0x11eb
	X25519MLKEM768     Code = 0x11ec
	SecP384r1MLKEM1024 Code = 0x11ed
)

// Refused reports whether the server turned the hello away: in TLS's words, or
// by closing after it had come in full.
func (t Try) Refused() bool { return t.Outcome == Alerted || t.Outcome == Closed }

// Served reports whether both control hellos were answered: only then is what
// was turned away in between refused.
func (l Listener) Served() bool { return l.Before.Outcome == Accepted && l.After.Outcome == Accepted }

// Accepts says whether the server takes the version. Yes and no are what two
// exchanges agree on; whether a no is a refusal is for Served to say.
func (v Version) Accepts() evidence.Tri {
	out := 0
	for _, t := range v.Tries {
		if t.Refused() || t.Outcome == NotOffered {
			out++
		}
	}
	switch {
	case v.Seen >= 2:
		return evidence.Yes
	case v.Seen == 0 && out >= 2 && out == len(v.Tries):
		return evidence.No
	}
	return evidence.Unknown
}

// Accepted returns the versions that the server takes, with their places.
func (l Listener) Accepted() map[int]Version {
	taken := map[int]Version{}
	for i, v := range l.Versions {
		if v.Accepts() == evidence.Yes {
			taken[i] = v
		}
	}
	return taken
}

// Enumerated reports whether the suites of every version are known: each
// version is taken, with all suites listed, or refused.
func (l Listener) Enumerated() bool {
	return l.Served() && !slices.ContainsFunc(l.Versions, func(v Version) bool {
		return v.Accepts() == evidence.Unknown || v.Accepts() == evidence.Yes && v.Complete != evidence.Yes
	})
}

// Certified says whether the server shows certificates: no if it takes only
// suites without, such as those of pre-shared keys.
func (l Listener) Certified() evidence.Tri {
	if len(l.Chains) > 0 {
		return evidence.Yes
	}
	some := false
	for _, v := range l.Versions {
		some = some || len(v.Suites) > 0
		if slices.ContainsFunc(v.Suites, Suite.Certified) {
			return evidence.Unknown
		}
	}
	if some && l.Enumerated() {
		return evidence.No
	}
	return evidence.Unknown
}

// Taken says whether the server took a group that was offered alone: yes from
// one exchange, no from two that it refused.
func (o Offer) Taken() evidence.Tri {
	out := 0
	for _, t := range o.Tries {
		switch {
		case t.Outcome == Accepted && t.Group == o.Code:
			return evidence.Yes
		case t.Refused():
			out++
		}
	}
	if out >= 2 && out == len(o.Tries) {
		return evidence.No
	}
	return evidence.Unknown
}

// Of returns the certificates of a chain, the server's own first.
func (e Evidence) Of(c Chain) []Certificate {
	var all []Certificate
	for _, i := range c.Places {
		if i >= 0 && i < len(e.Certificates) {
			all = append(all, e.Certificates[i])
		}
	}
	return all
}

// X509 reads the certificate again.
func (c Certificate) X509() (*x509.Certificate, error) { return x509.ParseCertificate(c.DER) }

// AllNames reports whether Names and Addresses hold everything that the
// certificate is for.
func (c Certificate) AllNames() bool { return c.NamesInAll == len(c.Names)+len(c.Addresses) }
