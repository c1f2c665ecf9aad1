package checks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/anchors"
	"github.com/assay-iot/assay/harness/probes/tlsserver"
)

// issued is a real certificate: the facts are read from it as the probe does.
type issued struct {
	der  []byte
	cert *x509.Certificate
	key  crypto.Signer
}

// plan is what a certificate is to be; what it leaves out is ordinary.
type plan struct {
	names    []string
	addrs    []string
	from, to time.Time
	key      crypto.Signer
	ca       bool
	subject  string
	usages   []x509.ExtKeyUsage
}

func newAuthority(t *testing.T, name string) issued {
	t.Helper()
	return issued{}.issue(t, plan{subject: name, ca: true})
}

// issue signs a certificate; the zero issuer lets it sign itself.
func (i issued) issue(t *testing.T, p plan) issued {
	t.Helper()
	key := p.key
	if key == nil {
		made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key = made
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: p.subject}, DNSNames: p.names, NotBefore: p.from, NotAfter: p.to,
		IsCA: p.ca, BasicConstraintsValid: p.ca, ExtKeyUsage: p.usages}
	if p.ca {
		template.KeyUsage = x509.KeyUsageCertSign
	}
	if p.subject == "" && len(p.names) > 0 {
		template.Subject.CommonName = p.names[0]
	}
	if p.from.IsZero() {
		template.NotBefore, template.NotAfter = today.AddDate(-1, 0, 0), today.AddDate(1, 0, 0)
	}
	for _, a := range p.addrs {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(a))
	}
	parent, signer := i.cert, i.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return issued{der, cert, key}
}

// withChains is the evidence of a listener that served chains, each twice and
// with its key proven.
func withChains(l tlsserver.Listener, chains ...[][]byte) tlsserver.Evidence {
	var book tlsserver.Book
	for _, c := range chains {
		l.Chains = append(l.Chains, tlsserver.Chain{Places: book.Places(c), Served: len(c), Proven: evidence.Yes, Seen: 2})
	}
	return tlsserver.Evidence{Listeners: []tlsserver.Listener{l}, Certificates: book.Certificates()}
}

// shownFor adds two handshakes that asked for a name and were shown a chain.
func shownFor(l *tlsserver.Listener, name tlsserver.Name, chain int) {
	for range 2 {
		l.Handshakes = append(l.Handshakes, tlsserver.Handshake{ServerName: name, Outcome: tlsserver.Completed, Alert: -1, Chain: chain})
	}
}

// anchored is the record of a run that trusts certificates by declaration, beside
// a public root of which nobody has the key.
func anchored(list ...issued) anchors.Evidence {
	e := anchors.Evidence{TestCA: anchors.TestCA{Key: evidence.No}}
	for _, c := range list {
		e.Anchors = append(e.Anchors, anchors.Anchor{Source: anchors.DeviceFile, Subject: evidence.Bytes(c.cert.Subject.String()), SHA256: digestOf(c.der), NotAfter: c.cert.NotAfter, Certificate: c.der})
	}
	return e
}
