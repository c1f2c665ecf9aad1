package device

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Certificate is one X.509 certificate.
type Certificate = x509.Certificate

// Certificates reads the certificates of a PEM file. Text between them is
// allowed, keys are not: they have no place among what everybody may read.
func Certificates(b []byte) ([]*Certificate, error) {
	var all []*Certificate
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil, errors.New("it holds a private key, which does not belong among trust anchors")
		case block.Type != "CERTIFICATE":
			return nil, fmt.Errorf("it holds a PEM block %q, not only certificates", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(all)+1, err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("it holds no certificate in PEM form")
	}
	return all, nil
}

// ParseTestCA reads a CA from a PEM file that holds its certificate and its
// key, and sees to it that they belong together.
func ParseTestCA(b []byte) (tls.Certificate, error) {
	ca, err := tls.X509KeyPair(b, b)
	switch {
	case err != nil:
		return ca, fmt.Errorf("a certificate and its key in PEM form are needed: %w", err)
	case !ca.Leaf.IsCA:
		return ca, errors.New("its certificate is not that of a CA")
	}
	return ca, nil
}
