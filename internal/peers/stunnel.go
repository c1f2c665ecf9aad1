package peers

import (
	"fmt"
	"net/netip"
	"testing"
)

// StunnelConfig is how a TLS front behaves.
type StunnelConfig struct {
	// Certificate is the server's own; it is needed.
	Certificate Certificate
	// Behind is the plain server that it leads to.
	Behind netip.AddrPort
	// Options are more lines of its service, such as "sslVersionMin = TLSv1".
	Options []string
}

// Stunnel starts a server that puts TLS before a plain one.
func Stunnel(t testing.TB, c StunnelConfig) *Peer {
	t.Helper()
	return Start(t, Spec{
		Name: "stunnel", Program: "usr/bin/stunnel4",
		Env: []string{"OPENSSL_CONF=/dev/null"}, // not the machine's policy
		Setup: func(r Room) ([]string, error) {
			lines := append([]string{
				"foreground = yes", "pid =", "syslog = no", "[front]", // no file outside its folder
				fmt.Sprintf("accept = %s", r.Addrs[0]), fmt.Sprintf("connect = %s", c.Behind),
				"cert = " + c.Certificate.CertFile, "key = " + c.Certificate.KeyFile, "CAfile = " + c.Certificate.CAFile,
			}, c.Options...)
			if err := r.Write("stunnel.conf", lines...); err != nil {
				return nil, err
			}
			return []string{r.Path("stunnel.conf")}, nil
		},
	})
}
