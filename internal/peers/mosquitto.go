package peers

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// MosquittoConfig is how a broker behaves.
type MosquittoConfig struct {
	// Listeners are where it listens; none means one plain listener.
	Listeners []MosquittoListener
	// Users are names and passwords of those whom all listeners let in.
	Users map[string]string
	// ACL are lines of an acl_file, such as "topic read a/#"; none means that
	// everyone may do everything.
	ACL []string
}

// MosquittoListener is one listener of a broker.
type MosquittoListener struct {
	// Addr is where; port 0 is a free one, no address 127.0.0.1.
	Addr netip.AddrPort
	// WebSocket makes it speak MQTT over WebSocket instead of MQTT itself.
	WebSocket bool
	// Anonymous lets clients in that give no name.
	Anonymous bool
	// Certificate, if not nil, makes it speak TLS.
	Certificate *Certificate
	// ClientCertificate asks clients for one of the same authority.
	ClientCertificate bool
	// Options are more lines, such as "tls_version tlsv1.3".
	Options []string
}

// Mosquitto starts a broker. Peer.Addrs are in the order of the listeners.
func Mosquitto(t testing.TB, c MosquittoConfig) *Peer {
	t.Helper()
	if len(c.Listeners) == 0 {
		c.Listeners = []MosquittoListener{{}}
	}
	// Over WebSocket it listens on all addresses, whatever it is told.
	if slices.ContainsFunc(c.Listeners, func(l MosquittoListener) bool { return l.WebSocket }) {
		Loud(t)
	}
	spec := Spec{Name: "mosquitto", Program: "usr/sbin/mosquitto"}
	for _, l := range c.Listeners {
		spec.Listen = append(spec.Listen, l.Addr)
	}
	spec.Setup = func(r Room) ([]string, error) {
		if err := c.write(r); err != nil {
			return nil, err
		}
		if len(c.Users) > 0 { // the file holds clear passwords until here
			output(t, "", "usr/bin/mosquitto_passwd", "-U", r.Path("users"))
		}
		return []string{"-c", r.Path("mosquitto.conf")}, nil
	}
	return Start(t, spec)
}

// write writes what the broker reads.
func (c MosquittoConfig) write(r Room) error {
	// As root it would become a user that only an installed package makes.
	conf := []string{"user root", "per_listener_settings true", "log_dest stderr", "persistence false"}
	for i, l := range c.Listeners {
		conf = append(conf, c.listener(r, l, r.Addrs[i])...)
	}
	var users []string
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		users = append(users, name+":"+c.Users[name])
	}
	for file, lines := range map[string][]string{"mosquitto.conf": conf, "users": users, "acl": c.ACL} {
		if err := r.Write(file, lines...); err != nil {
			return err
		}
	}
	return nil
}

// listener is the part of the configuration for one listener.
func (c MosquittoConfig) listener(r Room, l MosquittoListener, at netip.AddrPort) []string {
	lines := []string{
		fmt.Sprintf("listener %d %s", at.Port(), at.Addr()),
		fmt.Sprintf("allow_anonymous %t", l.Anonymous),
	}
	if l.WebSocket {
		lines = append(lines, "protocol websockets")
	}
	if len(c.Users) > 0 {
		lines = append(lines, "password_file "+r.Path("users"))
	}
	if len(c.ACL) > 0 {
		lines = append(lines, "acl_file "+r.Path("acl"))
	}
	if cert := l.Certificate; cert != nil {
		lines = append(lines, strings.Join([]string{
			"certfile " + cert.CertFile,
			"keyfile " + cert.KeyFile,
			"cafile " + cert.CAFile,
			fmt.Sprintf("require_certificate %t", l.ClientCertificate),
		}, "\n"))
	}
	return append(lines, l.Options...)
}
