package tlsserver

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/md5" // what a device signed with it is to be recognised
	"crypto/rsa"
	"crypto/sha1" // likewise
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net/netip"
	"slices"

	"github.com/assay-iot/assay/harness/evidence"
)

const (
	// mostNames is how many names of one certificate are kept.
	mostNames = 100
	// mostCertificates is how many certificates of a device are kept: each
	// listener may have two chains of its own.
	mostCertificates = 64
	// mostDER bounds the certificates of a device, and mostText their names, so
	// that the record stays within its size.
	mostDER  = 768 << 10
	mostText = 256 << 10
	// longestName bounds a name, an issuer or a number that is kept beside the
	// certificate itself.
	longestName = 1024
	// perName is what a name takes beside its own bytes.
	perName = 80
	// largestRSA is the largest key with which a signature is worked out, in
	// bits: it takes milliseconds.
	largestRSA = 16384
	// smallestRSA is the smallest key that crypto/rsa takes, in bits.
	smallestRSA = 1024
	// mostKinds is how many kinds of certificates are asked for by themselves.
	mostKinds = 3
)

// A book holds each certificate of a device once.
type book struct {
	certificates []Certificate
	der, text    int
}

// places notes the certificates of a chain. What finds no room is left out.
func (b *book) places(chain [][]byte) []int {
	var all []int
	for _, der := range chain {
		sum := digest(der)
		i := slices.IndexFunc(b.certificates, func(c Certificate) bool { return c.SHA256 == sum })
		if i < 0 {
			if len(b.certificates) >= mostCertificates {
				return all
			}
			i = len(b.certificates)
			b.certificates = append(b.certificates, b.enter(der, sum))
		}
		all = append(all, i)
	}
	return all
}

func digest(b []byte) evidence.Digest {
	sum := sha256.Sum256(b)
	return evidence.Digest(hex.EncodeToString(sum[:]))
}

// enter reads a certificate as far as it can be read, and keeps it if there is
// room.
func (b *book) enter(der []byte, sum evidence.Digest) Certificate {
	c := Certificate{SHA256: sum, Length: len(der), Parsed: evidence.No}
	c.skeleton(der)
	if p, err := x509.ParseCertificate(der); err == nil {
		c.Parsed = evidence.Yes
		c.parsed(p)
		b.names(&c, p)
	}
	if b.der+len(der) <= mostDER {
		b.der += len(der)
		c.DER = der
	}
	return c
}

// parsed takes over what crypto/x509 read.
func (c *Certificate) parsed(p *x509.Certificate) {
	c.Subject, c.Issuer = short([]byte(p.Subject.String())), short([]byte(p.Issuer.String()))
	c.Serial = short(p.SerialNumber.Bytes())
	c.NotBefore, c.NotAfter = p.NotBefore.UTC(), p.NotAfter.UTC()
	c.CA = tri(p.BasicConstraintsValid && p.IsCA)
	c.SelfSigned = selfSigned(p)
}

func short(b []byte) evidence.Bytes { return b[:min(len(b), longestName)] }

// selfSigned says whether the key of a certificate signed it. Old hash functions
// count, and whether it may sign others does not matter.
func selfSigned(p *x509.Certificate) evidence.Tri {
	if !bytes.Equal(p.RawSubject, p.RawIssuer) {
		return evidence.No
	}
	if k, ok := p.PublicKey.(*rsa.PublicKey); ok && (k.N.BitLen() < smallestRSA || k.N.BitLen() > largestRSA) {
		return evidence.Unknown
	}
	switch p.SignatureAlgorithm {
	case x509.UnknownSignatureAlgorithm, x509.MD2WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256:
		return evidence.Unknown
	case x509.MD5WithRSA:
		sum := md5.Sum(p.RawTBSCertificate)
		return tri(old(p, crypto.MD5, sum[:]))
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		sum := sha1.Sum(p.RawTBSCertificate)
		return tri(old(p, crypto.SHA1, sum[:]))
	}
	return tri(p.CheckSignature(p.SignatureAlgorithm, p.RawTBSCertificate, p.Signature) == nil)
}

// old verifies a signature over a hash that crypto/x509 refuses to look at.
func old(p *x509.Certificate, h crypto.Hash, sum []byte) bool {
	switch k := p.PublicKey.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, h, sum, p.Signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, sum, p.Signature)
	}
	return false
}

// names keeps the names as long as there is room.
func (b *book) names(c *Certificate, p *x509.Certificate) {
	c.NamesInAll = len(p.DNSNames) + len(p.IPAddresses)
	for _, n := range p.DNSNames {
		if len(c.Names) == mostNames || b.text+len(n)+perName > mostText || len(n) > longestName {
			return
		}
		b.text += len(n) + perName
		c.Names = append(c.Names, evidence.Bytes(n))
	}
	for _, ip := range p.IPAddresses {
		a, ok := netip.AddrFromSlice(ip)
		if !ok || len(c.Names)+len(c.Addresses) == mostNames || b.text+perName > mostText {
			return
		}
		b.text += perName
		c.Addresses = append(c.Addresses, a)
	}
}

// served notes the chain and the signature of a flight.
func (k *look) served(got answer) {
	if got.hello.Version < uint16(TLS13) && got.Outcome != "" && k.SecureRenegotiation == evidence.Unknown {
		k.SecureRenegotiation = tri(got.hello.SecureRenegotiation())
	}
	k.signed(Code(got.exchange.Signature))
	if len(got.chain) > 0 {
		k.chain(got.chain, got.served, got.Span)
	}
}

// signed notes a signature scheme, if there is one.
func (k *look) signed(scheme Code) {
	if scheme != 0 && !slices.Contains(k.Signatures, scheme) {
		k.Signatures = append(k.Signatures, scheme)
		slices.Sort(k.Signatures)
	}
}

// chain notes that a chain was served, and returns its place. Chains are the
// same if their certificates are.
func (k *look) chain(ders [][]byte, served int, span evidence.Span) int {
	places := k.book.places(ders)
	i := slices.IndexFunc(k.Chains, func(c Chain) bool { return slices.Equal(c.Places, places) && c.Served == served })
	if i < 0 {
		i = len(k.Chains)
		k.Chains = append(k.Chains, Chain{Places: places, Served: served, Span: span})
	}
	k.Chains[i].Seen++
	return i
}

// kinds asks, before TLS 1.3, for the certificate of each kind of key that the
// suites speak of, where a server may have several.
func (k *look) kinds(ctx context.Context) error {
	v := k.newest(TLS12)
	if v == nil {
		return nil
	}
	var kinds []Name
	for _, s := range v.Suites {
		if s.Certified() && s.Authentication != "" && !slices.Contains(kinds, s.Authentication) {
			kinds = append(kinds, s.Authentication)
		}
	}
	if len(kinds) < 2 {
		return nil
	}
	for _, kind := range kinds[:min(len(kinds), mostKinds)] {
		var offer []uint16
		for _, s := range v.Suites {
			if s.Authentication == kind {
				offer = append(offer, uint16(s.Code))
			}
		}
		got, err := k.ask(ctx, k.hello(v.Code, offer), true)
		if err != nil {
			return err
		}
		k.served(got)
	}
	return nil
}
