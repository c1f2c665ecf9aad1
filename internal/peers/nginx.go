package peers

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// NginxConfig is how a web server behaves.
type NginxConfig struct {
	// Certificate, if not nil, adds an HTTPS port with the same content.
	Certificate *Certificate
	// Pages are paths, such as /index.html, and what they hold.
	Pages map[string]string
	// Users are names and passwords; if there are any, every page asks for one.
	Users map[string]string
	// Directives are more lines of the server block, such as
	// "ssl_protocols TLSv1.2;".
	Directives []string
}

// nginxHead runs one process in the foreground and keeps every file that it
// writes in its folder.
var nginxHead = []string{
	"daemon off; master_process off; pid nginx.pid; error_log stderr;",
	"events {}",
	"http {",
	"access_log access.log;",
	"client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;",
	"uwsgi_temp_path uwsgi; scgi_temp_path scgi;",
	"types { text/html html; application/json json; text/plain txt; }",
	"server { root pages;",
}

// Nginx starts a web server. Peer.Addrs are HTTP and, with a certificate,
// HTTPS.
func Nginx(t testing.TB, c NginxConfig) *Peer {
	t.Helper()
	spec := Spec{Name: "nginx", Program: "usr/sbin/nginx", Listen: []netip.AddrPort{{}}}
	if c.Certificate != nil {
		spec.Listen = append(spec.Listen, netip.AddrPort{})
	}
	spec.Setup = func(r Room) ([]string, error) {
		if err := c.write(r); err != nil {
			return nil, err
		}
		return []string{"-p", r.Dir, "-e", "stderr", "-c", r.Path("nginx.conf")}, nil
	}
	return Start(t, spec)
}

// write writes what the server reads.
func (c NginxConfig) write(r Room) error {
	for path, content := range c.Pages {
		page := filepath.Join(r.Dir, "pages", filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(page), 0o700); err != nil {
			return fmt.Errorf("page %q: %w", path, err)
		}
		if err := os.WriteFile(page, []byte(content), 0o600); err != nil {
			return fmt.Errorf("page %q: %w", path, err)
		}
	}
	var users []string
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		users = append(users, name+":{PLAIN}"+c.Users[name])
	}
	if err := r.Write("users", users...); err != nil {
		return err
	}
	return r.Write("nginx.conf", c.server(r)...)
}

// server is the configuration.
func (c NginxConfig) server(r Room) []string {
	lines := append(slices.Clone(nginxHead), fmt.Sprintf("listen %s;", r.Addrs[0]))
	if c.Certificate != nil {
		lines = append(lines,
			fmt.Sprintf("listen %s ssl;", r.Addrs[1]),
			fmt.Sprintf("ssl_certificate %s;", c.Certificate.CertFile),
			fmt.Sprintf("ssl_certificate_key %s;", c.Certificate.KeyFile))
	}
	if len(c.Users) > 0 {
		lines = append(lines, `auth_basic "device";`, fmt.Sprintf("auth_basic_user_file %s;", r.Path("users")))
	}
	lines = append(lines, c.Directives...)
	if os.Geteuid() == 0 { // it would become a user that has no right to the folder
		lines = append([]string{"user root;"}, lines...)
	}
	return append(lines, "}", "}")
}
