package peers

import (
	"crypto/tls"
	"strings"
	"testing"
)

func TestOpenSSLServer(t *testing.T) {
	authority := NewAuthority(t)
	cert := authority.Issue(t, "device.test", "127.0.0.1")
	sound := OpenSSLServer(t, OpenSSLConfig{Certificate: cert})
	old := OpenSSLServer(t, OpenSSLConfig{Certificate: cert, Legacy: true})
	only12 := OpenSSLServer(t, OpenSSLConfig{Certificate: cert, Args: []string{"-tls1_2"}})
	tests := []struct {
		name    string
		peer    *Peer
		version uint16
		spoken  bool
	}{
		{"tls13", sound, tls.VersionTLS13, true},
		{"tls10_refused", sound, tls.VersionTLS10, false},
		{"tls10_legacy", old, tls.VersionTLS10, true},
		{"tls11_legacy", old, tls.VersionTLS11, true},
		{"tls12_only", only12, tls.VersionTLS12, true},
		{"tls13_not_with_tls12_only", only12, tls.VersionTLS13, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := tls.Dial("tcp", tt.peer.Addr.String(), &tls.Config{
				RootCAs: authority.Pool, ServerName: "device.test",
				MinVersion: tt.version, MaxVersion: tt.version,
			})
			if (err == nil) != tt.spoken {
				t.Fatalf("handshake ended with %v, want spoken: %t", err, tt.spoken)
			}
			if err == nil {
				conn.Close()
			}
		})
	}
	code, page, err := get(t, "https://"+sound.Addr.String()+"/", "", "", &tls.Config{RootCAs: authority.Pool})
	if err != nil || code != 200 || !strings.Contains(page, "TLSv1.3") {
		t.Errorf("page is %d %q, %v, want one about TLSv1.3", code, page, err)
	}
}
