package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// A chain is a certificate message that a server sent, over TLS or DTLS, with
// what is needed to speak of it.
type chain struct {
	tlsserver.Chain
	at    evidence.Endpoint
	certs []tlsserver.Certificate // the server's own first, at least one
	// cite cites a field of the chain, certificate one of a certificate.
	cite        func(field string) evidence.Ref
	certificate func(i int, field string) evidence.Ref
}

// leaf is the server's own certificate.
func (c chain) leaf() tlsserver.Certificate { return c.certs[0] }

// onceOnly is the item of a flaw that was seen in one exchange.
func (c chain) onceOnly(why msg.Text, refs ...evidence.Ref) check.Item {
	return check.Inconclusive(c.at, why, msg.T("run again: the certificate was served in one exchange only"), append(refs, c.cite("seen"))...)
}

// failed is the item of a flaw.
func (c chain) failed(why msg.Text, refs ...evidence.Ref) check.Item {
	if c.Seen < 2 {
		return c.onceOnly(why, refs...)
	}
	return check.Fail(c.at, why, append(refs, c.cite("seen"))...)
}

// unread is the item of a certificate that was not understood.
func (c chain) unread(i int) check.Item {
	return check.Inconclusive(c.at, msg.T("certificate {n} of the chain cannot be read", "n", i+1),
		msg.T("read it with another tool, and serve one that keeps to RFC 5280"), c.certificate(i, "parsed"))
}

// inDate judges the server's own certificate by the clock of the run.
func (c chain) inDate(now clock.Evidence, at evidence.Ref, skew time.Duration) check.Item {
	leaf := c.leaf()
	refs := []evidence.Ref{c.certificate(0, "not_before"), c.certificate(0, "not_after"), at}
	off := time.Duration(now.OffsetNS).Abs()
	switch early, late := outside(leaf, now.Time.Add(-off)), outside(leaf, now.Time.Add(off)); {
	case leaf.Parsed != evidence.Yes:
		return c.unread(0)
	case now.Source == clock.Unknown:
		return check.Inconclusive(c.at, msg.T("it holds from {from} to {to}, and how good the clock of the run was is not known", "from", day(leaf.NotBefore), "to", day(leaf.NotAfter)),
			msg.T("have a time server discipline the clock of this machine, and run again"), refs...)
	case (early > skew) != (late > skew):
		return check.Inconclusive(c.at, msg.T("it holds from {from} to {to}, and the clock of the run may be {off} off", "from", day(leaf.NotBefore), "to", day(leaf.NotAfter), "off", off),
			msg.T("have a time server discipline the clock of this machine, and run again"), refs...)
	case early > skew:
		return c.failed(msg.T("it holds from {from} to {to}, and it was {now}", "from", day(leaf.NotBefore), "to", day(leaf.NotAfter), "now", day(now.Time)), refs...)
	}
	item := check.Pass(c.at, msg.T("it holds from {from} to {to}, and it was {now}", "from", day(leaf.NotBefore), "to", day(leaf.NotAfter), "now", day(now.Time)), refs...)
	switch epoch := leaf.NotBefore.Unix(); {
	case outside(leaf, now.Time) > 0:
		return check.Advise(item, msg.T("it was outside of that by {by}", "by", outside(leaf, now.Time)))
	case epoch >= 0 && epoch < int64(24*time.Hour/time.Second):
		return check.Advise(item, msg.T("it begins on {from}: whoever made it had no clock", "from", day(leaf.NotBefore)))
	}
	return item
}

// outside is how long before or after the time of a certificate t is, 0 within.
func outside(c tlsserver.Certificate, t time.Time) time.Duration {
	switch {
	case t.Before(c.NotBefore):
		return c.NotBefore.Sub(t)
	case t.After(c.NotAfter):
		return t.Sub(c.NotAfter)
	}
	return 0
}

// day writes a time for a text.
func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// keyLimits are the shortest keys that count as strong.
type keyLimits struct {
	MinRSABits int `yaml:"min_rsa_bits"`
	MinECBits  int `yaml:"min_ec_bits"`
}

// soundKeys are the limits unless a profile sets others.
var soundKeys = keyLimits{MinRSABits: 2048, MinECBits: 256}

