package tlsserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"slices"

	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/probes/internal/tlswire"
	"github.com/assay-iot/assay/harness/transport"
)

// mostRenegotiations is one, and one more if it was answered.
const mostRenegotiations = 2

// renegotiate asks, inside a finished handshake of TLS 1.2, for another one. It
// is left out if the server takes no suite with which that can be done here.
func (k *look) renegotiate(ctx context.Context) error {
	v := k.newest(TLS12)
	if v == nil || v.Code != TLS12 {
		return nil
	}
	suites := slices.DeleteFunc(tlswire.SessionSuites(), func(c uint16) bool { return !slices.Contains(codes(v.Suites), c) })
	for len(suites) > 0 && len(k.Renegotiation) < mostRenegotiations {
		r, err := k.renegotiation(ctx, suites)
		if err != nil {
			return err
		}
		if k.Renegotiation = append(k.Renegotiation, r); r.Outcome != Accepted {
			return nil
		}
	}
	return nil
}

// tap keeps what goes both ways.
type tap struct {
	transport.Conn
	said, heard []byte
}

// Read keeps what is heard.
func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.heard = append(t.heard, b[:n]...)
	return n, err
}

// Write keeps what is said.
func (t *tap) Write(b []byte) (int, error) {
	t.said = append(t.said, b...)
	return t.Conn.Write(b)
}

func (k *look) renegotiation(ctx context.Context, suites []uint16) (Renegotiation, error) {
	r := Renegotiation{Outcome: NotTried, Alert: -1}
	c, act, err := k.open(ctx)
	if c == nil || err != nil {
		return r, errors.Join(err, k.count(act))
	}
	from := c.Span().Length
	t, log := &tap{Conn: c}, &bytes.Buffer{}
	config := tlsinside.Config()
	config.MaxVersion, config.CipherSuites, config.KeyLogWriter = tls.VersionTLS12, suites, log
	shaken := tls.Client(t, config).HandshakeContext(ctx)
	if err = ctx.Err(); err == nil && shaken == nil {
		if s, failed := tlswire.Continue(log.String(), t.said, t.heard, c); failed == nil {
			r, err = k.inside(ctx, c, s, suites)
		}
	}
	r.Span = since(c.Span(), from)
	return r, errors.Join(err, c.Close())
}

// inside sends the second hello and reads the answer.
func (k *look) inside(ctx context.Context, c transport.Conn, s *tlswire.Session, suites []uint16) (Renegotiation, error) {
	r := Renegotiation{Outcome: NotTried, Alert: -1}
	if _, err := c.Write(s.Renegotiate(k.hello(TLS12, suites))); err != nil {
		_, err = ending(ctx, err)
		return r, err
	}
	m, err := s.Next()
	switch {
	case err != nil && unreadable(err):
		r.Outcome, err = Malformed, nil
	case err != nil:
		r.Outcome, err = ending(ctx, err)
	case m.Alert != nil:
		r.Outcome, r.Alert = Alerted, int(m.Alert.Description)
	case m.Type == tlswire.TypeServerHello:
		r.Outcome = Accepted
	default:
		r.Outcome = Malformed
	}
	return r, err
}
