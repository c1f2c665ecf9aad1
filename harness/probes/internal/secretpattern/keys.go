package secretpattern

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"hash/crc32"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"
)

// block is a private key in PEM.
var block = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]{0,32})PRIVATE KEY-----[A-Za-z0-9+/=\s\\:,.\-]+?-----END [A-Z0-9 ]{0,32}PRIVATE KEY-----`)

// privateKeys are keys that parse. One that is encrypted does not.
func privateKeys(text []byte) []Finding {
	var found []Finding
	for _, at := range block.FindAllIndex(text, -1) {
		// In JSON the ends of lines are written as two characters.
		lines := bytes.ReplaceAll(bytes.ReplaceAll(text[at[0]:at[1]], []byte(`\r`), nil), []byte(`\n`), []byte("\n"))
		if b, _ := pem.Decode(lines); b != nil && (parses(b.Bytes) || parsesSSH(lines)) {
			found = append(found, Finding{PrivateKey, nil, at[0], at[1]})
		}
	}
	return append(found, bareKeys(text)...)
}

// minDER is the length of the shortest private key in base64, of Ed25519.
const minDER = 64

// bareKeys are keys in base64 without PEM around them, as configurations hold
// them. In base64, DER begins with an M.
func bareKeys(text []byte) []Finding {
	var found []Finding
	for from := 0; from < len(text); from++ {
		to := from
		for to < len(text) && strings.IndexByte(base64Alphabet, text[to]) >= 0 {
			to++
		}
		end := to
		for end < min(len(text), to+2) && text[end] == '=' {
			end++
		}
		if to-from >= minDER-2 && to-from <= maxValue && text[from] == 'M' {
			if b, err := base64.StdEncoding.DecodeString(string(text[from:end])); err == nil && parses(b) {
				found = append(found, Finding{PrivateKey, nil, from, end})
			}
		}
		from = to
	}
	return found
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

func parses(der []byte) bool {
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return true
	}
	if _, err := x509.ParseECPrivateKey(der); err == nil {
		return true
	}
	_, err := x509.ParsePKCS1PrivateKey(der)
	return err == nil
}

func parsesSSH(b []byte) bool {
	_, err := ssh.ParseRawPrivateKey(b)
	return err == nil
}

// github is a token of that service: a kind, 30 characters drawn by lot, and 6
// that check them.
var github = regexp.MustCompile(`\bgh[pousr]_([0-9A-Za-z]{30})([0-9A-Za-z]{6})\b`)

// tokens are those of a known format whose checksum holds.
func tokens(text []byte) []Finding {
	if !bytes.Contains(text, []byte("gh")) {
		return nil
	}
	var found []Finding
	for _, at := range github.FindAllSubmatchIndex(text, -1) {
		if base62(crc32.ChecksumIEEE(text[at[2]:at[3]])) == string(text[at[4]:at[5]]) {
			found = append(found, Finding{Token, nil, at[0], at[1]})
		}
	}
	return found
}

const digits62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// base62 writes n with 6 digits.
func base62(n uint32) string {
	b := []byte("000000")
	for i := len(b) - 1; n > 0; i-- {
		b[i] = digits62[n%62]
		n /= 62
	}
	return string(b)
}
