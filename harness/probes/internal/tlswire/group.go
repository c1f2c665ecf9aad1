package tlswire

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"fmt"
	"slices"
)

// The groups that are spoken of by name.
const (
	P256               = 23
	P384               = 24
	P521               = 25
	X25519             = 29
	X448               = 30
	MLKEM768           = 0x0201
	SecP256r1MLKEM768  = 0x11eb
	X25519MLKEM768     = 0x11ec
	SecP384r1MLKEM1024 = 0x11ed
)

// A Group is a group of the IANA registry "TLS Supported Groups".
type Group struct {
	Code  uint16
	Name  string
	TLS13 bool // whether TLS 1.3 may negotiate it
	Older bool // whether older versions may
}

// groups are the ones that are offered, the modern ones first.
var groups = []Group{
	{X25519MLKEM768, "X25519MLKEM768", true, false}, {SecP256r1MLKEM768, "SecP256r1MLKEM768", true, false},
	{SecP384r1MLKEM1024, "SecP384r1MLKEM1024", true, false},
	{0x0200, "MLKEM512", true, false}, {MLKEM768, "MLKEM768", true, false}, {0x0202, "MLKEM1024", true, false},
	{X25519, "x25519", true, true}, {P256, "secp256r1", true, true}, {P384, "secp384r1", true, true},
	{P521, "secp521r1", true, true}, {X448, "x448", true, true},
	{31, "brainpoolP256r1tls13", true, false}, {32, "brainpoolP384r1tls13", true, false}, {33, "brainpoolP512r1tls13", true, false},
	{26, "brainpoolP256r1", false, true}, {27, "brainpoolP384r1", false, true}, {28, "brainpoolP512r1", false, true},
	{0x0100, "ffdhe2048", true, true}, {0x0101, "ffdhe3072", true, true}, {0x0102, "ffdhe4096", true, true},
	{0x0103, "ffdhe6144", true, true}, {0x0104, "ffdhe8192", true, true},
	{41, "curveSM2", true, false},
	{1, "sect163k1", false, true}, {2, "sect163r1", false, true}, {3, "sect163r2", false, true}, {4, "sect193r1", false, true},
	{5, "sect193r2", false, true}, {6, "sect233k1", false, true}, {7, "sect233r1", false, true}, {8, "sect239k1", false, true},
	{9, "sect283k1", false, true}, {10, "sect283r1", false, true}, {11, "sect409k1", false, true}, {12, "sect409r1", false, true},
	{13, "sect571k1", false, true}, {14, "sect571r1", false, true}, {15, "secp160k1", false, true}, {16, "secp160r1", false, true},
	{17, "secp160r2", false, true}, {18, "secp192k1", false, true}, {19, "secp192r1", false, true}, {20, "secp224k1", false, true},
	{21, "secp224r1", false, true}, {22, "secp256k1", false, true},
}

// Groups returns the groups that a version may negotiate.
func Groups(version uint16) []Group {
	return slices.DeleteFunc(slices.Clone(groups), func(g Group) bool {
		return version == TLS13 && !g.TLS13 || version < TLS13 && !g.Older
	})
}

// GroupName returns how the registry calls a group, or "" if it is not known.
func GroupName(code uint16) string {
	for _, g := range groups {
		if g.Code == code {
			return g.Name
		}
	}
	return ""
}

// A Share is a public key for a group. Nobody keeps the private one.
type Share struct {
	Group  uint16
	Public []byte
}

// NewShare makes a fresh share for one of the groups named above.
func NewShare(group uint16) (Share, error) {
	public, err := public(group)
	if err != nil {
		return Share{}, fmt.Errorf("key share for group %q: %w", GroupName(group), err)
	}
	return Share{group, public}, nil
}

// public makes a public key. In hybrid groups the parts stand in the order of
// draft-ietf-tls-ecdhe-mlkem: ML-KEM first with X25519, last with the others.
func public(group uint16) ([]byte, error) {
	switch group {
	case X25519:
		return point(ecdh.X25519())
	case P256:
		return point(ecdh.P256())
	case P384:
		return point(ecdh.P384())
	case P521:
		return point(ecdh.P521())
	case MLKEM768:
		return kem768()
	case X25519MLKEM768:
		return join(kem768, func() ([]byte, error) { return point(ecdh.X25519()) })
	case SecP256r1MLKEM768:
		return join(func() ([]byte, error) { return point(ecdh.P256()) }, kem768)
	case SecP384r1MLKEM1024:
		return join(func() ([]byte, error) { return point(ecdh.P384()) }, kem1024)
	}
	return nil, fmt.Errorf("no share can be made")
}

func point(c ecdh.Curve) ([]byte, error) {
	k, err := c.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return k.PublicKey().Bytes(), nil
}

func kem768() ([]byte, error) {
	k, err := mlkem.GenerateKey768()
	if err != nil {
		return nil, err
	}
	return k.EncapsulationKey().Bytes(), nil
}

func kem1024() ([]byte, error) {
	k, err := mlkem.GenerateKey1024()
	if err != nil {
		return nil, err
	}
	return k.EncapsulationKey().Bytes(), nil
}

func join(parts ...func() ([]byte, error)) (all []byte, err error) {
	for _, part := range parts {
		b, err := part()
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all, nil
}

// Signatures returns the signature schemes that are offered: all that servers
// use, the weak ones last.
func Signatures() []uint16 {
	return []uint16{
		0x0403, 0x0503, 0x0603, // ECDSA with SHA-256, SHA-384, SHA-512
		0x0807, 0x0808, // Ed25519, Ed448
		0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, // RSA-PSS
		0x0401, 0x0501, 0x0601, // RSA PKCS#1 with SHA-256, SHA-384, SHA-512
		0x081a, 0x081b, 0x081c, // ECDSA on Brainpool curves
		0x0904, 0x0905, 0x0906, // ML-DSA
		0x0402, 0x0303, 0x0301, 0x0302, // DSA with SHA-256, SHA-224
		0x0203, 0x0201, 0x0202, 0x0101, // SHA-1, MD5
	}
}
