package transport

import (
	"context"
	"time"
)

type withinKey struct{}

// Within returns a ctx under which a connection lasts d at the most, from its
// first packet on. Unlike a deadline it leaves out what Dial waits for its
// turn: a slow pace must not look like a silent device.
func Within(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, withinKey{}, d)
}

// end returns when a connection that begins now must end, the zero time if
// nothing bounds it.
func end(ctx context.Context, now time.Time) time.Time {
	t, _ := ctx.Deadline()
	if d, ok := ctx.Value(withinKey{}).(time.Duration); ok {
		t = earlier(t, now.Add(d))
	}
	return t
}

// earlier returns the earlier one of two times, of which the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
