package transport

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
)

// An Act is how the device ended an exchange, or let it end.
type Act string

// What a device may do.
const (
	Answered Act = "answered" // it sent what was waited for
	Refused  Act = "refused"  // it declined the connection
	Closed   Act = "closed"   // it hung up or reset the connection
	Silent   Act = "silent"   // nothing came in time
)

var acts = map[error]Act{
	nil:                      Answered,
	ErrSelf:                  Refused,
	syscall.ECONNREFUSED:     Refused,
	io.EOF:                   Closed,
	io.ErrUnexpectedEOF:      Closed,
	syscall.ECONNRESET:       Closed,
	syscall.EPIPE:            Closed,
	syscall.ETIMEDOUT:        Silent,
	os.ErrDeadlineExceeded:   Silent,
	context.DeadlineExceeded: Silent,
}

// Did separates what the device did from what we could not do: it returns the
// act that err stands for, or err if the device has no part in it. The end of
// the run's own ctx is never the device's doing.
func Did(ctx context.Context, err error) (Act, error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	for known, act := range acts {
		if errors.Is(err, known) {
			return act, nil
		}
	}
	return "", err
}
