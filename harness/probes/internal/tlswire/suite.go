package tlswire

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Suite is a cipher suite and what its name says about it.
type Suite struct {
	Code uint16
	Name string // in the IANA registry
	// KeyExchange and Authentication are empty in TLS 1.3, whose suites leave
	// them open.
	KeyExchange    string // RSA, DH, DHE, ECDH, ECDHE, PSK, DHE_PSK, SRP_SHA, KRB5, ...
	Authentication string // RSA, DSS, ECDSA, PSK, anon, ...
	Encryption     string // AES_128_GCM, NULL, ...
	MAC            string // MD5, SHA, SHA256, ... or AEAD
	Export         bool
	ForwardSecret  bool
	TLS13          bool // for TLS 1.3 alone
}

// registry holds the cipher suites of the IANA registry "TLS Cipher Suites",
// and the few beside it that were in use: the export suites with 56 and 1,024
// bits, and those of GOST R 34.10-2001. One to a line: number, name.
//
//go:embed suites.txt
var registry string

var table = read(registry)

// Suites returns every suite that is known, by number.
func Suites() []Suite { return slices.Clone(table) }

// Lookup returns the suite with a number.
func Lookup(code uint16) (Suite, bool) {
	i, ok := slices.BinarySearchFunc(table, code, func(s Suite, c uint16) int { return int(s.Code) - int(c) })
	if !ok {
		return Suite{}, false
	}
	return table[i], true
}

func read(text string) []Suite {
	var all []Suite
	for line := range strings.Lines(text) {
		number, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		code, err := strconv.ParseUint(number, 16, 16)
		if err != nil {
			panic(fmt.Sprintf("suites.txt: %q: %v", line, err)) // a mistake in the program
		}
		all = append(all, parse(uint16(code), name))
	}
	return all
}

// parse takes a name apart: TLS_KEYEXCHANGE[_AUTHENTICATION]_WITH_CIPHER_HASH,
// or TLS_CIPHER_HASH in TLS 1.3.
func parse(code uint16, name string) Suite {
	s := Suite{Code: code, Name: name}
	keys, cipher, old := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	if !old {
		cipher = keys
	}
	s.TLS13 = !old || strings.Contains(name, "_MGM_")
	s.Encryption, s.MAC = split(cipher)
	if s.TLS13 {
		s.ForwardSecret = true // a key exchange by pre-shared key alone is never offered here
		return s
	}
	keys, _, s.Export = strings.Cut(keys, "_EXPORT")
	s.KeyExchange, s.Authentication = exchange(keys)
	s.ForwardSecret = strings.HasPrefix(s.KeyExchange, "DHE") || strings.HasPrefix(s.KeyExchange, "ECDHE") ||
		strings.HasPrefix(s.KeyExchange, "SRP") || s.KeyExchange == "ECCPWD"
	return s
}

// exchange takes the part before _WITH_ apart.
func exchange(keys string) (exchange, authentication string) {
	switch {
	case strings.HasPrefix(keys, "GOST"), keys == "KRB5", keys == "ECCPWD", keys == "SRP_SHA":
		return keys, keys
	case keys == "PSK_DHE": // RFC 6655 turns the words round
		return "DHE_PSK", "PSK"
	case keys == "RSA_PSK": // the certificate is the server's
		return keys, "RSA"
	case keys == "PSK", strings.HasSuffix(keys, "_PSK"):
		return keys, "PSK"
	}
	if exchange, authentication, ok := cutLast(keys); ok {
		if authentication == "anon" { // an anonymous exchange is ephemeral
			return exchange + "E", authentication
		}
		return exchange, authentication
	}
	return keys, keys
}

// split takes the part after _WITH_ apart.
func split(cipher string) (encryption, mac string) {
	encryption, mac, ok := cutLast(cipher)
	switch {
	case strings.HasSuffix(cipher, "_CCM"), strings.HasSuffix(cipher, "_CCM_8"), strings.Contains(cipher, "_MGM_"):
		return cipher, "AEAD"
	case !ok:
		return cipher, ""
	case encryption == "SHA256", encryption == "SHA384": // RFC 9150: a MAC and no more
		return "NULL", mac
	case aead(encryption):
		return encryption, "AEAD"
	}
	return encryption, mac
}

func aead(encryption string) bool {
	for _, mode := range []string{"_GCM", "_CCM", "_CCM_8", "_POLY1305"} {
		if strings.HasSuffix(encryption, mode) {
			return true
		}
	}
	return strings.HasPrefix(encryption, "AEGIS")
}

func cutLast(s string) (before, after string, ok bool) {
	if i := strings.LastIndexByte(s, '_'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
