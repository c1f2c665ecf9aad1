// Package transport hands probes the only connections that they may use. It
// keeps them inside the scope and the budgets of the run, at its pace, and
// writes down what goes out and what comes back, secrets masked.
package transport

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// A Dialer opens connections to the unit under test.
type Dialer interface {
	// Dial connects to addr over TCP. It refuses what lies outside the scope,
	// waits for the pace and spends the budget. Its errors are for Did.
	Dial(ctx context.Context, addr netip.AddrPort) (Conn, error)
	// DialUDP opens a socket that sends datagrams to addr and receives those
	// that come from there, and nothing else. Each Write sends one and waits for
	// the pace first, whatever the deadline, so one for the answer is set after
	// it; each Read takes one. An
	// ICMP answer is the error of a later call, which Did reads as Refused.
	// Opening it sends nothing.
	DialUDP(ctx context.Context, addr netip.AddrPort) (Conn, error)
	// Inside makes a Conn of a connection that runs inside another one, such
	// as the plain side of TLS, so that what it says is written down too.
	Inside(c net.Conn) Conn
	// Login spends one of the log-ins that service allows for account, and
	// journals it before it returns. An error says that none is left.
	Login(ctx context.Context, service, account string) error
	// Hide makes secret unreadable in all that is written from now on.
	Hide(class evidence.SecretClass, secret []byte) evidence.Secret
}

// A Conn is a connection that remembers where its bytes were written down. What
// it reads is capped, and every deadline is absolute: it never moves because
// something came.
type Conn interface {
	net.Conn
	Span() evidence.Span // of all that was received so far
	// WriteSecret writes b, of which the transcript shows length bytes from
	// offset as stars.
	WriteSecret(b []byte, offset, length int) (int, error)
}

// Limits bound what a run does to one unit.
type Limits struct {
	Connections int           // in all
	PerSecond   int           // new connections; 0 for no limit
	AtOnce      int           // connections open at the same time
	Bytes       int64         // received in all
	PerExchange int64         // received on one connection
	Logins      int           // tries per account and service
	Time        time.Duration // of the whole run
}

// Pace is how hard a device is pressed.
type Pace string

// The three paces. Gentle spares small devices; Normal keeps to one connection
// at a time and 100 new ones a second; Bench lifts both.
const (
	Gentle Pace = "gentle"
	Normal Pace = "normal"
	Bench  Pace = "bench"
)
