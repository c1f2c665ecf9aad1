// Package tlsinside opens TLS to a device as a probe needs it: with every
// version and suite that crypto/tls knows, without trust in any certificate,
// and with what came first kept, because an alert is TLS too.
package tlsinside

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"sync"

	"github.com/assay-iot/assay/harness/transport"
)

// A Session is the plain side of a completed handshake. Closing it closes the
// connection below.
type Session struct {
	transport.Conn
	State tls.ConnectionState
}

// A Handshake is how one went.
type Handshake struct {
	// Session is nil unless the handshake was completed.
	Session *Session
	// First is the kind of the first record that came.
	First Record
	// Act is how the device ended a handshake that was not completed.
	Act transport.Act
	// Alert is the alert with which it did, or -1.
	Alert int
}

// Open shakes hands on c, which it closes unless a Session comes back. Its
// error says nothing about the device.
func Open(ctx context.Context, d transport.Dialer, c transport.Conn) (Handshake, error) {
	return OpenWith(ctx, d, c, Config())
}

// OpenWith is Open with another configuration than Config.
func OpenWith(ctx context.Context, d transport.Dialer, c transport.Conn, with *tls.Config) (Handshake, error) {
	w := &watched{Conn: c}
	t := tls.Client(w, with)
	err := t.HandshakeContext(ctx)
	h := Handshake{First: Classify(w.first), Alert: AlertOf(err)}
	if err == nil {
		h.Act = transport.Answered
		h.Session = &Session{d.Inside(plain{t, w}), t.ConnectionState()}
		return h, nil
	}
	closing := c.Close()
	if h.Act, err = transport.Did(ctx, w.failure()); err == nil {
		err = closing
	}
	return h, err
}

// AlertOf returns the alert that the other side sent and that err tells of, or
// -1. The type of crypto/tls for it is not exported.
func AlertOf(err error) int {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return -1
	}
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		return int(uint8(v.Uint())) //nolint:gosec // it is one byte
	}
	return -1
}

// Config offers all that crypto/tls can; what a good certificate is, checks
// decide.
func Config() *tls.Config {
	var suites []uint16
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		suites = append(suites, s.ID)
	}
	return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, CipherSuites: suites}
}

// plain is the inner side of TLS. What TLS itself complains of, such as an alert
// that comes after the handshake, is the device's way to hang up.
type plain struct {
	*tls.Conn
	below *watched
}

// Read reads as tls.Conn does.
func (p plain) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	return n, p.cause(err)
}

// Write writes as tls.Conn does.
func (p plain) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	return n, p.cause(err)
}

// Held passes on whether the connection below is held back.
func (p plain) Held() bool { return transport.Held(p.below.Conn) }

func (p plain) cause(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) || !waited(p.below.failure()) {
		return err
	}
	return &EndedError{err}
}

// waited reports whether nothing is wrong with the connection below: a session
// may go on after nothing came in time.
func waited(err error) bool { return err == nil || errors.Is(err, os.ErrDeadlineExceeded) }

// EndedError is the end of a TLS session in TLS's own words. It counts as a
// connection that was cut off.
type EndedError struct{ Cause error }

// Error says how it ended.
func (e *EndedError) Error() string { return "TLS ended: " + e.Cause.Error() }

// Unwrap returns the words of crypto/tls.
func (e *EndedError) Unwrap() error { return e.Cause }

// Is makes transport.Did see that the device closed.
func (e *EndedError) Is(target error) bool { return target == io.ErrUnexpectedEOF }

// watched keeps the first bytes that come, and the error of the connection
// itself, which crypto/tls mixes with complaints of its own.
type watched struct {
	transport.Conn
	first []byte

	mu     sync.Mutex // a session may be read and written at the same time
	failed error
}

var _ net.Conn = (*watched)(nil)

// Read keeps the first bytes.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.first = append(w.first, b[:min(n, recordStart-len(w.first))]...)
	w.keep(err)
	return n, err
}

// Write keeps the error.
func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.keep(err)
	return n, err
}

func (w *watched) keep(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.failed == nil {
		w.failed = err
	}
}

func (w *watched) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}
