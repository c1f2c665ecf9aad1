package peers

import (
	"crypto/tls"
	"testing"
)

func TestStunnel(t *testing.T) {
	authority := NewAuthority(t)
	cert := authority.Issue(t, "127.0.0.1")
	behind := Nginx(t, NginxConfig{Pages: map[string]string{"/index.html": "behind"}}).Addr
	sound := Stunnel(t, StunnelConfig{Certificate: cert, Behind: behind})
	old := Stunnel(t, StunnelConfig{Certificate: cert, Behind: behind, Options: []string{"sslVersionMin = TLSv1", "sslVersionMax = TLSv1", "ciphers = ALL:@SECLEVEL=0"}})
	code, page, err := get(t, "https://"+sound.Addr.String()+"/", "", "", &tls.Config{RootCAs: authority.Pool})
	if err != nil || code != 200 || page != "behind" {
		t.Errorf("page is %d %q, %v", code, page, err)
	}
	for version, spoken := range map[uint16]bool{tls.VersionTLS10: true, tls.VersionTLS12: false} {
		conn, err := tls.Dial("tcp", old.Addr.String(), &tls.Config{RootCAs: authority.Pool, MinVersion: version, MaxVersion: version})
		if (err == nil) != spoken {
			t.Errorf("handshake in %#04x ended with %v, want spoken: %t", version, err, spoken)
		}
		if err == nil {
			conn.Close()
		}
	}
}
