package checks

import (
	"crypto/x509"
	"errors"
	"slices"

	"github.com/assay-iot/assay/harness/check"
	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/msg"
	"github.com/assay-iot/assay/harness/probes/anchors"
	"github.com/assay-iot/assay/harness/probes/clock"
	"github.com/assay-iot/assay/harness/probes/declaration"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

var tlsCertificateTrusted = register(check.Check{
	ID:     "tls.certificate-trusted",
	Title:  "The certificate of each TLS server leads to a trust anchor",
	Remedy: "Serve the whole chain below the anchor, and declare the anchor or the fingerprint under trust in the device file",
	Needs:  tlsSurface(anchors.Probe, clock.Probe, declaration.Probe),
	Decide: func(in check.In) []check.Item {
		trust := trusted(in.DUT)
		return overChains(in.DUT, func(_ tlsListener, c chain) check.Item { return c.trusted(trust, clock.Probe.From(in.DUT)) })
	},
})

// trusted judges whether a chain leads to what is trusted. Whether the server's
// own certificate is in date is another check's.
func (c chain) trusted(t trust, now clock.Evidence) check.Item {
	end, err := t.path(c.certs, now.Time)
	switch {
	case err == nil && c.Proven != evidence.Yes:
		return check.Inconclusive(c.at, msg.T("it leads to a trust anchor, and no handshake showed that the server holds its key"), msg.T("run again"), c.cite("possession_proven"), end)
	case err == nil && end.Pointer == "/roots/sha256":
		return check.Pass(c.at, msg.T("it leads to a public root of {name}", "name", string(t.Roots.Name)), c.cite("places"), end)
	case err == nil:
		return check.Pass(c.at, msg.T("it leads to an anchor or a fingerprint that is declared"), c.cite("places"), end)
	case errors.Is(err, errUnread):
		return check.Inconclusive(c.at, msg.T("a certificate of the chain cannot be read"), msg.T("read it with another tool, and serve one that keeps to RFC 5280"), c.cite("places"))
	case lasting(err) && now.Source == clock.Unknown:
		return check.Inconclusive(c.at, msg.T("a certificate above the server's own is not in date, and how good the clock of the run was is not known"),
			msg.T("have a time server discipline the clock of this machine, and run again"), c.cite("places"))
	}
	return c.untrusted(t, err)
}

// untrusted is the item of a chain that leads to nothing that is trusted.
func (c chain) untrusted(t trust, err error) check.Item {
	refs := []evidence.Ref{c.cite("places"), anchors.Probe.At(t.view, "/anchors"), anchors.Probe.At(t.view, "/pins"), anchors.Probe.At(t.view, "/roots/sha256")}
	why, decided := c.dead(err)
	switch {
	case !decided:
		return check.Inconclusive(c.at, why, msg.T("look by hand where it leads"), refs...)
	case t.Roots.Count == 0:
		return check.Inconclusive(c.at, msg.T("it leads to nothing that is declared, and the run did not record what was publicly trusted"), msg.T("collect again"), refs...)
	case t.says():
		return c.failed(why, refs...)
	case declaration.Probe.From(t.view).Given == evidence.Yes:
		return c.failed(why, append(refs, declaration.Probe.At(t.view, "/given"))...)
	}
	return check.Inconclusive(c.at, why, msg.T("hold its SHA-256 {pin} against the manufacturer's record, and put it or the authority under trust in a device file", "pin", string(c.leaf().SHA256)), refs...)
}

// dead says why a chain leads nowhere. Its last result is false if that is a
// limit of ours.
func (c chain) dead(err error) (msg.Text, bool) {
	last := c.last()
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case lasting(err):
		return msg.T("a certificate above the server's own is not in date"), true
	case !unknown:
		return msg.T("the path to an anchor does not hold: {error}", "error", evidence.Bytes(err.Error())), false
	case slices.ContainsFunc(c.certs, func(s tlsserver.Certificate) bool { return brokenHash(s.Signature.Hash) && !ownSignature(s) }):
		return msg.T("a signature of the chain with a broken hash function is not followed"), false
	case len(c.certs) < c.Served:
		return msg.T("only {n} of {all} certificates of the chain were read", "n", len(c.certs), "all", c.Served), false
	case ownSignature(last) && string(last.Subject) == string(c.leaf().Subject):
		return msg.T("it is signed by itself, and is no trust anchor"), true
	case ownSignature(last):
		return msg.T("it leads to {subject}, which signed itself and is no trust anchor", "subject", last.Subject), true
	}
	return msg.T("it leads to {issuer}, which was not served and is no trust anchor", "issuer", last.Issuer), true
}

// last follows the chain, by names, to where it ends. Each certificate is used
// once: two may name each other.
func (c chain) last() tlsserver.Certificate {
	at, left := c.leaf(), slices.Clone(c.certs[1:])
	for !ownSignature(at) {
		i := slices.IndexFunc(left, func(s tlsserver.Certificate) bool { return string(s.Subject) == string(at.Issuer) })
		if i < 0 {
			return at
		}
		at = left[i]
		left = slices.Delete(left, i, i+1)
	}
	return at
}
