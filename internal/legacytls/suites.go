package legacytls

import (
	"maps"
	"slices"
)

// exchange is how a suite agrees on a key.
type exchange int

const (
	kxRSA       exchange = iota // under the key of the certificate
	kxRSAExport                 // under a short key that the certificate's signs
	kxDHE
	kxDHEExport
	kxECDHE
	kxECDH // with the key of the certificate
	kxPSK
)

// signer is which kind of key signs, or is certified.
type signer int

const (
	nobody signer = iota
	byRSA
	byDSS
	byECDSA
)

// method is what matters of a suite here. Cipher and MAC do not: nothing is ever
// encrypted.
type method struct {
	kx   exchange
	by   signer
	from uint16 // the oldest version that has it
}

// families are the suites of the IANA registry that a server can answer with.
var families = []struct {
	method
	codes []uint16
}{
	{method{kxRSA, byRSA, SSL30}, []uint16{0x0001, 0x0002, 0x0004, 0x0005, 0x0007, 0x0009, 0x000a}},
	{method{kxRSA, byRSA, TLS10}, []uint16{0x002f, 0x0035, 0x0041, 0x0084, 0x0096}},
	{method{kxRSA, byRSA, TLS12}, []uint16{0x003b, 0x003c, 0x003d, 0x009c, 0x009d, 0xc09c, 0xc09d, 0xc0a0, 0xc0a1}},
	{method{kxRSAExport, byRSA, SSL30}, []uint16{0x0003, 0x0006, 0x0008}},
	{method{kxDHE, byDSS, SSL30}, []uint16{0x0012, 0x0013}},
	{method{kxDHE, byDSS, TLS10}, []uint16{0x0032, 0x0038}},
	{method{kxDHEExport, byDSS, SSL30}, []uint16{0x0011}},
	{method{kxDHE, byRSA, SSL30}, []uint16{0x0015, 0x0016}},
	{method{kxDHE, byRSA, TLS10}, []uint16{0x0033, 0x0039, 0x0045, 0x0088, 0x009a}},
	{method{kxDHE, byRSA, TLS12}, []uint16{0x0067, 0x006b, 0x009e, 0x009f, 0xc09e, 0xc09f, 0xc0a2, 0xc0a3}},
	{method{kxDHEExport, byRSA, SSL30}, []uint16{0x0014}},
	{method{kxDHE, nobody, SSL30}, []uint16{0x0018, 0x001a, 0x001b}},
	{method{kxDHE, nobody, TLS10}, []uint16{0x0034, 0x003a, 0x0046, 0x0089, 0x009b}},
	{method{kxDHE, nobody, TLS12}, []uint16{0x006c, 0x006d, 0x00a6, 0x00a7}},
	{method{kxDHEExport, nobody, SSL30}, []uint16{0x0017, 0x0019}},
	{method{kxECDH, byECDSA, TLS10}, []uint16{0xc001, 0xc002, 0xc003, 0xc004, 0xc005}},
	{method{kxECDHE, byECDSA, TLS10}, []uint16{0xc006, 0xc007, 0xc008, 0xc009, 0xc00a}},
	{method{kxECDHE, byECDSA, TLS12}, []uint16{0xc023, 0xc024, 0xc02b, 0xc02c, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xcca9}},
	{method{kxECDHE, byRSA, TLS10}, []uint16{0xc010, 0xc011, 0xc012, 0xc013, 0xc014}},
	{method{kxECDHE, byRSA, TLS12}, []uint16{0xc027, 0xc028, 0xc02f, 0xc030, 0xcca8}},
	{method{kxECDHE, nobody, TLS10}, []uint16{0xc015, 0xc016, 0xc017, 0xc018, 0xc019}},
	{method{kxPSK, nobody, TLS10}, []uint16{0x002c, 0x008a, 0x008b, 0x008c, 0x008d}},
	{method{kxPSK, nobody, TLS12}, []uint16{0x00a8, 0x00a9, 0x00ae, 0x00af, 0xc0a4, 0xc0a5, 0xc0a8, 0xc0a9, 0xccab}},
}

// methodOf returns the method of a suite.
func methodOf(suite uint16) (method, bool) {
	for _, f := range families {
		if slices.Contains(f.codes, suite) {
			return f.method, true
		}
	}
	return method{}, false
}

// Suites returns all suites that a server can answer with, ascending.
func Suites() []uint16 {
	all := map[uint16]bool{}
	for _, f := range families {
		for _, c := range f.codes {
			all[c] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
