// Package comeback asks a server that was sent something malformed whether it still
// serves, for as long as it may take to come back.
package comeback

import (
	"context"
	"net/netip"
	"time"

	"github.com/assay-iot/assay/harness/evidence"
	"github.com/assay-iot/assay/harness/transport"
)

const (
	// Recovery is how long a server may take to serve again. A restart by a
	// watchdog takes that long on a small device.
	Recovery = 30 * time.Second
	// Ban is after how long addresses are usually let in again that were
	// turned away.
	Ban = 900 * time.Second
	// MostPolls bounds how often a server is asked whether it is back.
	MostPolls = 600

	// every is how often it is asked.
	every = time.Second
	// soon is how soon the first two times: most servers that turn everybody
	// away for a message are back in a moment.
	soon = 200 * time.Millisecond
)

// Name is the name of what was sent.
type Name string

// Word is how the control was taken, in the words of the protocol.
type Word string

// Look is one in which the control was asked again and again.
type Look struct {
	After   Name          `json:"after"` // what was sent before it
	Sending int           `json:"sending"`
	Waited  time.Duration `json:"waited_ns"`
	Asked   int           `json:"asked"`
	First   evidence.Tri  `json:"first"`   // whether it came back
	Second  evidence.Tri  `json:"second"`  // and to another address of ours; unknown if there is none
	Witness evidence.Tri  `json:"witness"` // whether the witness answered meanwhile; unknown if there is none
	Last    Word          `json:"last"`    // of the control, to the first address
}

// A Watcher looks whether a server serves.
type Watcher struct {
	// Serves makes the good exchange once. An error says nothing about the
	// device.
	Serves func(ctx context.Context) (served bool, how Word, err error)
	Second netip.Addr // another address of ours, the zero value if there is none

	polls int
}

// Look asks until the server serves or the time is up. Between, the second
// address asks, if there is one.
func (w *Watcher) Look(ctx context.Context, limit time.Duration) (Look, error) {
	l := Look{First: evidence.No}
	if w.Second.IsValid() {
		l.Second = evidence.No
	}
	begun := time.Now()
	for {
		l.Asked++
		w.polls++
		served, how, err := w.Serves(ctx)
		l.Last = how
		if err == nil && !served && w.Second.IsValid() && l.Asked > 1 && l.Second != evidence.Yes {
			l.Second, err = w.second(ctx, l.Second)
		}
		l.Waited = time.Since(begun)
		switch {
		case err != nil:
			return l, err
		case served:
			l.First = evidence.Yes
			return l, nil
		case l.Waited >= limit:
			return l, nil
		case w.polls >= MostPolls:
			l.First, l.Second = evidence.Unknown, evidence.Unknown
			return l, nil
		}
		if err := pause(ctx, l.Asked, begun, limit); err != nil {
			return l, err
		}
	}
}

// second asks from the second address. If that cannot be used, nothing is known
// of it.
func (w *Watcher) second(ctx context.Context, known evidence.Tri) (evidence.Tri, error) {
	served, _, err := w.Serves(transport.From(ctx, w.Second))
	switch {
	case ctx.Err() != nil:
		return evidence.Unknown, ctx.Err()
	case err != nil:
		return evidence.Unknown, nil //nolint:nilerr // our second address is of no use here
	case served:
		return evidence.Yes, nil
	}
	return known, nil
}

// pause waits for the next turn, and a little longer where that takes long.
func pause(ctx context.Context, asked int, begun time.Time, limit time.Duration) error {
	wait := max(every, limit/60)
	if asked <= 2 {
		wait = soon
	}
	wait = min(wait, max(limit-time.Since(begun), 0))
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
