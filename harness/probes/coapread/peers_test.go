package coapread

import (
	"crypto/tls"
	"testing"

	"github.com/assay-iot/assay/internal/peers"
)

// serverTLS is a certificate for doors inside TLS and DTLS.
func serverTLS(t *testing.T) *tls.Config {
	t.Helper()
	cert := peers.NewAuthority(t).Issue(t, "device")
	return &tls.Config{Certificates: []tls.Certificate{cert.TLS}}
}
