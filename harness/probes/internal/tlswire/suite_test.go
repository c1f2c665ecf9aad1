package tlswire

import (
	"crypto/tls"
	"slices"
	"testing"
)

func TestSuites(t *testing.T) {
	tests := []struct {
		code                                        uint16
		name, exchange, authentication, cipher, mac string
		export, forward, modern                     bool
	}{
		{0x0001, "TLS_RSA_WITH_NULL_MD5", "RSA", "RSA", "NULL", "MD5", false, false, false},
		{0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", "RSA", "RSA", "RC4_40", "MD5", true, false, false},
		{0x0009, "TLS_RSA_WITH_DES_CBC_SHA", "RSA", "RSA", "DES_CBC", "SHA", false, false, false},
		{0x000d, "TLS_DH_DSS_WITH_3DES_EDE_CBC_SHA", "DH", "DSS", "3DES_EDE_CBC", "SHA", false, false, false},
		{0x0014, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", "DHE", "RSA", "DES40_CBC", "SHA", true, true, false},
		{0x001b, "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA", "DHE", "anon", "3DES_EDE_CBC", "SHA", false, true, false},
		{0x0028, "TLS_KRB5_EXPORT_WITH_RC4_40_SHA", "KRB5", "KRB5", "RC4_40", "SHA", true, false, false},
		{0x0064, "TLS_RSA_EXPORT1024_WITH_RC4_56_SHA", "RSA", "RSA", "RC4_56", "SHA", true, false, false},
		{0x0081, "TLS_GOSTR341001_WITH_28147_CNT_IMIT", "GOSTR341001", "GOSTR341001", "28147_CNT", "IMIT", false, false, false},
		{0x008c, "TLS_PSK_WITH_AES_128_CBC_SHA", "PSK", "PSK", "AES_128_CBC", "SHA", false, false, false},
		{0x0094, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA", "RSA_PSK", "RSA", "AES_128_CBC", "SHA", false, false, false},
		{0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE", "RSA", "AES_128_GCM", "AEAD", false, true, false},
		{0x00c6, "TLS_SM4_GCM_SM3", "", "", "SM4_GCM", "AEAD", false, true, true},
		{0x1301, "TLS_AES_128_GCM_SHA256", "", "", "AES_128_GCM", "AEAD", false, true, true},
		{0x1305, "TLS_AES_128_CCM_8_SHA256", "", "", "AES_128_CCM_8", "AEAD", false, true, true},
		{0x1307, "TLS_AEGIS_128L_SHA256", "", "", "AEGIS_128L", "AEAD", false, true, true},
		{0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", "ECDHE", "anon", "AES_128_CBC", "SHA", false, true, false},
		{0xc01b, "TLS_SRP_SHA_RSA_WITH_3DES_EDE_CBC_SHA", "SRP_SHA", "RSA", "3DES_EDE_CBC", "SHA", false, true, false},
		{0xc025, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256", "ECDH", "ECDSA", "AES_128_CBC", "SHA256", false, false, false},
		{0xc0a8, "TLS_PSK_WITH_AES_128_CCM_8", "PSK", "PSK", "AES_128_CCM_8", "AEAD", false, false, false},
		{0xc0aa, "TLS_PSK_DHE_WITH_AES_128_CCM_8", "DHE_PSK", "PSK", "AES_128_CCM_8", "AEAD", false, true, false},
		{0xc0b2, "TLS_ECCPWD_WITH_AES_128_CCM_SHA256", "ECCPWD", "ECCPWD", "AES_128_CCM", "AEAD", false, true, false},
		{0xc0b4, "TLS_SHA256_SHA256", "", "", "NULL", "SHA256", false, true, true},
		{0xc103, "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L", "", "", "KUZNYECHIK_MGM_L", "AEAD", false, true, true},
		{0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE", "RSA", "CHACHA20_POLY1305", "AEAD", false, true, false},
		{0xd003, "TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256", "ECDHE_PSK", "PSK", "AES_128_CCM_8", "AEAD", false, true, false},
	}
	for _, tt := range tests {
		want := Suite{tt.code, tt.name, tt.exchange, tt.authentication, tt.cipher, tt.mac, tt.export, tt.forward, tt.modern}
		if got, ok := Lookup(tt.code); !ok || got != want {
			t.Errorf("%04x: got %+v, want %+v", tt.code, got, want)
		}
	}
}

// The table agrees with what crypto/tls knows, is in order, and holds no value
// that signals instead of naming a suite.
func TestTable(t *testing.T) {
	all := Suites()
	if len(all) < 350 || !slices.IsSortedFunc(all, func(a, b Suite) int { return int(a.Code) - int(b.Code) }) {
		t.Fatalf("%d suites, or not in order", len(all))
	}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		got, ok := Lookup(s.ID)
		modern := slices.Equal(s.SupportedVersions, []uint16{tls.VersionTLS13})
		if !ok || got.Name != s.Name || got.TLS13 != modern {
			t.Errorf("%04x: got %+v, want %q", s.ID, got, s.Name)
		}
	}
	names := map[string]bool{}
	for _, s := range all {
		if names[s.Name] || s.Encryption == "" || s.MAC == "" || !s.TLS13 && s.KeyExchange == "" {
			t.Errorf("%+v is not whole, or there twice", s)
		}
		names[s.Name] = true
	}
	for _, code := range []uint16{0, 0x00ff, 0x5600, 0xffff, 0x0a0a} {
		if s, ok := Lookup(code); ok {
			t.Errorf("%04x is %+v, want nothing", code, s)
		}
	}
	all[0].Name = "changed"
	if s, _ := Lookup(all[0].Code); s.Name == "changed" {
		t.Error("the table can be changed from outside")
	}
}

func TestReadPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a broken table was taken")
		}
	}()
	read("zzzz TLS_X\n")
}
