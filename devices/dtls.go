package devices

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
)

// The pre-shared key that DTLSDefaultPSK adds: that of the examples of a widely
// used library.
const (
	defaultIdentity = "Client_identity"
	defaultKey      = "secretPSK"
)

var errStranger = errors.New("no such identity")

// dtlsOptions configures a server of DTLS 1.2 with one pre-shared key for each
// credential of this unit.
func (u unit) dtlsOptions() []dtls.ServerOption {
	suites := []dtls.CipherSuiteID{dtls.TLS_PSK_WITH_AES_128_GCM_SHA256, dtls.TLS_PSK_WITH_AES_128_CCM_8}
	if u.oddities.CCM8Only {
		suites = suites[1:]
	}
	return []dtls.ServerOption{
		dtls.WithPSK(u.psk),
		dtls.WithCipherSuites(suites...),
		dtls.WithExtendedMasterSecret(dtls.RequestExtendedMasterSecret),
	}
}

// psk returns the key of an identity.
func (u unit) psk(identity []byte) ([]byte, error) {
	for _, c := range u.file.Credentials {
		if c.Service == "coap" && c.User == string(identity) {
			return preShared(u.serial, c)
		}
	}
	if u.faults.DTLSDefaultPSK && string(identity) == defaultIdentity {
		return []byte(defaultKey), nil
	}
	return nil, errStranger
}

// speakDTLS serves one client inside DTLS.
func (u unit) speakDTLS(c *client, s service) {
	first := make([]byte, datagramBytes)
	n, err := c.Read(first)
	if err != nil {
		return
	}
	again := &unread{Conn: c, first: first[:n]}
	if u.faults.DTLSOldVersion && oldHello(first[:n]) {
		speakOldDTLS(again)
		return
	}
	inside, err := dtls.ServerWithOptions(dtlsnet.PacketConnFromConn(again), c.RemoteAddr(), s.dtls...)
	if err != nil {
		return
	}
	defer inside.Close()
	patience := time.AfterFunc(opening, func() { _ = c.Close() })
	err = inside.Handshake()
	// The deadline of the opening lies on the datagrams below, which whoever
	// speaks inside cannot reach.
	if patience.Stop() && err == nil && c.SetDeadline(time.Time{}) == nil {
		s.speak(inside)
	}
}

// An unread connection gives back the datagram that was read of it.
type unread struct {
	net.Conn
	mu    sync.Mutex
	first []byte
}

// Read returns the next datagram.
func (u *unread) Read(b []byte) (int, error) {
	u.mu.Lock()
	first := u.first
	u.first = nil
	u.mu.Unlock()
	if first != nil {
		return copy(b, first), nil
	}
	return u.Conn.Read(b)
}

// oldHello says whether a datagram begins with a ClientHello for nothing newer
// than DTLS 1.0.
func oldHello(b []byte) bool {
	hello, ok := parseHello(b)
	return ok && bytes.Equal(hello.version, []byte{0xfe, 0xff})
}
