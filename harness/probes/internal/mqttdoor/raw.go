package mqttdoor

import (
	"context"
	"errors"
	"time"

	"github.com/assay-iot/assay/harness/probe"
	"github.com/assay-iot/assay/harness/transport"
)

// Raw opens a connection at a door, on which MQTT is still to be spoken, that
// lasts no longer than stay. Without one, the answer says how the device
// declined it. An error says nothing about the device.
func Raw(ctx context.Context, in probe.Input, door Door, stay time.Duration) (transport.Conn, Answer, error) {
	conn, answer, err := dial(transport.Within(ctx, Patience+stay), in.Net, door)
	if conn == nil {
		return nil, answer, err
	}
	if err := conn.SetDeadline(time.Now().Add(stay)); err != nil {
		return nil, Answer{}, errors.Join(err, conn.Close())
	}
	return conn, Answer{}, nil
}

// Did tells what the device did to a session or a connection on which
// something failed. Its error says nothing about the device.
func Did(ctx context.Context, err error) (Outcome, error) {
	answer, err := failed(ctx, true, err)
	return answer.Outcome, err
}