// keySound judges keys and signatures of a chain. An anchor is trusted because
// somebody said so: how it signed itself is of no account.
func (c chain) keySound(least keyLimits, anchored func(evidence.Digest) bool) check.Item {
	var weak, unknown []string
	var refs, open []evidence.Ref
	for i, cert := range c.certs {
		if why, strong := least.key(cert.Key); strong == evidence.No {
			weak, refs = append(weak, fmt.Sprintf("certificate %d: %s", i+1, why)), append(refs, c.certificate(i, "key/bits"))
		} else if strong == evidence.Unknown {
			unknown, open = append(unknown, fmt.Sprintf("certificate %d: %s", i+1, why)), append(open, c.certificate(i, "key/kind"))
		}
		if ownSignature(cert) && (i > 0 || anchored(cert.SHA256)) {
			continue
		}
		switch ref := c.certificate(i, "signature/hash"); {
		case brokenHash(cert.Signature.Hash):
			weak, refs = append(weak, fmt.Sprintf("certificate %d: signed with %s", i+1, cert.Signature.Hash)), append(refs, ref)
		case cert.Signature.Hash == tlsserver.UnknownHash || cert.Signature.Hash == "":
			unknown, open = append(unknown, fmt.Sprintf("certificate %d: signature %s", i+1, cert.Signature.OID)), append(open, ref)
		}
	}
	switch {
	case len(weak) > 0:
		return c.failed(msg.T("{weak}", "weak", strings.Join(weak, "; ")), refs...)
	case len(unknown) > 0:
		return check.Inconclusive(c.at, msg.T("not known here: {what}", "what", strings.Join(unknown, "; ")), msg.T("look by hand whether these are strong"), open...)
	case c.Served > len(c.certs):
		return check.Inconclusive(c.at, msg.T("only {n} of {all} certificates of the chain were read", "n", len(c.certs), "all", c.Served),
			msg.T("serve no more certificates than lead to the anchor"), c.cite("served"))
	}
	return check.Pass(c.at, msg.T("the keys and signatures of {n} certificates are strong, the first key being {key}", "n", len(c.certs), "key", keyName(c.leaf().Key)),
		append(c.all("key/bits"), c.all("signature/hash")...)...)
}

// all cites a field of every certificate.
func (c chain) all(field string) []evidence.Ref {
	var refs []evidence.Ref
	for i := range c.certs {
		refs = append(refs, c.certificate(i, field))
	}
	return refs
}

// key says whether a key is strong.
func (l keyLimits) key(k tlsserver.Key) (why string, strong evidence.Tri) {
	least := l.MinRSABits
	switch k.Kind {
	case tlsserver.Ed25519, tlsserver.Ed448:
		return keyName(k), evidence.Yes
	case tlsserver.EC:
		least = l.MinECBits
	case tlsserver.RSA, tlsserver.DSA:
	default:
		return "a key of an unknown kind", evidence.Unknown
	}
	switch {
	case k.Bits <= 0:
		return keyName(k) + " of unknown length", evidence.Unknown
	case k.Bits < least:
		return fmt.Sprintf("%s, less than %d", keyName(k), least), evidence.No
	case k.Kind == tlsserver.DSA:
		return keyName(k), evidence.Unknown
	}
	return keyName(k), evidence.Yes
}

// keyName writes a key for a text.
func keyName(k tlsserver.Key) string {
	switch {
	case k.Curve != "":
		return fmt.Sprintf("%s %s", k.Kind, k.Curve)
	case k.Bits > 0:
		return fmt.Sprintf("%s of %d bits", k.Kind, k.Bits)
	}
	return string(k.Kind)
}

// brokenHash reports whether signatures with a hash function can be forged.
func brokenHash(h tlsserver.Hash) bool {
	return slices.Contains([]tlsserver.Hash{tlsserver.MD2, tlsserver.MD5, tlsserver.SHA1}, h)
}

// ownSignature reports whether a certificate signed itself. Where the signature
// could not be verified, equal names say so.
func ownSignature(c tlsserver.Certificate) bool {
	return c.SelfSigned == evidence.Yes || c.SelfSigned == evidence.Unknown && len(c.Subject) > 0 && string(c.Subject) == string(c.Issuer)
}
