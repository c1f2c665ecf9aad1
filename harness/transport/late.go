package transport

import (
	"context"
	"net"
)

type lateKey struct{}

// Late returns a ctx under which what a connection receives is written down
// when it is closed and not before, so that a secret that was found in it and
// hidden meanwhile is masked too. Such a connection holds in memory what one
// exchange may send.
func Late(ctx context.Context) context.Context { return context.WithValue(ctx, lateKey{}, true) }

func isLate(ctx context.Context) bool { return ctx.Value(lateKey{}) != nil }

// held is a connection that knows of Late.
type held interface{ Held() bool }

// Held reports whether what c receives is held back until it is closed. What
// wraps a connection passes it on, so that it holds inside TLS as well.
func Held(c net.Conn) bool {
	h, ok := c.(held)
	return ok && h.Held()
}

// Held is asked by the function of that name.
func (c *conn) Held() bool { return c.in.late }
