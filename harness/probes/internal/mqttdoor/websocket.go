package mqttdoor

import (
	"context"
	"errors"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/probes/internal/websocket"
	"github.com/assay-iot/assay/harness/transport"
)

// Path is that of MQTT over WebSocket on an HTTP listener, empty for MQTT
// itself.
type Path string

// Paths are where brokers have their WebSocket: the first is the usual one, and
// some answer everywhere.
func Paths() []Path { return []Path{"/mqtt", "/"} }

// Upgrade is how an HTTP listener took the wish to speak WebSocket.
type Upgrade = websocket.Upgrade

// The upgrades.
const (
	Upgraded    = websocket.Upgraded
	NotUpgraded = websocket.NotUpgraded
	NoUpgrade   = websocket.NoUpgrade
	MuteUpgrade = websocket.MuteUpgrade
	OddUpgrade  = websocket.OddUpgrade
)

// TryUpgrade asks a door for WebSocket and leaves. An error says nothing about
// the device.
func TryUpgrade(ctx context.Context, in probe.Input, door Door) (Upgrade, evidence.Span, error) {
	below := door
	below.Path = ""
	conn, answer, err := dial(transport.Within(ctx, Patience+brief), in.Net, below)
	switch {
	case err != nil:
		return "", answer.Span, err
	case conn == nil && answer.Outcome == Silent:
		return MuteUpgrade, answer.Span, nil
	case conn == nil:
		return NoUpgrade, answer.Span, nil
	}
	_, how, err := upgrade(ctx, in.Net, conn, door)
	return how, conn.Span(), errors.Join(err, conn.Close())
}

// ofUpgrade are the answers of doors that did not become a WebSocket.
var ofUpgrade = map[Upgrade]Outcome{NotUpgraded: Declined, NoUpgrade: Declined, MuteUpgrade: Silent, OddUpgrade: Malformed}

// upgrade makes the handshake of RFC 6455 for MQTT (MQTT 5, 6). The connection
// is nil unless it succeeded; closing the one below is the caller's.
func upgrade(ctx context.Context, d transport.Dialer, conn transport.Conn, door Door) (transport.Conn, Upgrade, error) {
	return websocket.Open(ctx, d, conn, websocket.Request{Path: string(door.Path), Host: door.Addr.String(), Protocol: "mqtt"})
}
