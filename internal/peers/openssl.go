package peers

import "testing"

// OpenSSLConfig is how a TLS server behaves.
type OpenSSLConfig struct {
	// Certificate is the server's own; it is needed.
	Certificate Certificate
	// Legacy lets it speak TLS 1.0 and 1.1 and use weak suites as well.
	Legacy bool
	// Args are more arguments, such as -tls1_2 or -Verify 1.
	Args []string
}

// OpenSSLServer starts "openssl s_server", which answers each request over TLS
// with a page about the connection.
func OpenSSLServer(t testing.TB, c OpenSSLConfig) *Peer {
	t.Helper()
	return Start(t, Spec{
		Name: "openssl", Program: "usr/bin/openssl",
		Env: []string{"OPENSSL_CONF=/dev/null"}, // not the machine's policy
		Setup: func(r Room) ([]string, error) {
			args := []string{
				"s_server", "-www", "-accept", r.Addrs[0].String(),
				"-cert", c.Certificate.CertFile, "-key", c.Certificate.KeyFile, "-CAfile", c.Certificate.CAFile,
			}
			if c.Legacy {
				args = append(args, "-min_protocol", "TLSv1", "-cipher", "ALL:@SECLEVEL=0")
			}
			return append(args, c.Args...), nil
		},
	})
}
