package dtlstest

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/dtls/v3"
)

// Server starts a server of the library with options. To each session it passes
// what comes to serve, which may answer.
func Server(t testing.TB, serve func(net.Conn), opts ...dtls.ServerOption) netip.AddrPort {
	t.Helper()
	l, err := dtls.ListenWithOptions("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go shake(c, serve)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// shake completes a handshake and serves the session.
func shake(c net.Conn, serve func(net.Conn)) {
	defer func() { _ = c.Close() }() // a farewell at most
	if d, ok := c.(*dtls.Conn); ok && d.Handshake() != nil {
		return
	}
	if serve != nil {
		serve(c)
	}
}

var errUnknown = errors.New("unknown identity")

// PSK returns the callback of a server that knows one identity.
func PSK(identity, key string) func([]byte) ([]byte, error) {
	return func(who []byte) ([]byte, error) {
		if string(who) != identity {
			return nil, errUnknown
		}
		return []byte(key), nil
	}
}
