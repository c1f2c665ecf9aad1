// Package legacytls plays a TLS server with versions, suites and keys that no
// library serves any more: SSL 3.0, export, anonymous, NULL and RC4 suites, keys
// of 512 bits. Tests and emulated devices use it, to be found out.
//
// It answers a ClientHello with the whole flight of a server, up to
// ServerHelloDone, with real certificates and real signatures, so that a client
// goes on as with any other server. There it ends: nothing is ever encrypted.
package legacytls

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// The versions, as they are written on the wire.
const (
	SSL30 uint16 = 0x0300
	TLS10 uint16 = 0x0301
	TLS11 uint16 = 0x0302
	TLS12 uint16 = 0x0303
)

// The named groups of key exchanges over elliptic curves.
const (
	P256   uint16 = 23
	P384   uint16 = 24
	P521   uint16 = 25
	X25519 uint16 = 29
)

// Server says how a server behaves. It is only read: one serves any number of
// connections.
type Server struct {
	// Versions that it takes; of those that a client knows, the newest is chosen.
	Versions []uint16
	// Suites that it takes, the preferred one first. One that is not in Suites()
	// is never chosen.
	Suites []uint16
	// ClientOrder lets the order of the client decide.
	ClientOrder bool
	// Chain is the certificates, the server's own first. Key is its private key:
	// *rsa.PrivateKey, *ecdsa.PrivateKey or *dsa.PrivateKey. Suites without a
	// certificate need neither.
	Chain [][]byte
	Key   crypto.PrivateKey
	// Groups for ECDHE, the preferred one first; P-256 alone if empty.
	Groups []uint16
	// DHBits is the length of the prime for DHE, 1024 if zero; export suites
	// take 512 at the most.
	DHBits int
	// Deflate chooses compression if the client offers it.
	Deflate bool
	// Renegotiation echoes the indication of RFC 5746.
	Renegotiation bool
	// AskCertificate asks for a client certificate, by a request that names no
	// authority.
	AskCertificate bool
	// Refusal is what becomes of a hello with nothing in common.
	Refusal Refusal
	// Most bounds the bytes of a record, if not zero: long messages come in
	// parts.
	Most int
}

// Refusal is how a server turns a hello away. The zero value is an alert.
type Refusal int

// The refusals.
const (
	Alert  Refusal = iota // protocol_version or handshake_failure
	Close                 // it closes the connection
	Ignore                // it says nothing, until the client goes
)

// Exchange is what became of a connection.
type Exchange struct {
	Hello  Hello
	Choice Choice
	// Chosen says whether a flight was sent; no means that nothing was in common.
	Chosen bool
	// Next is the type of the client's first handshake message after the flight:
	// ClientKeyExchange or Certificate if the client took the flight for good, 0
	// if none came.
	Next uint8
}

// The types of handshake messages that a client sends.
const (
	ClientHello       uint8 = 1
	Certificate       uint8 = 11
	ClientKeyExchange uint8 = 16
)

// patience bounds how long a client may take, all in all: longer than any
// prober waits, so that a silent server is what its client makes of it.
const patience = 30 * time.Second

// Serve answers one connection and closes it.
func (s *Server) Serve(conn net.Conn) (Exchange, error) {
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return Exchange{}, err
	}
	hello, err := ReadHello(conn)
	if err != nil {
		return Exchange{}, err
	}
	return s.Answer(conn, hello)
}

// Answer goes on after a ClientHello that was read already. It leaves the
// connection open.
func (s *Server) Answer(conn net.Conn, hello Hello) (Exchange, error) {
	x := Exchange{Hello: hello}
	x.Choice, x.Chosen = s.Choose(hello)
	if !x.Chosen {
		return x, s.refuse(conn, x.Choice)
	}
	flight, err := s.flight(hello, x.Choice)
	if err != nil {
		return x, fmt.Errorf("legacytls: suite %#04x: %w", x.Choice.Suite, err)
	}
	if _, err := conn.Write(flight); err != nil {
		return x, err
	}
	kind, body, err := readRecord(conn)
	switch {
	case errors.Is(err, io.EOF):
		return x, nil // it has seen enough
	case err != nil:
		return x, err
	case kind == recordHandshake && len(body) > 0:
		x.Next = body[0]
		return x, s.alert(conn, x.Choice.Version, handshakeFailure)
	}
	return x, nil
}

// The alerts, RFC 5246, 7.2.
const (
	handshakeFailure uint8 = 40
	protocolVersion  uint8 = 70
)

// refuse turns a hello away. Without a version there was none in common.
func (s *Server) refuse(conn net.Conn, c Choice) error {
	switch {
	case s.Refusal == Close:
		return nil
	case s.Refusal == Ignore:
		_, err := io.Copy(io.Discard, conn)
		return err
	case c.Version == 0:
		return s.alert(conn, TLS10, protocolVersion)
	}
	return s.alert(conn, c.Version, handshakeFailure)
}

func (s *Server) alert(conn net.Conn, version uint16, description uint8) error {
	const fatal = 2
	_, err := conn.Write(records(version, recordAlert, []byte{fatal, description}, 0))
	return err
}

// Listen serves whoever connects to l, until it is closed. What becomes of the
// connections is nobody's business.
func (s *Server) Listen(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() { _, _ = s.Serve(conn) }()
	}
}

// Replay returns conn with what was read of it put back, for another server to
// begin anew.
func Replay(conn net.Conn, hello Hello) net.Conn {
	return &replayed{conn, hello.Raw}
}

type replayed struct {
	net.Conn
	left []byte
}

// Read returns what was put back, then what comes.
func (r *replayed) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		return r.Conn.Read(b)
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	return n, nil
}
