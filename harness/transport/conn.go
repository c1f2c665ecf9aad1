package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
)

// A conn is what Dial and Inside return.
type conn struct {
	net.Conn
	in, out *scribe
	left    atomic.Int64 // of the exchange, in bytes
	purse   *purse       // of the run; nil inside another connection, which pays

	ctx    context.Context // of Dial; nil inside another connection, which ends
	limit  time.Time       // the absolute end, the zero time if there is none
	runEnd time.Time       // when the time of the run is spent
	finish func()          // gives back what the connection holds

	once   sync.Once
	closed error
}

// Read reads as net.Conn does and writes down what came.
func (c *conn) Read(b []byte) (int, error) {
	allowed, err := c.allow(len(b))
	if err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b[:allowed])
	c.left.Add(int64(-n))
	if c.purse != nil {
		c.purse.put(int64(allowed - n))
	}
	if werr := c.in.write(b[:n], 0, 0); werr != nil {
		return n, werr
	}
	return n, c.cause(err)
}

// allow returns how much of n bytes may be read.
func (c *conn) allow(n int) (int, error) {
	if err := c.over(); err != nil || n == 0 {
		return 0, err
	}
	if n = int(min(int64(n), c.left.Load())); n <= 0 {
		return 0, ErrTooMuch
	}
	if c.purse == nil {
		return n, nil
	}
	got, err := c.purse.take(int64(n))
	return int(got), err
}

// Write writes as net.Conn does and writes it down.
func (c *conn) Write(b []byte) (int, error) { return c.WriteSecret(b, 0, 0) }

// WriteSecret is part of Conn.
func (c *conn) WriteSecret(b []byte, offset, length int) (int, error) {
	if offset < 0 || length < 0 || offset+length > len(b) {
		return 0, fmt.Errorf("secret from %d, %d bytes long, in %d bytes", offset, length, len(b))
	}
	if err := c.over(); err != nil {
		return 0, err
	}
	if err := c.out.write(b, offset, offset+length); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	return n, c.cause(err)
}

// over returns why nothing goes on, if the ctx of Dial or the run ended.
func (c *conn) over() error {
	switch {
	case c.ctx == nil:
		return nil
	case c.ctx.Err() == context.Canceled:
		return c.ctx.Err()
	case c.ctx.Err() != nil:
		return c.cause(os.ErrDeadlineExceeded)
	}
	return nil
}

// cause keeps apart the silence of the device and the end of the run.
func (c *conn) cause(err error) error {
	if c.ctx == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	switch {
	case c.ctx.Err() == context.Canceled:
		return c.ctx.Err()
	case !c.runEnd.IsZero() && !time.Now().Before(c.runEnd):
		return fmt.Errorf("time: %w", ErrBudget)
	}
	return err
}

// SetDeadline sets both deadlines, but never beyond the end that Dial set.
func (c *conn) SetDeadline(t time.Time) error { return c.set(c.Conn.SetDeadline, t) }

// SetReadDeadline does so for reading.
func (c *conn) SetReadDeadline(t time.Time) error { return c.set(c.Conn.SetReadDeadline, t) }

// SetWriteDeadline does so for writing.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.set(c.Conn.SetWriteDeadline, t) }

func (c *conn) set(deadline func(time.Time) error, t time.Time) error {
	err := deadline(earlier(t, c.limit))
	if c.ctx != nil && c.ctx.Err() != nil {
		return deadline(past)
	}
	return err
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// Close closes the connection and completes the transcript. It fails only if
// the transcript does: how the other end takes a farewell is of no interest.
func (c *conn) Close() error {
	c.once.Do(func() {
		_ = c.Conn.Close()
		c.closed = errors.Join(c.in.close(), c.out.close())
		if c.finish != nil {
			c.finish()
		}
	})
	return c.closed
}

// Span is part of Conn.
func (c *conn) Span() evidence.Span { return c.in.span() }
