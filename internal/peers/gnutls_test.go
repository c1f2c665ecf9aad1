package peers

import (
	"crypto/tls"
	"testing"
)

func TestGnuTLSServer(t *testing.T) {
	cert := NewAuthority(t).Issue(t, "127.0.0.1")
	sound := GnuTLSServer(t, GnuTLSConfig{Certificate: &cert})
	old := GnuTLSServer(t, GnuTLSConfig{Certificate: &cert, Priority: "NORMAL:-VERS-ALL:+VERS-TLS1.0"})
	bare := GnuTLSServer(t, GnuTLSConfig{Priority: "NORMAL:-VERS-ALL:+VERS-TLS1.2:+ANON-ECDH"})
	tests := []struct {
		name    string
		peer    *Peer
		version uint16
		spoken  bool
	}{
		{"tls13", sound, tls.VersionTLS13, true},
		{"tls12", sound, tls.VersionTLS12, true},
		{"tls10_only", old, tls.VersionTLS10, true},
		{"tls12_not_with_tls10_only", old, tls.VersionTLS12, false},
		{"no_certificate", bare, tls.VersionTLS12, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := tls.Dial("tcp", tt.peer.Addr.String(), &tls.Config{InsecureSkipVerify: true, MinVersion: tt.version, MaxVersion: tt.version})
			if (err == nil) != tt.spoken {
				t.Fatalf("handshake ended with %v, want spoken: %t", err, tt.spoken)
			}
			if err == nil {
				conn.Close()
			}
		})
	}
}
