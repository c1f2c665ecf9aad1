package checks

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/anchors"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// trust is what counts as trusted in a run: what its record says and nothing
// else, whatever machine judges.
type trust struct {
	anchors.Evidence
	view evidence.View
}

// trusted reads the record.
func trusted(v evidence.View) trust { return trust{anchors.Probe.From(v), v} }

// named reports whether the operator or the device file names a certificate.
func (t trust) named(digest evidence.Digest) bool {
	_, pinned := t.pin(digest)
	return pinned || slices.ContainsFunc(t.Anchors, func(a anchors.Anchor) bool { return a.SHA256 == digest })
}

// pin returns the reference of a pinned certificate.
func (t trust) pin(digest evidence.Digest) (evidence.Ref, bool) {
	i := slices.Index(t.Pins, digest)
	if i < 0 {
		return evidence.Ref{}, false
	}
	return anchors.Probe.At(t.view, "/pins/%d", i), true
}

// says reports whether the operator or the device file names anything at all.
func (t trust) says() bool { return len(t.Anchors)+len(t.Pins) > 0 }

// errUnread says that something in the record is no certificate.
var errUnread = errors.New("a certificate cannot be read")

// path looks for a way from the server's own certificate to what is trusted, and
// returns what it ends in. All above that certificate is to be in date at a time;
// it itself need not be. Whoever is named comes before who is publicly trusted.
// What was not served is not fetched.
func (t trust) path(served []tlsserver.Certificate, at time.Time) (evidence.Ref, error) {
	chain := make([]*x509.Certificate, len(served))
	for i, c := range served {
		var err error
		if chain[i], err = c.X509(); err != nil {
			return evidence.Ref{}, errUnread
		}
	}
	if ref, ok := t.pin(served[0].SHA256); ok {
		return ref, nil
	}
	chain[0].NotBefore, chain[0].NotAfter = at, at
	own := t.pinned(chain)
	for i, a := range t.Anchors {
		c, err := x509.ParseCertificate(a.Certificate)
		if err != nil {
			return evidence.Ref{}, errUnread
		}
		own = append(own, root{c, anchors.Probe.At(t.view, "/anchors/%d/sha256", i)})
	}
	ref, err := reach(chain, own, at)
	if err == nil || t.Roots.Count == 0 {
		return ref, err
	}
	public, broken := t.public()
	if broken != nil {
		return evidence.Ref{}, errUnread
	}
	ref, other := reach(chain, public, at)
	if other == nil {
		return ref, nil
	}
	if lasting(err) { // it led to one that is named, but not in time
		return evidence.Ref{}, err
	}
	return evidence.Ref{}, other
}

// root is a certificate that is trusted, and where the record says so.
type root struct {
	*x509.Certificate
	ref evidence.Ref
}

// pinned returns the certificates of a chain, above the server's own, that are
// pinned.
func (t trust) pinned(chain []*x509.Certificate) []root {
	var found []root
	for _, c := range chain[1:] {
		sum := sha256.Sum256(c.Raw)
		if ref, ok := t.pin(evidence.Digest(hex.EncodeToString(sum[:]))); ok {
			found = append(found, root{c, ref})
		}
	}
	return found
}

// public returns the public roots of the record.
func (t trust) public() ([]root, error) {
	certs, err := x509.ParseCertificates(t.Roots.DER)
	if err != nil {
		return nil, err
	}
	var all []root
	for _, c := range certs {
		all = append(all, root{c, anchors.Probe.At(t.view, "/roots/sha256")})
	}
	return all, nil
}

// reach looks for a path to one of the roots.
func reach(chain []*x509.Certificate, roots []root, at time.Time) (evidence.Ref, error) {
	pool, between := x509.NewCertPool(), x509.NewCertPool()
	for _, r := range roots {
		pool.AddCert(r.Certificate)
	}
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	paths, err := chain[0].Verify(x509.VerifyOptions{
		Roots: pool, Intermediates: between, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // what a key is for is not what is asked here
	})
	if err != nil {
		return evidence.Ref{}, err
	}
	end := paths[0][len(paths[0])-1]
	i := slices.IndexFunc(roots, func(r root) bool { return r.Equal(end) })
	return roots[i].ref, nil
}

// lasting reports whether a path was there but for its dates.
func lasting(err error) bool {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && invalid.Reason == x509.Expired
}
