package secretpattern

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"math"
	"regexp"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
)

const (
	minLength  = 8   // bytes
	minEntropy = 3.5 // bits a character
)

// random reports whether a value looks drawn by lot and not written by a
// person or a program that names things.
func random(class evidence.SecretClass, value []byte) bool {
	s := string(value)
	switch {
	case len(s) < minLength || entropy(value) < minEntropy:
		return false
	case strings.ContainsAny(s, " \t\r\n"), placeholder.MatchString(s), reference.MatchString(s), identifier.MatchString(s):
		return false
	case class == "key" && address.MatchString(s):
		return false
	}
	return !named(s) && !public(s)
}

// entropy is that of the characters of a value, in bits a character.
func entropy(value []byte) float64 {
	var counts [256]float64
	for _, c := range value {
		counts[c]++
	}
	bits, n := 0.0, float64(len(value))
	for _, c := range counts {
		if c > 0 {
			bits -= c / n * math.Log2(c/n)
		}
	}
	return bits
}

var (
	// placeholder is what stands where a secret is to be put, or was.
	placeholder = regexp.MustCompile(`(?i)example|change.?me|change.?it|placeholder|redacted|your[_.-]|xxxx|\*\*\*\*|dummy|insert|replace|todo|not.?set|undefined|sample|default|test.?only`)
	// reference is a value that names where the secret is.
	reference = regexp.MustCompile(`^[$%][({A-Za-z]|^<.*>$|\{\{|^(https?|file|vault|env|secret|arn|urn):|^ENC\(|^@`)
	// identifier is the address or serial number of a thing, or a time.
	identifier = regexp.MustCompile(`(?i)^(([0-9a-f]{2}[:.\-]){5,7}[0-9a-f]{2}|28[.\-]?[0-9a-f]{12}|\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+\-]\d\d:?\d\d)?)?|[0-9.,:+\-eE]+)$`)
	// address is what a key of a table of devices looks like: a UUID, a MAC or
	// EUI-64 address without separators.
	address = regexp.MustCompile(`(?i)^([0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|(0x)?([0-9a-f]{12}|[0-9a-f]{16}))$`)
)

// separators part the words of a name.
const separators = "-_./:@+#~"

// named reports whether a value is made of words, as names of sensors, paths
// and topics are, with short numbers at most.
func named(s string) bool {
	parts := strings.FieldsFunc(splitCase(s), func(r rune) bool { return strings.ContainsRune(separators, r) })
	for _, p := range parts {
		if !isWord(p) && !isCount(p) {
			return false
		}
	}
	return true
}

var camel = regexp.MustCompile(`([a-z]{3})([A-Z][a-z]{2})`)

// splitCase parts words that are written as oneWord.
func splitCase(s string) string { return camel.ReplaceAllString(s, "$1-$2") }

var (
	vowels = regexp.MustCompile(`(?i)[aeiouy]`)
	harsh  = regexp.MustCompile(`(?i)[^aeiouy]{5}`)
	word   = regexp.MustCompile(`^([A-Z]?[a-z]+|[A-Z]+)\d{0,4}$`)
	count  = regexp.MustCompile(`^[A-Za-z]?\d{1,6}$|^[A-Za-z]{1,3}$`)
)

// isWord reports whether somebody could say it.
func isWord(p string) bool {
	return word.MatchString(p) && vowels.MatchString(p) && !harsh.MatchString(p) && len(p) <= maxWord
}

// maxWord is the length of the longest word that is believed; random letters
// without a break may look like a longer one.
const maxWord = 16

func isCount(p string) bool { return count.MatchString(p) }

// public reports whether a value is a public key or a certificate.
func public(s string) bool {
	if strings.HasPrefix(s, "AAAAB3NzaC1yc2E") || strings.HasPrefix(s, "AAAAC3NzaC1lZDI1NTE5") || strings.HasPrefix(s, "AAAAE2VjZHNhLXNoYTIt") {
		return true // how ssh-rsa, ssh-ed25519 and ecdsa-sha2 begin in base64
	}
	der, err := base64.StdEncoding.DecodeString(s)
	if err != nil || !bytes.HasPrefix(der, []byte{0x30}) {
		return false
	}
	if _, err := x509.ParsePKIXPublicKey(der); err == nil {
		return true
	}
	_, err = x509.ParseCertificate(der)
	return err == nil
}
