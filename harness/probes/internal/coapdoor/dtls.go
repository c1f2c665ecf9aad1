package coapdoor

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// flight is after how long a part of the handshake is sent again that
	// nobody answered, doubled each time (RFC 6347, 4.2.4.1).
	flight = time.Second
	// benchFlight is that on a bench, where nothing gets lost on the way.
	benchFlight = 250 * time.Millisecond
)

// certificates are the suites in which the server shows a certificate, and keys
// those in which both have the same key.
var (
	certificates = []dtls.CipherSuiteID{
		dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, dtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		dtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, dtls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, dtls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	}
	keys = []dtls.CipherSuiteID{
		dtls.TLS_PSK_WITH_AES_128_CCM_8, dtls.TLS_PSK_WITH_AES_128_CCM, dtls.TLS_PSK_WITH_AES_128_GCM_SHA256,
		dtls.TLS_PSK_WITH_AES_256_CCM_8, dtls.TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, dtls.TLS_PSK_WITH_AES_128_CBC_SHA256,
		dtls.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, dtls.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256,
	}
)

// shake makes the handshake of DTLS 1.2. What a good certificate is, checks
// decide. Closing conn is the caller's where no connection comes back.
func shake(ctx context.Context, in probe.Input, conn transport.Conn, login *probe.Login) (transport.Conn, Answer, error) {
	below := &datagrams{Conn: conn}
	c, err := dtls.ClientWithOptions(below, conn.RemoteAddr(), settings(in.Target.Pace, login)...)
	if err != nil {
		return nil, Answer{}, err
	}
	limited, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if err := c.HandshakeContext(limited); err != nil {
		_ = c.Close() // as it never opened
		outcome, err := below.refusal(ctx, limited, err)
		return nil, Answer{Outcome: outcome, Span: conn.Span()}, err
	}
	answer := Answer{Outcome: Opened}
	if state, ok := c.ConnectionState(); ok {
		answer.Suite = uint16(state.CipherSuiteID)
	}
	return in.Net.Inside(secured{c, below}), answer, nil
}

// settings offer all that the library can in one of the two modes.
func settings(pace transport.Pace, login *probe.Login) []dtls.ClientOption {
	wait := flight
	if pace == transport.Bench {
		wait = benchFlight
	}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.Writer = io.Discard
	list := []dtls.ClientOption{dtls.WithFlightInterval(wait), dtls.WithLoggerFactory(quiet), dtls.WithInsecureHashes(true)}
	if login == nil {
		return append(list, dtls.WithCipherSuites(certificates...), dtls.WithInsecureSkipVerify(true))
	}
	key := []byte(login.Password)
	return append(list, dtls.WithCipherSuites(keys...), dtls.WithPSKIdentityHint([]byte(login.User)),
		dtls.WithPSK(func([]byte) ([]byte, error) { return key, nil }))
}

// datagrams gives DTLS the packets that it wants, and keeps what it hides: an
// alert, and the error of the connection itself.
type datagrams struct {
	transport.Conn

	mu      sync.Mutex
	came    bool
	alerted bool
	failed  error
}

// ReadFrom is part of net.PacketConn.
func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := d.Read(b)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.came = d.came || n > 0
	d.alerted = d.alerted || alertIn(b[:n])
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && d.failed == nil {
		d.failed = err
	}
	return n, d.RemoteAddr(), err
}

// WriteTo is part of net.PacketConn.
func (d *datagrams) WriteTo(b []byte, _ net.Addr) (int, error) {
	n, err := d.Write(b)
	if err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.failed == nil {
			d.failed = err
		}
	}
	return n, err
}

func (d *datagrams) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// refusal tells what the device did to a handshake that failed.
func (d *datagrams) refusal(ctx, limited context.Context, err error) (Outcome, error) {
	failed := d.failure()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return NotTried, ctx.Err()
	case d.alerted:
		return Refused, nil
	case failed != nil:
		return did(ctx, true, failed)
	case limited.Err() != nil, timedOut(err):
		return Silent, nil // also after a part of the handshake: a wrong key may be met by silence
	case d.came:
		return Malformed, nil // our side gave it up
	}
	return NotTried, err
}

// The header of a record of DTLS 1.2 (RFC 6347, 4.3.1).
const (
	recordHeader = 13
	recordAlert  = 21
)

// alertIn reports whether a datagram holds an alert. After the keys are set its
// content is encrypted; its kind is not.
func alertIn(b []byte) bool {
	for len(b) >= recordHeader {
		if b[0] == recordAlert {
			return true
		}
		next := recordHeader + int(binary.BigEndian.Uint16(b[recordHeader-2:]))
		if next > len(b) {
			break
		}
		b = b[next:]
	}
	return false
}

// secured is the plain side of DTLS. Closing it closes the connection below.
type secured struct {
	*dtls.Conn
	below *datagrams
}

// Read reads one message, as dtls.Conn does.
func (s secured) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	return n, s.cause(err)
}

// Write writes one message, as dtls.Conn does.
func (s secured) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	return n, s.cause(err)
}

// Held passes on whether the connection below is held back.
func (s secured) Held() bool { return transport.Held(s.below.Conn) }

// Close says good-bye and closes the connection below.
func (s secured) Close() error { return errors.Join(s.Conn.Close(), s.below.Conn.Close()) }

// cause turns the words of the library into those that transport.Did knows.
func (s secured) cause(err error) error {
	switch failed := s.below.failure(); {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case timedOut(err):
		return os.ErrDeadlineExceeded
	case failed != nil:
		return failed
	}
	return &EndedError{err}
}

func timedOut(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// EndedError is the end of a DTLS session in the library's own words. It counts
// as a connection that was cut off.
type EndedError struct{ Cause error }

// Error says how it ended.
func (e *EndedError) Error() string { return "DTLS ended: " + e.Cause.Error() }

// Unwrap returns the words of the library.
func (e *EndedError) Unwrap() error { return e.Cause }

// Is makes transport.Did see that the device closed.
func (e *EndedError) Is(target error) bool { return target == io.ErrUnexpectedEOF } //nolint:errorlint // see the name
