package peers

import (
	"fmt"
	"testing"
)

// GnuTLSConfig is how a TLS server of GnuTLS behaves.
type GnuTLSConfig struct {
	// Certificate, if not nil, is the server's own; without one only suites
	// that need none are left.
	Certificate *Certificate
	// Priority is what it takes, as GnuTLS writes it; NORMAL if empty.
	Priority string
	// Args are more arguments, such as --require-client-cert.
	Args []string
}

// GnuTLSServer starts gnutls-serv, which answers requests over TLS with a page
// about the connection. It knows no option for its address, and so listens on
// all of them.
func GnuTLSServer(t testing.TB, c GnuTLSConfig) *Peer {
	t.Helper()
	if c.Priority == "" {
		c.Priority = "NORMAL"
	}
	Loud(t)
	return Start(t, Spec{
		Name: "gnutls", Program: "usr/bin/gnutls-serv",
		Env: []string{"GNUTLS_SYSTEM_PRIORITY_FILE=/dev/null"}, // not the machine's policy
		Setup: func(r Room) ([]string, error) {
			args := []string{"--http", "--quiet", "--port", fmt.Sprint(r.Addrs[0].Port()), "--priority", c.Priority}
			if cert := c.Certificate; cert != nil {
				args = append(args, "--x509certfile", cert.CertFile, "--x509keyfile", cert.KeyFile, "--x509cafile", cert.CAFile)
			}
			return append(args, c.Args...), nil
		},
	})
}
