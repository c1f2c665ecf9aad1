package mutualtls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// life is how long a self-made certificate holds, before and after now: a
// device's clock may be off by years.
const life = 20 * 365 * 24 * time.Hour

// longestName bounds the name of an authority that is claimed, in bytes.
const longestName = 1024

// isName reports whether b is a distinguished name that can be claimed.
func isName(b []byte) bool {
	var name pkix.RDNSequence
	rest, err := asn1.Unmarshal(b, &name)
	return err == nil && len(rest) == 0 && len(name) > 0 && len(b) <= longestName
}

// selfMade makes a client certificate that nobody vouches for, issued by an
// authority made up on the spot. That claims the name that is given, so that a
// server that compares names alone takes it.
func selfMade(issuer []byte) (*tls.Certificate, error) {
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("self-made certificate: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("self-made certificate: %w", err)
	}
	now := time.Now()
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: "assay"}, RawSubject: issuer}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "assay"},
		NotBefore: now.Add(-life), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, key.Public(), authority)
	if err != nil {
		return nil, fmt.Errorf("self-made certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
