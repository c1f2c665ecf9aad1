package peers

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"testing"
)

// get fetches one page.
func get(t *testing.T, url, user, password string, conf *tls.Config) (int, string, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: answerWithin}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func TestNginx(t *testing.T) {
	authority := NewAuthority(t)
	cert := authority.Issue(t, "127.0.0.1")
	p := Nginx(t, NginxConfig{
		Certificate: &cert,
		Pages:       map[string]string{"/index.html": "home", "/api/status.json": "{}"},
		Directives:  []string{"ssl_protocols TLSv1.2;"},
	})
	plain, secure := "http://"+p.Addrs[0].String(), "https://"+p.Addrs[1].String()
	trusts := &tls.Config{RootCAs: authority.Pool}
	tests := []struct {
		name, url string
		code      int
		body      string
	}{
		{"home", plain + "/", 200, "home"},
		{"page", plain + "/api/status.json", 200, "{}"},
		{"https", secure + "/", 200, "home"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, body, err := get(t, tt.url, "", "", trusts)
			if err != nil || code != tt.code || body != tt.body {
				t.Errorf("got %d %q, %v, want %d %q", code, body, err, tt.code, tt.body)
			}
		})
	}
	if code, _, err := get(t, plain+"/nonesuch", "", "", nil); err != nil || code != 404 {
		t.Errorf("a page that is not there: %d, %v", code, err)
	}
	for name, conf := range map[string]*tls.Config{
		"untrusted": {RootCAs: x509.NewCertPool()},
		"tls13":     {RootCAs: authority.Pool, MinVersion: tls.VersionTLS13},
	} {
		if code, _, err := get(t, secure+"/", "", "", conf); err == nil {
			t.Errorf("%s: answered %d, want no connection", name, code)
		}
	}
}

func TestNginxAsksForPasswords(t *testing.T) {
	p := Nginx(t, NginxConfig{
		Pages: map[string]string{"/index.html": "home"},
		Users: map[string]string{"admin": "s3cret"},
	})
	url := "http://" + p.Addr.String() + "/"
	for _, tt := range []struct {
		user, password string
		code           int
	}{{"admin", "s3cret", 200}, {"admin", "wrong", 401}, {"", "", 401}} {
		if code, _, err := get(t, url, tt.user, tt.password, nil); err != nil || code != tt.code {
			t.Errorf("%q with %q: %d, %v, want %d", tt.user, tt.password, code, err, tt.code)
		}
	}
}
