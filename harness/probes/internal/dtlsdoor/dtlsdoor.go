// Package dtlsdoor completes DTLS 1.2 handshakes with a library, by a pre-shared
// key or in certificate mode, and tells what the device did from what we could not
// do.
package dtlsdoor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	"github.com/pion/logging"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// Service is the name of the service that log-ins are charged to.
	Service = "coap"
	// Patience is how long a handshake may take in all. A small device takes
	// seconds for each signature, and a lost flight is sent again after one, two
	// and four.
	Patience = 12 * time.Second
	// Stay is how long a session may last beside its handshake.
	Stay = 10 * time.Second
)

// A Client is who shakes hands.
type Client struct {
	// Login is a PSK identity and its key, nil for certificate mode, in which any
	// certificate of the server is taken and none is shown.
	Login *probe.Login
	// Charge says whether a try counts against the log-ins of the account.
	Charge bool
	// Suites are what is offered, as far as the library has them; all that it has
	// if it has none of these.
	Suites []uint16
	// Patience is how long the handshake may take, 0 for Patience.
	Patience time.Duration
}

// Outcome is how a door took a client.
type Outcome string

// The outcomes.
const (
	NotTried Outcome = "not_tried" // the account may not be tried any more
	Opened   Outcome = "opened"    // both sides proved what they know
	Refused  Outcome = "alert"     // the device sent an alert
	Silent   Outcome = "silent"    // it did not go on in time
	Closed   Outcome = "closed"    // by ICMP: nobody listens any more
	Strange  Outcome = "strange"   // it goes on in a way that the library does not follow
)

// Answer is how one handshake ended.
type Answer struct {
	Outcome Outcome `json:"outcome"`
	Alert   int     `json:"alert"` // its description (RFC 8446, 6), -1 if none came in clear
	Suite   uint16  `json:"suite"` // 0 unless opened
	// Met says whether the device answered at all.
	Met  evidence.Tri  `json:"device_answered"`
	Span evidence.Span `json:"span"`
}

// Untried is the answer of a try that did not take place.
func Untried() Answer { return Answer{Outcome: NotTried, Alert: -1} }

// A Session is the plain side of a handshake. Closing it closes the socket below.
type Session struct {
	transport.Conn
	Certificates [][]byte // of the server, its own first; none with a pre-shared key

	below *watched
}

// Below is where the datagrams of the session stand that were received so far.
func (s *Session) Below() evidence.Span { return s.below.Span() }

// Open shakes hands. There is a session only if the answer is Opened. Its error
// says nothing of the device.
func Open(ctx context.Context, in probe.Input, addr netip.AddrPort, c Client) (*Session, Answer, error) {
	if c.Charge && c.Login != nil {
		err := in.Net.Login(ctx, Service, c.Login.User)
		if errors.Is(err, transport.ErrBudget) {
			return nil, Untried(), nil
		}
		if err != nil {
			return nil, Untried(), err
		}
	}
	conn, err := in.Net.DialUDP(ctx, addr)
	if err != nil {
		return nil, Untried(), err
	}
	w := &watched{Conn: conn, alert: -1}
	return shake(ctx, in, w, c)
}

// shake shakes hands on a socket, which it closes unless there is a session.
func shake(ctx context.Context, in probe.Input, w *watched, c Client) (*Session, Answer, error) {
	d, err := dtls.ClientWithOptions(dtlsnet.PacketConnFromConn(w), w.RemoteAddr(), options(c)...)
	if err != nil {
		return nil, Untried(), errors.Join(fmt.Errorf("DTLS with suites %v: %w", c.Suites, err), w.Close())
	}
	if c.Patience == 0 {
		c.Patience = Patience
	}
	hand, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	if err := d.HandshakeContext(hand); err != nil {
		answer, ours := w.answer(ctx, err)
		_ = d.Close() // says farewell at most
		return nil, answer, errors.Join(ours, w.Close())
	}
	state, _ := d.ConnectionState() // nothing but a suite is read from it
	answer := Answer{Outcome: Opened, Alert: -1, Suite: uint16(state.CipherSuiteID), Met: evidence.Yes, Span: w.Span()}
	s := &Session{in.Net.Inside(d), state.PeerCertificates, w}
	return s, answer, s.SetDeadline(time.Now().Add(Stay))
}

// options are those of the library.
func options(c Client) []dtls.ClientOption {
	quiet := logging.NewDefaultLoggerFactory()
	quiet.Writer = io.Discard
	list := []dtls.ClientOption{
		dtls.WithInsecureSkipVerify(true), dtls.WithCipherSuites(known(c)...), dtls.WithLoggerFactory(quiet),
	}
	if c.Login != nil {
		key := []byte(c.Login.Password)
		return append(list, dtls.WithPSKIdentityHint([]byte(c.Login.User)), dtls.WithPSK(func([]byte) ([]byte, error) { return key, nil }))
	}
	// What is no longer safe is taken too: what a good certificate is, checks decide.
	return append(list, dtls.WithInsecureHashes(true), dtls.WithSignatureSchemes(
		tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512, tls.Ed25519,
		tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512,
		tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512, tls.ECDSAWithSHA1, tls.PKCS1WithSHA1))
}

// Knows reports whether the library can complete a handshake with a suite.
func Knows(suite uint16) bool {
	id := dtls.CipherSuiteID(suite)
	return slices.Contains(ofPSK, id) || slices.Contains(ofCertificates, id)
}

// known are the suites that c offers and the library has; all that it has if none
// of them is named.
func known(c Client) []dtls.CipherSuiteID {
	have := ofCertificates
	if c.Login != nil {
		have = ofPSK
	}
	list := slices.DeleteFunc(slices.Clone(have), func(id dtls.CipherSuiteID) bool { return !slices.Contains(c.Suites, uint16(id)) })
	if len(list) == 0 {
		return have
	}
	return list
}

// ofPSK and ofCertificates are the suites of the library.
var (
	ofPSK = []dtls.CipherSuiteID{
		dtls.TLS_PSK_WITH_AES_128_CCM_8, dtls.TLS_PSK_WITH_AES_128_CCM, dtls.TLS_PSK_WITH_AES_256_CCM_8,
		dtls.TLS_PSK_WITH_AES_128_GCM_SHA256, dtls.TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, dtls.TLS_PSK_WITH_AES_128_CBC_SHA256,
		dtls.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, dtls.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256,
	}
	ofCertificates = []dtls.CipherSuiteID{
		dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, dtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		dtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, dtls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		dtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, dtls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	}
)
