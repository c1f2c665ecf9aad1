package tlsserver

import (
	"slices"
	"strings"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
)

// Suite is a cipher suite that a server took, with what its name says.
type Suite struct {
	Code           Code         `json:"code"`
	Name           Name         `json:"name"`           // in the IANA registry, empty if it is not there
	KeyExchange    Name         `json:"key_exchange"`   // RSA, DH, DHE, ECDH, ECDHE, PSK, ... empty in TLS 1.3
	Authentication Name         `json:"authentication"` // RSA, DSS, ECDSA, PSK, anon, ... empty in TLS 1.3
	Encryption     Name         `json:"encryption"`     // AES_128_GCM, RC4_128, NULL, ...
	MAC            Name         `json:"mac"`            // MD5, SHA, SHA256, ... or AEAD
	Export         evidence.Tri `json:"export"`
	ForwardSecret  evidence.Tri `json:"forward_secret"`
	// Seen counts the exchanges in which it was chosen: what has a trait of
	// Doubtful is asked for again.
	Seen int           `json:"seen"`
	Span evidence.Span `json:"span"` // of the first of them
}

// Trait is something that a suite may lack or have, as lists of what to refuse
// name it.
type Trait string

// The traits.
const (
	NoEncryption Trait = "NULL"
	Anonymous    Trait = "anon"
	Export       Trait = "EXPORT"
	RC4          Trait = "RC4"
	RC2          Trait = "RC2"
	DES          Trait = "DES" // with one key
	TripleDES    Trait = "3DES"
	IDEA         Trait = "IDEA"
	HMACMD5      Trait = "MD5"
	HMACSHA1     Trait = "SHA-1"
	CBC          Trait = "CBC"
	ShortTag     Trait = "CCM_8"
	StaticRSA    Trait = "static-RSA"
)

// Traits returns all traits.
func Traits() []Trait {
	return []Trait{NoEncryption, Anonymous, Export, RC4, RC2, DES, TripleDES, IDEA, HMACMD5, HMACSHA1, CBC, ShortTag, StaticRSA}
}

// Doubtful are the traits whose suites are asked for in a second exchange.
func Doubtful() []Trait {
	return []Trait{NoEncryption, Anonymous, Export, RC4, RC2, DES, TripleDES, IDEA, HMACMD5}
}

// Has reports whether the suite has a trait.
func (s Suite) Has(t Trait) bool {
	switch t {
	case NoEncryption:
		return s.Encryption == "NULL"
	case Anonymous:
		return s.Authentication == "anon"
	case Export:
		return s.Export == evidence.Yes
	case RC4, RC2, IDEA:
		return strings.HasPrefix(string(s.Encryption), string(t)+"_")
	case DES:
		return strings.HasPrefix(string(s.Encryption), "DES_") || strings.HasPrefix(string(s.Encryption), "DES40_")
	case TripleDES:
		return strings.HasPrefix(string(s.Encryption), "3DES_")
	case HMACMD5:
		return s.MAC == "MD5"
	case HMACSHA1:
		return s.MAC == "SHA"
	case CBC:
		return strings.Contains(string(s.Encryption), "_CBC")
	case ShortTag:
		return strings.HasSuffix(string(s.Encryption), "_CCM_8")
	case StaticRSA:
		return s.KeyExchange == "RSA"
	}
	return false
}

// HasAny reports whether the suite has one of the traits.
func (s Suite) HasAny(traits []Trait) bool { return slices.ContainsFunc(traits, s.Has) }

// Certified reports whether a server that takes the suite shows a certificate.
// In TLS 1.3, where the suite does not say, it does: a pre-shared key is never
// offered here.
func (s Suite) Certified() bool {
	switch s.Authentication {
	case "RSA", "DSS", "ECDSA", "":
		return true
	}
	return s.KeyExchange == "RSA"
}

// SuiteOf returns a suite of the registry. Of a code that is not in it, all but
// the code is empty or unknown.
func SuiteOf(c Code) Suite {
	w, known := tlswire.Lookup(uint16(c))
	if !known {
		return Suite{Code: c}
	}
	return Suite{
		Code: c, Name: Name(w.Name), KeyExchange: Name(w.KeyExchange), Authentication: Name(w.Authentication),
		Encryption: Name(w.Encryption), MAC: Name(w.MAC), Export: tri(w.Export), ForwardSecret: tri(w.ForwardSecret),
	}
}

func tri(b bool) evidence.Tri {
	if b {
		return evidence.Yes
	}
	return evidence.No
}
