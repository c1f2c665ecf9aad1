// Package roots holds the public certificate authorities that the program
// brings along. What is publicly trusted so depends on the program and its
// date, never on the machine; a run puts it on record.
package roots

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// mozilla is what scripts/roots writes.
//
//go:embed mozilla.pem
var mozilla []byte

// Set is a set of roots.
type Set struct {
	Name   string    // where it comes from
	Date   time.Time // on which it was published; none of them had ended on it
	Count  int
	SHA256 string // of DER
	DER    []byte // the certificates, one behind the other, as x509.ParseCertificates takes them
}

// Public returns the embedded set.
func Public() (Set, error) { return parse(mozilla) }

// parse reads a PEM file whose head tells source and date.
func parse(file []byte) (Set, error) {
	s := Set{Name: field(file, "Source")}
	day, err := time.Parse(time.DateOnly, field(file, "Date"))
	if err != nil || s.Name == "" {
		return Set{}, errors.New("roots: the head of the file lacks source or date")
	}
	s.Date = day
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return Set{}, fmt.Errorf("roots: it holds a PEM block %q", block.Type)
		}
		s.DER = append(s.DER, block.Bytes...)
		s.Count++
	}
	certs, err := x509.ParseCertificates(s.DER)
	if err != nil {
		return Set{}, fmt.Errorf("roots: %w", err)
	}
	if len(certs) != s.Count || s.Count == 0 {
		return Set{}, fmt.Errorf("roots: %d certificates in %d PEM blocks", len(certs), s.Count)
	}
	sum := sha256.Sum256(s.DER)
	s.SHA256 = hex.EncodeToString(sum[:])
	return s, nil
}

// field returns what stands behind "# NAME: " in the head of the file.
func field(file []byte, name string) string {
	head, _, _ := bytes.Cut(file, []byte("-----BEGIN"))
	for line := range strings.Lines(string(head)) {
		if value, ok := strings.CutPrefix(line, "# "+name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
