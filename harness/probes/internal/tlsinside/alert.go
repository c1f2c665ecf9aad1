package tlsinside

import (
	"errors"
	"net"
)

// remoteAlert is how crypto/tls marks an alert of the other side.
const remoteAlert = "remote error"

// Alerted reports whether an alert of the other side ended a TLS session. A
// server that wants a certificate says so only then in TLS 1.3.
func Alerted(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == remoteAlert
}
