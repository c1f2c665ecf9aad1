package secretpattern

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"

	"github.com/assay-iot/assay/harness/evidence"
)

// names are the words that end the name of a secret, and its class.
var names = map[string]evidence.SecretClass{
	"password": "password", "passwd": "password", "pwd": "password", "pass": "password", "passphrase": "password",
	"passcode": "pin", "pin": "pin", "psk": "psk", "secret": "secret",
	"token": "token", "bearer": "token", "authorization": "token", "key": "key", "apikey": "key",
}

// harmless are words before the last one that make the name that of something
// else: a public key is for everybody, and a primary key counts rows.
var harmless = map[string]bool{
	"public": true, "pub": true, "verify": true, "verification": true, "host": true, "primary": true, "foreign": true,
	"sort": true, "partition": true, "cache": true, "object": true, "hot": true, "gpio": true, "csrf": true,
}

// classOf returns the class of what stands under a name, nothing if it is no
// name of a secret. The last word counts: a password policy is no password.
func classOf(name []byte) evidence.SecretClass {
	words := wordsOf(string(name))
	if len(words) == 0 {
		return ""
	}
	for _, w := range words[:len(words)-1] {
		if harmless[w] {
			return ""
		}
	}
	return names[words[len(words)-1]]
}

// wordsOf splits a name such as wifiPsk, API_KEY or admin-pin1.
func wordsOf(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
		}
		word = word[:0]
	}
	before := ' '
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r):
			end()
		case unicode.IsUpper(r) && unicode.IsLower(before):
			end()
			word = append(word, r)
		default:
			word = append(word, r)
		}
		before = r
	}
	end()
	return words
}

// pairs are random values under a telling name.
func pairs(text []byte) []Finding { return pairsIn(text, 0, maxDepth) }

// maxDepth bounds how often strings inside strings are looked into.
const maxDepth = 3

// pairsIn looks into the part of a text that begins at offset.
func pairsIn(part []byte, offset, depth int) []Finding {
	var found []Finding
	for _, a := range assignments(part) {
		name, value := part[a.nameFrom:a.nameTo], part[a.from:a.to]
		switch class := classOf(name); {
		case class != "" && random(class, value):
			found = append(found, Finding{class, bytes.Clone(name), offset + a.from, offset + a.to})
		case depth > 0 && len(value) < len(part) && bytes.ContainsAny(value, ":=>"):
			found = append(found, pairsIn(value, offset+a.from, depth-1)...)
		}
	}
	return found
}

// credentials are those inside an address: scheme://user:password@host.
var credentials = regexp.MustCompile(`[a-z][a-z0-9+.\-]{1,15}://[^\s/:@"']{1,64}:([^\s/@"']+)@[A-Za-z0-9\[]`)

func userInfo(text []byte) []Finding {
	if !bytes.Contains(text, []byte("://")) {
		return nil
	}
	var found []Finding
	for _, at := range credentials.FindAllSubmatchIndex(text, -1) {
		if random("password", text[at[2]:at[3]]) {
			found = append(found, Finding{"password", nil, at[2], at[3]})
		}
	}
	return found
}
