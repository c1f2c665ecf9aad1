// Package websocket makes a WebSocket (RFC 6455) of a connection to a device,
// for the protocols that devices speak inside it. What it reads is hostile: all
// is capped, and nothing is taken for an upgrade that is none.
package websocket

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455, 4.2.2 has it; nothing depends on its strength
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/assay-iot/assay/harness/probes/internal/tlsinside"
	"github.com/assay-iot/assay/harness/transport"
)

// ErrMalformed is what every error about frames that came wraps.
var ErrMalformed = errors.New("malformed WebSocket")

// Upgrade is how an HTTP listener took the wish to speak WebSocket.
type Upgrade string

// The upgrades.
const (
	Upgraded    Upgrade = "upgraded"
	NotUpgraded Upgrade = "answered" // with something else of HTTP
	NoUpgrade   Upgrade = "closed"   // it hung up, or took no connection
	MuteUpgrade Upgrade = "silent"
	OddUpgrade  Upgrade = "malformed" // what came is not HTTP, or the wrong handshake
)

const (
	// maxHead bounds the head of the answer, in bytes.
	maxHead = 8 << 10
	// brief is enough to say good-bye.
	brief = time.Second
)

// A Request is what is asked for.
type Request struct {
	Path     string
	Host     string
	Protocol string // that is spoken inside
	// Messages says that the limits of messages matter: each Read takes one
	// whole message, of at most this many bytes, into a buffer of that size.
	// With 0 what is inside is a stream.
	Messages int
}

// Open makes the handshake. The connection is nil unless it succeeded; closing
// the one below is the caller's. An error says nothing about the device.
func Open(ctx context.Context, d transport.Dialer, conn transport.Conn, r Request) (transport.Conn, Upgrade, error) {
	key := base64.StdEncoding.EncodeToString([]byte(rand.Text())[:16])
	_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: assay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n", r.Path, r.Host, key, r.Protocol)
	reader := bufio.NewReader(conn)
	var head []byte
	if err == nil {
		head, err = readHead(reader)
	}
	if err != nil {
		how, err := notUpgraded(ctx, err, len(head) > 0)
		return nil, how, err
	}
	how := ofHead(head, key, r.Protocol)
	if how != Upgraded {
		return nil, how, nil
	}
	f := &framed{Conn: conn, reader: reader}
	if r.Messages > 0 {
		return &webSocket{Conn: d.Inside(&whole{framed: f, most: r.Messages}), frames: f}, Upgraded, nil
	}
	return &webSocket{Conn: d.Inside(f), frames: f}, Upgraded, nil
}

// readHead reads to the empty line. What is longer is cut off there.
func readHead(r *bufio.Reader) ([]byte, error) {
	var head []byte
	for len(head) < maxHead && !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		c, err := r.ReadByte()
		if err != nil {
			return head, err
		}
		head = append(head, c)
	}
	return head, nil
}

// notUpgraded tells what the device did where the head did not come whole.
func notUpgraded(ctx context.Context, err error, begun bool) (Upgrade, error) {
	act, ours := transport.Did(ctx, err)
	switch {
	case ctx.Err() != nil:
		return "", ours
	case begun, errors.Is(err, transport.ErrTooMuch):
		return OddUpgrade, nil
	case act == transport.Silent:
		return MuteUpgrade, nil
	case act == transport.Closed, act == transport.Refused, tlsinside.Alerted(err):
		return NoUpgrade, nil
	}
	return "", ours
}

// ofHead reads the answer.
func ofHead(head []byte, key, protocol string) Upgrade {
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), nil)
	if err != nil {
		return OddUpgrade
	}
	_ = answer.Body.Close() // of which nothing is read
	protocols := answer.Header.Values("Sec-Websocket-Protocol")
	switch {
	case answer.StatusCode != http.StatusSwitchingProtocols:
		return NotUpgraded
	case !strings.EqualFold(answer.Header.Get("Upgrade"), "websocket"),
		answer.Header.Get("Sec-Websocket-Accept") != acceptOf(key),
		len(protocols) > 0 && !slices.Contains(protocols, protocol):
		return OddUpgrade
	}
	return Upgraded
}

// acceptOf is what a server makes of the key (RFC 6455, 4.2.2).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(sum[:])
}

// webSocket is the plain side of a WebSocket. A secret is hidden on both sides.
type webSocket struct {
	transport.Conn
	frames *framed
}

// WriteSecret is part of transport.Conn.
func (w *webSocket) WriteSecret(b []byte, offset, length int) (int, error) {
	w.frames.offset, w.frames.length = offset, length
	defer func() { w.frames.length = 0 }()
	return w.Conn.WriteSecret(b, offset, length)
}

// Close says good-bye and closes the connection below.
func (w *webSocket) Close() error {
	_ = w.frames.SetWriteDeadline(time.Now().Add(brief))
	_, _ = w.frames.write(opClose, nil) // it may be gone already
	return w.Conn.Close()
}
