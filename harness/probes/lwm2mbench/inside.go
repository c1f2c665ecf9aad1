package lwm2mbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	"github.com/pion/logging"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/dtlswire"
	"github.com/assay-iot/assay/harness/transport"
)

// handshakePatience is how long a handshake of the device may take. A small
// device takes seconds, and sends a lost flight again after one, two and four.
const handshakePatience = 12 * time.Second

// The first byte of a datagram tells DTLS from CoAP (RFC 7983, 7): a record begins
// with its type, a message of CoAP with its version.
const firstOfDTLS, afterDTLS = 20, 64

// lanes tells records of DTLS from all else.
func lanes(datagram []byte) int {
	if datagram[0] >= firstOfDTLS && datagram[0] < afterDTLS {
		return 1
	}
	return 0
}

// suites are all with a pre-shared key that the library has.
var suites = []dtls.CipherSuiteID{
	dtls.TLS_PSK_WITH_AES_128_CCM_8, dtls.TLS_PSK_WITH_AES_128_CCM, dtls.TLS_PSK_WITH_AES_256_CCM_8,
	dtls.TLS_PSK_WITH_AES_128_GCM_SHA256, dtls.TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, dtls.TLS_PSK_WITH_AES_128_CBC_SHA256,
	dtls.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, dtls.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256,
}

var errNoKey = errors.New("no key is declared for this identity")

// A keeper is the server's side of a handshake.
type keeper struct {
	login *probe.Login // whom the device file names, nil for nobody

	mu       sync.Mutex
	identity []byte
	known    evidence.Tri
}

// key is the callback of the library.
func (k *keeper) key(identity []byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.identity, k.known = slices.Clone(identity), evidence.No
	if k.login == nil || string(identity) != k.login.User {
		return nil, errNoKey
	}
	k.known = evidence.Yes
	return []byte(k.login.Password), nil
}

// open shakes hands as a server. The session is nil where nothing came of it, and
// closing it closes the socket below. The error is ours.
func (k *keeper) open(ctx context.Context, c *replayed) (*dtls.Conn, Handshake, error) {
	quiet := logging.NewDefaultLoggerFactory()
	quiet.Writer = io.Discard
	d, err := dtls.ServerWithOptions(dtlsnet.PacketConnFromConn(c), c.RemoteAddr(),
		dtls.WithPSK(k.key), dtls.WithCipherSuites(suites...), dtls.WithLoggerFactory(quiet))
	if err != nil {
		return nil, Handshake{}, fmt.Errorf("DTLS: %w", err)
	}
	hand, cancel := context.WithTimeout(ctx, handshakePatience)
	defer cancel()
	err = d.HandshakeContext(hand)
	k.mu.Lock()
	defer k.mu.Unlock()
	h := Handshake{Identity: k.identity, Known: k.known}
	switch {
	case err == nil:
		state, _ := d.ConnectionState() // nothing but a suite is read from it
		h.Outcome, h.Suite = Opened, uint16(state.CipherSuiteID)
		c.settle()
		return d, h, nil
	case hand.Err() != nil:
		h.Outcome = Silent
	default:
		h.Outcome = Broken
	}
	_ = d.Close() // a farewell at most
	return nil, h, ctx.Err()
}

// replayed is a connection whose first datagram has been read already. It ends
// when the device begins anew: a library that waits for the old session to go on
// would never answer.
type replayed struct {
	transport.Conn

	mu      sync.Mutex
	first   []byte
	hellos  [][]byte // of the handshake that made the session
	failed  error    // of the socket, which the library mixes with its own
	settled bool
}

// mostHellos is how many datagrams with a hello one handshake takes: two, and
// what is sent again.
const mostHellos = 16

// Read is part of net.Conn.
func (r *replayed) Read(b []byte) (int, error) {
	if first := r.take(); first != nil {
		return copy(b, first), nil
	}
	n, err := r.Conn.Read(b)
	switch {
	case err == nil && r.anew(b[:n]):
		return 0, io.EOF
	case err != nil && !errors.Is(err, os.ErrDeadlineExceeded): // the library sets deadlines to wake itself up
		r.mu.Lock()
		defer r.mu.Unlock()
		r.failed = err
	}
	return n, err
}

// failure is how the socket ended, nil if it did not.
func (r *replayed) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *replayed) take() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.first
	if r.first = nil; first != nil {
		r.hellos = append(r.hellos, first)
	}
	return first
}

// settle says that the handshake is over.
func (r *replayed) settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled = true
}

// anew reports whether a datagram begins another handshake.
func (r *replayed) anew(datagram []byte) bool {
	records, _ := dtlswire.Records(datagram) // what cannot be read begins nothing
	if len(records) == 0 || records[0].Epoch != 0 || len(records[0].Body) == 0 || !hello(records[0]) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled {
		return !slices.ContainsFunc(r.hellos, func(old []byte) bool { return slices.Equal(old, datagram) })
	}
	if len(r.hellos) < mostHellos {
		r.hellos = append(r.hellos, slices.Clone(datagram))
	}
	return false
}

func hello(r dtlswire.Record) bool {
	return r.Type == handshakeRecord && r.Body[0] == dtlswire.ClientHello
}

// handshakeRecord is the type of a record with a handshake (RFC 9147, 4.1).
const handshakeRecord = 22
